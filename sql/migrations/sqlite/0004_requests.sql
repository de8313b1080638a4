-- Requests that carried a key of their own and were done: asked for again, each is answered and not done twice. Private;
-- put away after a day.
CREATE TABLE requests (
    id      BLOB PRIMARY KEY,
    digest  BLOB NOT NULL,
    result  INTEGER NOT NULL,
    done_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX requests_by_time ON requests (done_at);
