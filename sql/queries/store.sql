-- What the store itself needs.

-- name: store_is_empty (sqlite)
SELECT count(*) = 0 FROM sqlite_master WHERE type = 'table' AND name = 'migrations';

-- name: store_is_empty (postgres)
SELECT CAST(to_regclass('migrations') IS NULL AS int);

-- name: store_version
SELECT coalesce(max(number), 0) FROM migrations;

-- name: store_migrated
INSERT INTO migrations (number, name, applied_at) VALUES ($1, $2, $3);
