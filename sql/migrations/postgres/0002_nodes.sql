-- What several nodes must know of each other.

-- How often a password was tried (web/attempts.h): by a keyed hash of the address or account, until when, in microseconds
-- of this server's clock, nothing of it is left. Of no worth after a crash, so it is not logged, and no commit waits for
-- it. Rows of the past are swept.
CREATE UNLOGGED TABLE attempts (
    key     BYTEA PRIMARY KEY,
    full_at BIGINT NOT NULL
);
CREATE INDEX attempts_by_time ON attempts (full_at);

-- When a piece of a file was put here, in microseconds: files that are kept for a time are swept by it.
ALTER TABLE files ADD COLUMN put_at BIGINT NOT NULL DEFAULT 0;
