-- Which events are by whom, about what, of what kind, of which field (records/marks.h).

-- name: marks_state
SELECT position, head FROM marks_state WHERE id = 1;

-- Only from where it was read.
-- name: marks_move
UPDATE marks_state SET position = $1, head = $2 WHERE id = 1 AND position = $3;

-- name: marks_get
SELECT bits FROM marks WHERE key = $1 AND chunk = $2;

-- name: marks_put
INSERT INTO marks (key, chunk, n, bits) VALUES ($1, $2, $3, $4)
ON CONFLICT (key, chunk) DO UPDATE SET n = excluded.n, bits = excluded.bits;

-- name: marks_range
SELECT chunk, bits FROM marks WHERE key = $1 AND chunk >= $2 AND chunk <= $3;

-- name: marks_between
SELECT key, chunk, bits FROM marks WHERE key >= $1 AND key < $2 AND chunk >= $3 AND chunk <= $4;

-- name: marks_count
SELECT (SELECT count(*) FROM marks) + (SELECT count(*) FROM marks_days);

-- name: marks_key_add
INSERT INTO marks_keys (key, n) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET n = marks_keys.n + excluded.n;

-- name: marks_key
SELECT n FROM marks_keys WHERE key = $1;

-- name: marks_keys_between
SELECT key, n FROM marks_keys WHERE key >= $1 AND key < $2 ORDER BY key;

-- name: marks_day_get
SELECT bits FROM marks_days WHERE chunk = $1 AND day = $2;

-- name: marks_day_put
INSERT INTO marks_days (chunk, day, bits) VALUES ($1, $2, $3)
ON CONFLICT (chunk, day) DO UPDATE SET bits = excluded.bits;

-- name: marks_days
SELECT day, bits FROM marks_days WHERE chunk = $1 AND day >= $2 AND day <= $3;

-- name: marks_chunk_get
SELECT first_at, last_at, ascending FROM marks_chunks WHERE chunk = $1;

-- name: marks_chunk_put
INSERT INTO marks_chunks (chunk, first_at, last_at, ascending) VALUES ($1, $2, $3, $4)
ON CONFLICT (chunk) DO UPDATE SET first_at = excluded.first_at, last_at = excluded.last_at, ascending = excluded.ascending;

-- Those with something of a time.
-- name: marks_chunks
SELECT chunk, first_at, last_at, ascending FROM marks_chunks
WHERE chunk >= $1 AND chunk <= $2 AND last_at >= $3 AND first_at <= $4;

-- name: marks_scan
SELECT l.position, l.at, l.actor, l.module, l.kind, l.operation, p.body FROM log l
JOIN payloads p ON p.position = l.position WHERE l.position >= $1 AND l.position < $2 ORDER BY l.position;

-- name: marks_scan_back
SELECT l.position, l.at, l.actor, l.module, l.kind, l.operation, p.body FROM log l
JOIN payloads p ON p.position = l.position WHERE l.position >= $1 AND l.position < $2 ORDER BY l.position DESC;

-- name: marks_scan_heads_back
SELECT position, at, actor, module, kind, operation FROM log WHERE position >= $1 AND position < $2 ORDER BY position DESC;

-- name: marks_head
SELECT head FROM events WHERE position = $1;

-- name: marks_at
SELECT at FROM log WHERE position = $1;

-- name: marks_in_time
SELECT position FROM log WHERE position >= $1 AND position < $2 AND at >= $3 AND at <= $4;

-- name: marks_of_operation
SELECT position FROM log WHERE operation = $1 AND position >= $2 AND position < $3;

-- name: operation_last
SELECT coalesce(max(position), -1) FROM log WHERE operation = $1;
