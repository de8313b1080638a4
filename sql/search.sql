-- search.db: the index of texts and the marks of the log, made anew whenever this file changes.

-- Up to which position of the log it has read (the next one to read), and how often something was erased that may still
-- lie in the file.
CREATE TABLE search_state (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL,
    forgets  INTEGER NOT NULL
);
INSERT INTO search_state VALUES (1, 0, 0);

-- A record's folded texts; the row number is (module number << 40) + id.
CREATE VIRTUAL TABLE search_text USING fts5 (body, tokenize = 'trigram');

-- Sets of positions of the log, 65,536 in a chunk (records/marks.h): made from the log.

-- Up to which position they go (the next one to read), and the head before it, by which another log is known.
CREATE TABLE marks_state (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL,
    head     BLOB NOT NULL
);
INSERT INTO marks_state VALUES (1, 0, x'');

CREATE TABLE marks (
    key   TEXT NOT NULL,
    chunk INTEGER NOT NULL,
    n     INTEGER NOT NULL,
    bits  BLOB NOT NULL,
    PRIMARY KEY (key, chunk)
) WITHOUT ROWID;

-- In how many events each key is.
CREATE TABLE marks_keys (
    key TEXT PRIMARY KEY,
    n   INTEGER NOT NULL
) WITHOUT ROWID;

-- By days since 1970 in UTC, and what times a chunk has.
CREATE TABLE marks_days (
    chunk INTEGER NOT NULL,
    day   INTEGER NOT NULL,
    bits  BLOB NOT NULL,
    PRIMARY KEY (chunk, day)
) WITHOUT ROWID;
CREATE TABLE marks_chunks (
    chunk     INTEGER PRIMARY KEY,
    first_at  INTEGER NOT NULL,
    last_at   INTEGER NOT NULL,
    ascending INTEGER NOT NULL
);
