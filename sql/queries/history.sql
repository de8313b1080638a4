-- The log and its tree.

-- name: history_event_add
INSERT INTO events (position, head) VALUES ($1, $2);

-- name: history_payload_add
INSERT INTO payloads (position, secret, body) VALUES ($1, $2, $3);

-- name: history_log_add
INSERT INTO log (position, at, actor, module, record, kind, operation, channel)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: history_tile_add
INSERT INTO tiles (level, number, root, hashes) VALUES ($1, $2, $3, $4);

-- name: history_state_set
INSERT INTO log_state (id, size, root, at) VALUES (1, $1, $2, $3)
ON CONFLICT (id) DO UPDATE SET size = excluded.size, root = excluded.root, at = excluded.at;

-- name: history_state
SELECT size, root, at FROM log_state WHERE id = 1;

-- name: history_events_end
SELECT coalesce(max(position) + 1, 0) FROM events;

-- name: history_payloads_end
SELECT coalesce(max(position) + 1, 0) FROM payloads;

-- name: history_log_end
SELECT coalesce(max(position) + 1, 0) FROM log;

-- name: history_heads
SELECT position, head FROM events WHERE position >= $1 AND position < $2 ORDER BY position;

-- name: history_payloads
SELECT position, secret, body FROM payloads WHERE position >= $1 AND position < $2 ORDER BY position;

-- name: history_log_rows
SELECT position, at, actor, module, record, kind, operation, channel
FROM log WHERE position >= $1 AND position < $2 ORDER BY position;

-- name: history_event
SELECT e.head, p.body FROM events e LEFT JOIN payloads p ON p.position = e.position WHERE e.position = $1;

-- name: history_payload
SELECT secret, body FROM payloads WHERE position = $1;

-- name: history_payload_erase
UPDATE payloads SET secret = NULL, body = $2 WHERE position = $1;

-- name: history_tile
SELECT hashes, root FROM tiles WHERE level = $1 AND number = $2;

-- name: history_tile_roots
SELECT number, root FROM tiles WHERE level = $1 AND number >= $2 AND number < $3 ORDER BY number;

-- name: history_tiles_beyond
SELECT level, number FROM tiles WHERE number >= $2 AND level = $1 ORDER BY number LIMIT 1;

-- name: history_tiles_clear
DELETE FROM tiles;

-- name: history_checkpoint_add
INSERT INTO checkpoints (size, at, note) VALUES ($1, $2, $3)
ON CONFLICT (size) DO UPDATE SET at = excluded.at, note = excluded.note;

-- name: history_checkpoints
SELECT size, note FROM checkpoints WHERE size >= $1 ORDER BY size LIMIT 1;

-- name: history_checkpoints_all
SELECT size, at, note FROM checkpoints ORDER BY size;

-- name: history_erased
SELECT position, body FROM payloads WHERE secret IS NULL ORDER BY position;

-- name: history_checkpoints_end
SELECT coalesce(max(size), 0) FROM checkpoints;

-- name: history_checkpoint_newest
SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1;

-- name: history_event_whole
SELECT e.head, p.secret, p.body FROM events e LEFT JOIN payloads p ON p.position = e.position WHERE e.position = $1;
