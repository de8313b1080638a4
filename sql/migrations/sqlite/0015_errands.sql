-- Long work that somebody asked for and that goes on by itself, slice by slice (actions/errand.h): how far it is, so that it
-- goes on after a stop. Private: what it does stands in the log. Numbers for kinds and states as in errand.h; times in
-- microseconds.
CREATE TABLE errands (
    id        INTEGER PRIMARY KEY,
    kind      INTEGER NOT NULL,
    subject   INTEGER NOT NULL, -- a user, or an operation
    "user"    INTEGER NOT NULL, -- who asked for it
    channel   INTEGER NOT NULL,
    operation INTEGER NOT NULL, -- of its events; -1: there are none yet
    state     INTEGER NOT NULL,
    what      TEXT NOT NULL,    -- JSON
    progress  TEXT NOT NULL,    -- JSON
    node      TEXT NOT NULL,    -- who does it
    began_at  INTEGER NOT NULL,
    seen_at   INTEGER NOT NULL
);
CREATE INDEX errands_of ON errands (kind, subject);
CREATE INDEX errands_by_operation ON errands (operation);
CREATE INDEX errands_running ON errands (seen_at) WHERE state = 1;
