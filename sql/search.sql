-- search.db: the index of texts, made from the records and thrown away whenever this file changes.

-- Up to which position of the log it has read (the next one to read).
CREATE TABLE search_state (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL
);
INSERT INTO search_state VALUES (1, 0);

-- A record's folded texts; the row number is (module number << 40) + id.
CREATE VIRTUAL TABLE search_text USING fts5 (body, tokenize = 'trigram');
