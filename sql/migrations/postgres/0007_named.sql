-- Links by which a customer may change the consents of one contact or lead, without signing in. Private, and without the
-- tokens themselves. position: of the event that tells of the link, by which people know it.
CREATE TABLE consent_links (
    id         BYTEA PRIMARY KEY, -- SHA-256 of the token
    position   BIGINT NOT NULL,
    module     BIGINT NOT NULL,
    record     BIGINT NOT NULL,
    "user"     BIGINT NOT NULL, -- who made it
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    opened_at  BIGINT, -- NULL: not yet
    ended_at   BIGINT  -- NULL: it is good until it expires
);
CREATE INDEX consent_links_of ON consent_links (module, record);
CREATE INDEX consent_links_open ON consent_links (expires_at) WHERE ended_at IS NULL;
