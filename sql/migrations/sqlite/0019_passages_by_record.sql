-- Where records stood, a record in one piece: a row for up to so many events of it, with what each of them brought (passages.h).
DROP TABLE passages;

CREATE TABLE passages (
    module INTEGER NOT NULL,
    record INTEGER NOT NULL,
    first  INTEGER NOT NULL, -- the position of its first event
    events INTEGER NOT NULL, -- how many there are in it
    steps  TEXT NOT NULL,
    PRIMARY KEY (module, record, first)
) WITHOUT ROWID;

-- The derived tables are behind the log now.
DELETE FROM state WHERE name = 'layout';
