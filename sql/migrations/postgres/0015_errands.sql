-- Long work that somebody asked for and that goes on by itself, slice by slice (actions/errand.h): how far it is, so that it
-- goes on after a stop. Private: what it does stands in the log. Numbers for kinds and states as in errand.h; times in
-- microseconds.
CREATE TABLE errands (
    id        BIGINT PRIMARY KEY,
    kind      BIGINT NOT NULL,
    subject   BIGINT NOT NULL, -- a user, or an operation
    "user"    BIGINT NOT NULL, -- who asked for it
    channel   BIGINT NOT NULL,
    operation BIGINT NOT NULL, -- of its events; -1: there are none yet
    state     BIGINT NOT NULL,
    what      TEXT COLLATE "C" NOT NULL,    -- JSON
    progress  TEXT COLLATE "C" NOT NULL,    -- JSON
    node      TEXT COLLATE "C" NOT NULL,    -- who does it
    began_at  BIGINT NOT NULL,
    seen_at   BIGINT NOT NULL
);
CREATE INDEX errands_of ON errands (kind, subject);
CREATE INDEX errands_by_operation ON errands (operation);
CREATE INDEX errands_running ON errands (seen_at) WHERE state = 1;
