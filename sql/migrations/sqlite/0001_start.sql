-- The tables that are not made from modules/*.json. First the log: the database of record.

-- Event heads, RFC 8785 bytes, by their place in the log: 0, 1, 2 ... without a gap.
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    head     BLOB NOT NULL
);
CREATE TRIGGER events_in_order BEFORE INSERT ON events
WHEN new.position IS NOT (SELECT coalesce(max(position) + 1, 0) FROM events)
BEGIN
    SELECT raise(ABORT, 'events: positions follow each other');
END;
CREATE TRIGGER events_no_update BEFORE UPDATE ON events
BEGIN
    SELECT raise(ABORT, 'events: append-only');
END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events
BEGIN
    SELECT raise(ABORT, 'events: append-only');
END;

-- What the heads' digests speak of. Secret is NULL once something of it was erased, and only then.
CREATE TABLE payloads (
    position INTEGER PRIMARY KEY,
    secret   BLOB,
    body     BLOB NOT NULL
);
CREATE TRIGGER payloads_only_erased BEFORE UPDATE ON payloads
WHEN new.secret IS NOT NULL OR new.position IS NOT old.position
BEGIN
    SELECT raise(ABORT, 'payloads: append-only');
END;
CREATE TRIGGER payloads_no_delete BEFORE DELETE ON payloads
BEGIN
    SELECT raise(ABORT, 'payloads: append-only');
END;

-- Full tiles of 256 hashes (C2SP tlog-tiles): computed from the heads.
CREATE TABLE tiles (
    level  INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, number)
);

-- Tree size and root as of the last commit.
CREATE TABLE log_state (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL,
    root BLOB NOT NULL
);

-- Computed from the log; thrown away and made again by a rebuild.

-- The heads as columns, numbers for names (channels, kinds, modules), for the questions people ask.
CREATE TABLE log (
    position  INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    actor     INTEGER NOT NULL,
    module    INTEGER NOT NULL,
    record    INTEGER NOT NULL,
    kind      INTEGER NOT NULL,
    operation INTEGER NOT NULL,
    channel   INTEGER NOT NULL
);
CREATE INDEX log_by_actor ON log (actor);
CREATE INDEX log_by_operation ON log (operation);
CREATE INDEX log_by_record ON log (module, record);

-- Which events a card shows: its own and those of what belongs to it.
CREATE TABLE timeline (
    card_module INTEGER NOT NULL,
    card        INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    PRIMARY KEY (card_module, card, position)
) WITHOUT ROWID;

CREATE TABLE record_links (
    from_module INTEGER NOT NULL,
    from_record INTEGER NOT NULL,
    field       TEXT NOT NULL,
    to_module   INTEGER NOT NULL,
    to_record   INTEGER NOT NULL,
    PRIMARY KEY (from_module, from_record, field, to_module, to_record)
) WITHOUT ROWID;
CREATE INDEX record_links_back ON record_links (to_module, to_record);

-- Private: neither in the log nor computed from it. Hashes, never what they are made from; times in microseconds.

CREATE TABLE credentials (
    "user"     INTEGER PRIMARY KEY,
    hash       TEXT NOT NULL,
    changed_at INTEGER NOT NULL
);

CREATE TABLE sessions (
    id         BLOB PRIMARY KEY,
    "user"     INTEGER NOT NULL,
    csrf       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    device     TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions ("user");

CREATE TABLE api_keys (
    hash       BLOB PRIMARY KEY,
    "user"     INTEGER NOT NULL,
    name       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    seen_at    INTEGER
) WITHOUT ROWID;
CREATE INDEX api_keys_by_user ON api_keys ("user");

-- What the derived tables were made for ("layout"), and the like.
CREATE TABLE state (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
