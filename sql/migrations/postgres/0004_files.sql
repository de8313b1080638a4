-- Files on their way in (records/uploads.h): the bytes are pieces in `files`, as far as they have come. Private; put away
-- after a day. Value: what a field of files holds, once all has come.
CREATE TABLE uploads (
    id       TEXT COLLATE "C" PRIMARY KEY,
    "user"   BIGINT NOT NULL,
    name     TEXT COLLATE "C" NOT NULL,
    size     BIGINT NOT NULL,
    come     BIGINT NOT NULL,
    parts    BIGINT NOT NULL,
    digest   TEXT COLLATE "C" NOT NULL,
    value    TEXT COLLATE "C" NOT NULL,
    moved_at BIGINT NOT NULL
);
CREATE INDEX uploads_by_user ON uploads ("user");
CREATE INDEX uploads_by_time ON uploads (moved_at);

-- Which records' events speak of which stored bytes: computed from the log.
CREATE TABLE file_uses (
    digest   TEXT COLLATE "C" NOT NULL,
    module   BIGINT NOT NULL,
    record   BIGINT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (digest, module, record, position)
);

-- Bytes that were deleted for good, by the SHA-256 of their digest's text, so that copies are known wherever they still
-- lie: in the directory of another node, beside older backups.
CREATE TABLE files_gone (
    mark BYTEA PRIMARY KEY,
    at   BIGINT NOT NULL
);
