-- The story by what its events are about, who is told of what, and what people keep for themselves.

-- `about` has a bit for each thing a story is filtered by (records/story.h). There are few combinations of them on a card,
-- and each is read by itself, so the few comments among a hundred thousand events are found as fast as the newest events.
-- The rows are made anew from the log.
DELETE FROM timeline;
ALTER TABLE timeline ADD COLUMN about INTEGER NOT NULL DEFAULT 0;
CREATE INDEX timeline_by_about ON timeline (card_module, card, about, position);

-- Computed from the log: who is told of which event, about which record.
CREATE TABLE notifications (
    "user"   INTEGER NOT NULL,
    position INTEGER NOT NULL,
    module   INTEGER NOT NULL,
    record   INTEGER NOT NULL,
    PRIMARY KEY ("user", position)
) WITHOUT ROWID;
CREATE INDEX notifications_by_position ON notifications (position);

-- Private. A person has read all notifications up to a position, and of the later ones some.
CREATE TABLE notifications_read_to (
    "user"   INTEGER PRIMARY KEY,
    position INTEGER NOT NULL
);
CREATE TABLE notifications_read (
    "user"   INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY ("user", position)
) WITHOUT ROWID;

-- Private: how somebody likes to see things, by a name that the program gives it.
CREATE TABLE preferences (
    "user" INTEGER NOT NULL,
    name   TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY ("user", name)
) WITHOUT ROWID;

-- The derived tables are behind the log now.
DELETE FROM state WHERE name = 'layout';
