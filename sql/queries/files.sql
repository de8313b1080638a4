-- Files on their way in, and which events speak of which stored bytes.

-- name: upload_insert
INSERT INTO uploads (id, "user", name, size, come, parts, digest, value, moved_at) VALUES ($1, $2, $3, $4, 0, 0, $5, '', $6);

-- name: upload_get
SELECT "user", name, size, come, parts, digest, value, moved_at FROM uploads WHERE id = $1;

-- name: upload_moved
UPDATE uploads SET come = $3, parts = $4, moved_at = $5 WHERE id = $1 AND come = $2;

-- name: upload_done
UPDATE uploads SET value = $2, parts = 0 WHERE id = $1;

-- name: upload_delete
DELETE FROM uploads WHERE id = $1;

-- name: upload_expire
DELETE FROM uploads WHERE id = $1 AND moved_at < $2;

-- name: uploads_of_user
SELECT id, name, size, come, moved_at FROM uploads WHERE "user" = $1 AND value = '' ORDER BY moved_at DESC LIMIT 100;

-- name: uploads_count
SELECT count(*) FROM uploads WHERE "user" = $1 AND value = '';

-- name: uploads_old
SELECT id FROM uploads WHERE moved_at < $1 LIMIT 100;

-- name: file_use_insert
INSERT INTO file_uses (digest, module, record, position) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: file_uses_of_record
SELECT position FROM file_uses WHERE digest = $1 AND module = $2 AND record = $3 ORDER BY position DESC;

-- name: file_uses_forget
DELETE FROM file_uses WHERE module = $1 AND record = $2 AND position = $3 AND digest = $4;

-- name: file_uses_count
SELECT count(*) FROM file_uses WHERE digest = $1;

-- name: file_gone
INSERT INTO files_gone (mark, at) VALUES ($1, $2) ON CONFLICT (mark) DO UPDATE SET at = excluded.at;

-- name: file_is_gone
SELECT count(*) FROM files_gone WHERE mark = $1;

-- name: file_back
DELETE FROM files_gone WHERE mark = $1;

-- name: files_gone_newest
SELECT coalesce(max(at), 0) FROM files_gone;

-- What tells of bytes that are gone.
-- name: uploads_forget
DELETE FROM uploads WHERE value LIKE '%' || $1 || '%';

-- name: log_kind_of_record
SELECT count(*) FROM log WHERE module = $1 AND record = $2 AND kind = $3;

-- Who brought which bytes.
-- name: file_brought
INSERT INTO files_brought ("user", digest, at) VALUES ($1, $2, $3) ON CONFLICT ("user", digest) DO UPDATE SET at = excluded.at;

-- name: file_was_brought
SELECT count(*) FROM files_brought WHERE "user" = $1 AND digest = $2;

-- name: files_brought_forget
DELETE FROM files_brought WHERE digest = $1;

-- name: files_brought_old
DELETE FROM files_brought WHERE at < $1;

-- The records that speak of them, newest first.
-- name: file_users
SELECT module, record, max(position) FROM file_uses WHERE digest = $1 GROUP BY module, record ORDER BY 3 DESC LIMIT $2;
