-- Where records stood, a record in one piece: a row for up to so many events of it, with what each of them brought (passages.h).
DROP TABLE passages;

CREATE TABLE passages (
    module BIGINT NOT NULL,
    record BIGINT NOT NULL,
    first  BIGINT NOT NULL, -- the position of its first event
    events BIGINT NOT NULL, -- how many there are in it
    steps  TEXT NOT NULL,
    PRIMARY KEY (module, record, first)
) WITH (fillfactor = 80); -- a row grows with its record's next event

-- The derived tables are behind the log now.
DELETE FROM state WHERE name = 'layout';
