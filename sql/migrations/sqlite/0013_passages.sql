-- Computed from the log: the values that a record had one after the other in a field that says where it stands: who is in charge
-- of it, which group, its phase, its status, any value of a list. Of a link the id, of a list the word; both NULL: none.
CREATE TABLE passages (
    module   INTEGER NOT NULL,
    field    TEXT NOT NULL,
    record   INTEGER NOT NULL,
    position INTEGER NOT NULL, -- of the event that brought the value
    at       INTEGER NOT NULL, -- its time
    value    INTEGER,
    word     TEXT,
    PRIMARY KEY (module, field, record, position)
) WITHOUT ROWID;

-- The derived tables are behind the log now.
DELETE FROM state WHERE name = 'layout';
