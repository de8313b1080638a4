-- Links between records, timelines, the search index.

-- name: state_get
SELECT value FROM state WHERE name = $1;

-- name: state_set
INSERT INTO state (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: timeline_insert
INSERT INTO timeline (card_module, card, position, module, kind, about) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING;

-- name: notification_insert
INSERT INTO notifications ("user", position, module, record) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: notifications_forget
DELETE FROM notifications WHERE position = $1;

-- Walked from the newest: times of events that tell of another system's past do not follow the positions.
-- name: timeline_at
SELECT t.position FROM timeline t JOIN log l ON l.position = t.position
WHERE t.card_module = $1 AND t.card = $2 AND l.at <= $3 ORDER BY t.position DESC LIMIT 1;

-- The combinations of what a card's events are about, one after the other by the index.
-- name: timeline_abouts
WITH RECURSIVE there (about) AS (
SELECT min(about) FROM timeline WHERE card_module = $1 AND card = $2
UNION ALL
SELECT (SELECT min(t.about) FROM timeline t WHERE t.card_module = $1 AND t.card = $2 AND t.about > there.about) FROM there
WHERE there.about IS NOT NULL)
SELECT about FROM there WHERE about IS NOT NULL;

-- name: links_insert
INSERT INTO record_links (from_module, from_record, field, to_module, to_record, since) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING;

-- name: links_of_field
SELECT to_record FROM record_links WHERE from_module = $1 AND from_record = $2 AND field = $3 ORDER BY to_record;

-- name: link_delete
DELETE FROM record_links WHERE from_module = $1 AND from_record = $2 AND field = $3 AND to_record = $4;

-- A link that ends with the moment it began in was never there.
-- name: link_past
INSERT INTO record_links_past (to_module, to_record, from_module, from_record, field, until, since)
SELECT to_module, to_record, from_module, from_record, field, CAST($5 AS BIGINT), since FROM record_links
WHERE from_module = $1 AND from_record = $2 AND field = $3 AND to_record = $4 AND since < $5 ON CONFLICT DO NOTHING;

-- name: links_to
SELECT from_module, from_record, field FROM record_links WHERE to_module = $1 AND to_record = $2
ORDER BY from_module, from_record LIMIT $3;

-- One event more, in the record's last row while that has room.
-- name: passages_add
INSERT INTO passages (module, record, first, events, steps)
VALUES ($1, $2, coalesce((SELECT CASE WHEN events < $5 THEN first END FROM passages
                          WHERE module = $1 AND record = $2 ORDER BY first DESC LIMIT 1), CAST($3 AS BIGINT)), 1, $4)
ON CONFLICT (module, record, first) DO UPDATE SET events = passages.events + 1, steps = passages.steps || excluded.steps;

-- The row that an event is in.
-- name: passages_at
SELECT p.module, p.record, p.first, p.steps FROM log l JOIN passages p ON p.module = l.module AND p.record = l.record
WHERE l.position = $1 AND p.first <= $1 ORDER BY p.first DESC LIMIT 1;

-- name: passages_write
UPDATE passages SET steps = $4 WHERE module = $1 AND record = $2 AND first = $3;

-- name: passages_of
SELECT record, steps FROM passages WHERE module = $1 AND record >= $2 AND record <= $3 ORDER BY record, first;

-- name: log_newest
SELECT coalesce(max(position), -1) FROM log;

-- The same, and which table it is that has this name: another where it was made anew.
-- name: log_newest_and_table (sqlite)
SELECT coalesce(max(position), -1), CASE WHEN $1 = '' THEN 1 ELSE 0 END FROM log;

-- name: log_newest_and_table (postgres)
SELECT coalesce(max(position), -1), CAST(CAST(to_regclass($1) AS OID) AS BIGINT) FROM log;

-- name: roles_forget
DELETE FROM role_reach;

-- name: ranks_moved
INSERT INTO ranks_at (id, position) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET position = excluded.position;

-- name: ranks_at
SELECT coalesce(max(position), -1) FROM ranks_at;

-- name: role_below
SELECT 1 FROM role_reach WHERE role = $1 AND below = $2;

-- name: log_newest_of_two
SELECT coalesce(max(newest), -1) FROM (SELECT max(position) AS newest FROM log WHERE module = $1
UNION ALL SELECT max(position) FROM log WHERE module = $2) both_modules;

-- Few events are past the position: the plus signs keep the database from reading all those of the module instead.
-- name: log_records_since
SELECT DISTINCT record FROM log WHERE position >= $1 AND +module = $2 AND +record > 0;

-- Asked after each commit. PostgreSQL would plan it anew each time for the values' sake, looking up where the log ends; so it does not know them.
-- name: log_since
SELECT position, module, record, kind FROM log WHERE position >= (SELECT CAST($1 AS BIGINT))
ORDER BY position LIMIT (SELECT CAST($2 AS BIGINT));

-- name: search_position
SELECT position FROM search_state WHERE id = 1;

-- name: search_position_set
UPDATE search_state SET position = $1 WHERE id = 1;

-- Only from where it was read.
-- name: search_position_move
UPDATE search_state SET position = $1 WHERE id = 1 AND position = $2;

-- name: search_forgets
SELECT forgets FROM search_state WHERE id = 1;

-- name: search_forgets_more
UPDATE search_state SET forgets = forgets + 1 WHERE id = 1;

-- Unless there is more to be forgotten since.
-- name: search_forgot
UPDATE search_state SET forgets = 0 WHERE id = 1 AND forgets = $1;

-- name: search_hits (postgres)
SELECT id FROM search_text WHERE body LIKE $1 AND id > $2 AND id < $3 LIMIT $4;

-- name: search_texts (postgres)
SELECT id - $1, body FROM search_text WHERE id > $1 AND id < $2 ORDER BY id;

-- name: search_put (postgres)
INSERT INTO search_text (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body;

-- name: search_has (postgres)
SELECT count(*) FROM search_text WHERE id = $1;

-- name: search_drop (postgres)
DELETE FROM search_text WHERE id = $1;

-- name: search_clear (postgres)
DELETE FROM search_text;

-- name: search_hits (sqlite)
SELECT rowid FROM search_text WHERE search_text MATCH $1 AND rowid > $2 AND rowid < $3 LIMIT $4;

-- name: search_texts (sqlite)
SELECT rowid - $1, body FROM search_text WHERE rowid > $1 AND rowid < $2;

-- name: search_put (sqlite)
INSERT INTO search_text (rowid, body) VALUES ($1, $2);

-- name: search_has (sqlite)
SELECT count(*) FROM search_text_content WHERE id = $1;

-- name: search_drop (sqlite)
DELETE FROM search_text WHERE rowid = $1;

-- name: search_clear (sqlite)
DELETE FROM search_text;

-- name: event_with_payload
SELECT e.head, p.body FROM events e JOIN payloads p ON p.position = e.position WHERE e.position = $1;

-- name: events_from
SELECT e.head, p.body FROM events e JOIN payloads p ON p.position = e.position
WHERE e.position >= $1 ORDER BY e.position;

-- name: own_events
SELECT e.head, p.body FROM log l JOIN events e ON e.position = l.position JOIN payloads p ON p.position = l.position
WHERE l.module = $1 AND l.record = $2 ORDER BY l.position DESC;

-- name: own_events_since
SELECT e.head, p.body FROM log l JOIN events e ON e.position = l.position JOIN payloads p ON p.position = l.position
WHERE l.module = $1 AND l.record = $2 AND l.position >= $3 ORDER BY l.position DESC;

-- Of an operation, newest first.
-- name: operation_events
SELECT position, module, record FROM log WHERE operation = $1 AND position < $2 ORDER BY position DESC LIMIT $3;

-- Whether the operation has another event about the record after this one. Looked for from there on, so that of all its events about a
-- record together no more is read than the record's events.
-- name: operation_goes_on
SELECT 1 FROM log WHERE module = $2 AND record = $3 AND position > $4 AND operation = $1 ORDER BY position LIMIT 1;

-- name: operation_count
SELECT count(*) FROM log WHERE operation = $1;

-- name: operation_size
SELECT count(*) FROM (SELECT 1 FROM log WHERE operation = $1 LIMIT $2) counted;

-- What a database has in common with its replicas, beside the log's size.
-- name: replica_mark
SELECT (SELECT max(number) FROM migrations), (SELECT value FROM state WHERE name = 'layout'),
(SELECT head FROM events WHERE position = $1);

-- What somebody is told of and has not read, newest first.
-- name: notifications_unread
SELECT n.position, n.module, n.record, 0 FROM notifications n WHERE n."user" = $1 AND n.position < $2
AND n.position > coalesce((SELECT t.position FROM notifications_read_to t WHERE t."user" = $1), -1)
AND NOT EXISTS (SELECT 1 FROM notifications_read d WHERE d."user" = n."user" AND d.position = n.position)
ORDER BY n.position DESC LIMIT $3;

-- name: notifications_all
SELECT n.position, n.module, n.record,
CASE WHEN n.position <= coalesce((SELECT t.position FROM notifications_read_to t WHERE t."user" = $1), -1)
OR EXISTS (SELECT 1 FROM notifications_read d WHERE d."user" = n."user" AND d.position = n.position) THEN 1 ELSE 0 END
FROM notifications n WHERE n."user" = $1 AND n.position < $2 ORDER BY n.position DESC LIMIT $3;

-- name: notifications_newest
SELECT coalesce(max(position), -1) FROM notifications WHERE "user" = $1;

-- The oldest that is not read; behind the newest when all are.
-- name: notifications_oldest_unread
SELECT coalesce(min(n.position), (SELECT coalesce(max(m.position), -1) + 1 FROM notifications m WHERE m."user" = $1))
FROM notifications n WHERE n."user" = $1
AND n.position > coalesce((SELECT t.position FROM notifications_read_to t WHERE t."user" = $1), -1)
AND NOT EXISTS (SELECT 1 FROM notifications_read d WHERE d."user" = n."user" AND d.position = n.position);

-- One of one's own.
-- name: notification_read
INSERT INTO notifications_read ("user", position)
SELECT n."user", n.position FROM notifications n WHERE n."user" = $1 AND n.position = $2 ON CONFLICT DO NOTHING;

-- name: notifications_read_to
INSERT INTO notifications_read_to ("user", position) VALUES ($1, $2)
ON CONFLICT ("user") DO UPDATE SET position = excluded.position WHERE notifications_read_to.position < excluded.position;

-- name: notifications_read_forget
DELETE FROM notifications_read WHERE "user" = $1
AND position <= (SELECT t.position FROM notifications_read_to t WHERE t."user" = $1);

-- Who is told of events past a position.
-- name: notifications_whom
SELECT DISTINCT "user" FROM notifications WHERE position > $1 LIMIT $2;

-- Whose payloads have one of two texts in them.
-- name: payloads_naming (sqlite)
SELECT position FROM payloads WHERE position >= $1 AND position < $2 AND (instr(body, $3) > 0 OR instr(body, $4) > 0)
ORDER BY position;

-- name: payloads_naming (postgres)
SELECT position FROM payloads WHERE position >= $1 AND position < $2
AND (position(CAST($3 AS bytea) IN body) > 0 OR position(CAST($4 AS bytea) IN body) > 0) ORDER BY position;

-- name: record_beginning
SELECT coalesce(min(position), -1) FROM log WHERE module = $1 AND record = $2;

-- name: own_positions
SELECT position FROM log WHERE module = $1 AND record = $2 AND position < $3 ORDER BY position DESC LIMIT $4;

-- How often what a module has left as a file, since a position.
-- name: exports_since
SELECT count(*) FROM log WHERE module = $1 AND record = 0 AND kind = $2 AND position > $3;

-- name: own_of_kind
SELECT position FROM log WHERE module = $1 AND record = $2 AND kind = $3 ORDER BY position;

-- name: own_count
SELECT count(*) FROM log WHERE module = $1 AND record = $2;
