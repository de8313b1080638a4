-- The story by what its events are about, who is told of what, and what people keep for themselves.

-- `about` has a bit for each thing a story is filtered by (records/story.h). There are few combinations of them on a card,
-- and each is read by itself, so the few comments among a hundred thousand events are found as fast as the newest events.
-- The rows are made anew from the log.
DELETE FROM timeline;
ALTER TABLE timeline ADD COLUMN about BIGINT NOT NULL DEFAULT 0;
CREATE INDEX timeline_by_about ON timeline (card_module, card, about, position);

-- Computed from the log: who is told of which event, about which record.
CREATE TABLE notifications (
    "user"   BIGINT NOT NULL,
    position BIGINT NOT NULL,
    module   BIGINT NOT NULL,
    record   BIGINT NOT NULL,
    PRIMARY KEY ("user", position)
);
CREATE INDEX notifications_by_position ON notifications (position);

-- Private. A person has read all notifications up to a position, and of the later ones some.
CREATE TABLE notifications_read_to (
    "user"   BIGINT PRIMARY KEY,
    position BIGINT NOT NULL
);
CREATE TABLE notifications_read (
    "user"   BIGINT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY ("user", position)
);

-- Private: how somebody likes to see things, by a name that the program gives it.
CREATE TABLE preferences (
    "user" BIGINT NOT NULL,
    name   TEXT COLLATE "C" NOT NULL,
    value  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY ("user", name)
);

-- The derived tables are behind the log now.
DELETE FROM state WHERE name = 'layout';
