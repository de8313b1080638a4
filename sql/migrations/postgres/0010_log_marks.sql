-- The change log is filtered by its marks: sets of positions of the log, 65,536 in a chunk (records/marks.h), made from the log
-- by the indexer, so that no save waits for them. Nothing asks for the index by user any more; an operation is walked by position.
DROP INDEX log_by_actor;
DROP INDEX log_by_operation;
CREATE INDEX log_by_operation ON log (operation, position);

-- Up to which position they go (the next one to read), and the head before it, by which another log is known.
CREATE TABLE marks_state (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    position BIGINT NOT NULL,
    head     BYTEA NOT NULL
);
INSERT INTO marks_state VALUES (1, 0, '');

CREATE TABLE marks (
    key   TEXT COLLATE "C" NOT NULL,
    chunk BIGINT NOT NULL,
    n     BIGINT NOT NULL,
    bits  BYTEA NOT NULL,
    PRIMARY KEY (key, chunk)
);
ALTER TABLE marks ALTER COLUMN bits SET STORAGE EXTERNAL; -- nothing is gained by packing them again

-- In how many events each key is.
CREATE TABLE marks_keys (
    key TEXT COLLATE "C" PRIMARY KEY,
    n   BIGINT NOT NULL
);

-- By days since 1970 in UTC, and what times a chunk has.
CREATE TABLE marks_days (
    chunk BIGINT NOT NULL,
    day   BIGINT NOT NULL,
    bits  BYTEA NOT NULL,
    PRIMARY KEY (chunk, day)
);
ALTER TABLE marks_days ALTER COLUMN bits SET STORAGE EXTERNAL;
CREATE TABLE marks_chunks (
    chunk     BIGINT PRIMARY KEY,
    first_at  BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    ascending BIGINT NOT NULL
);
