-- Who brought which bytes: they may put them into a record, as may whoever sees a record that has them; to know their digest is
-- not enough. Private, for a month.
CREATE TABLE files_brought (
    "user" INTEGER NOT NULL,
    digest TEXT NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY ("user", digest)
) WITHOUT ROWID;
CREATE INDEX files_brought_at ON files_brought (at);
CREATE INDEX files_brought_digest ON files_brought (digest);
