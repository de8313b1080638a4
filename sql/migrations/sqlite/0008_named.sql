-- Links by which a customer may change the consents of one contact or lead, without signing in. Private, and without the
-- tokens themselves. position: of the event that tells of the link, by which people know it.
CREATE TABLE consent_links (
    id         BLOB PRIMARY KEY, -- SHA-256 of the token
    position   INTEGER NOT NULL,
    module     INTEGER NOT NULL,
    record     INTEGER NOT NULL,
    "user"     INTEGER NOT NULL, -- who made it
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    opened_at  INTEGER, -- NULL: not yet
    ended_at   INTEGER  -- NULL: it is good until it expires
) WITHOUT ROWID;
CREATE INDEX consent_links_of ON consent_links (module, record);
CREATE INDEX consent_links_open ON consent_links (expires_at) WHERE ended_at IS NULL;
