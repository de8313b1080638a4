-- Files on their way in (records/uploads.h): the bytes lie beside, as far as they have come. Private; put away after a
-- day. Value: what a field of files holds, once all has come.
CREATE TABLE uploads (
    id       TEXT PRIMARY KEY,
    "user"   INTEGER NOT NULL,
    name     TEXT NOT NULL,
    size     INTEGER NOT NULL,
    come     INTEGER NOT NULL,
    parts    INTEGER NOT NULL,
    digest   TEXT NOT NULL,
    value    TEXT NOT NULL,
    moved_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX uploads_by_user ON uploads ("user");
CREATE INDEX uploads_by_time ON uploads (moved_at);

-- Which records' events speak of which stored bytes: computed from the log.
CREATE TABLE file_uses (
    digest   TEXT NOT NULL,
    module   INTEGER NOT NULL,
    record   INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (digest, module, record, position)
) WITHOUT ROWID;

-- Bytes that were deleted for good, by the SHA-256 of their digest's text, so that copies are known wherever they still
-- lie: in the directory of another node, beside older backups.
CREATE TABLE files_gone (
    mark BLOB PRIMARY KEY,
    at   INTEGER NOT NULL
) WITHOUT ROWID;
