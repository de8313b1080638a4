-- Links by which users who were invited choose a password (actions/invitation.h). Private, and without the tokens themselves.
CREATE TABLE invitations (
    id         BLOB PRIMARY KEY, -- SHA-256 of the token
    "user"     INTEGER NOT NULL UNIQUE,
    made_by    INTEGER NOT NULL,
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX invitations_over ON invitations (expires_at);
