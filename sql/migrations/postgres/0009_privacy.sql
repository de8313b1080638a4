-- Who brought which bytes: they may put them into a record, as may whoever sees a record that has them; to know their digest is
-- not enough. Private, for a month.
CREATE TABLE files_brought (
    "user" BIGINT NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY ("user", digest)
);
CREATE INDEX files_brought_at ON files_brought (at);
CREATE INDEX files_brought_digest ON files_brought (digest);
