-- Links by which users who were invited choose a password (actions/invitation.h). Private, and without the tokens themselves.
CREATE TABLE invitations (
    id         BYTEA PRIMARY KEY, -- SHA-256 of the token
    "user"     BIGINT NOT NULL UNIQUE,
    made_by    BIGINT NOT NULL,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX invitations_over ON invitations (expires_at);
