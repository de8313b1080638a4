-- The log's own bookkeeping, where the history puts it.

-- A full tile with its root, which stands before the hashes so that it is read without them: the roots of 256 tiles
-- are the hashes of one tile of the next level.
DROP TABLE tiles;
CREATE TABLE tiles (
    level  INTEGER NOT NULL,
    number INTEGER NOT NULL,
    root   BLOB NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, number)
);

-- The time of the newest event that does not tell of another system's past: no later one may lie before it.
ALTER TABLE log_state ADD COLUMN at INTEGER NOT NULL DEFAULT 0;

-- Signed checkpoints of this log, one for a size.
CREATE TABLE checkpoints (
    size INTEGER PRIMARY KEY,
    at   INTEGER NOT NULL,
    note TEXT NOT NULL
);
