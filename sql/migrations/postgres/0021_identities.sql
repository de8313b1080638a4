-- Private. Who of a provider's people (its subject) a user is (actions/identity.h), since when, and when they last came so.
CREATE TABLE identities (
    issuer   TEXT COLLATE "C" NOT NULL,
    subject  TEXT COLLATE "C" NOT NULL,
    "user"   BIGINT NOT NULL,
    bound_at BIGINT NOT NULL,
    seen_at  BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject),
    UNIQUE ("user", issuer)
);
-- Answers of a provider that were taken: SHA-256 of what they answer. None is taken twice, on whatever node.
CREATE TABLE identity_answers (
    id         BYTEA PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
-- By which provider's word a session was opened, or will be after a second factor. NULL: by a password.
ALTER TABLE sessions ADD COLUMN issuer TEXT;
ALTER TABLE sign_in_steps ADD COLUMN issuer TEXT;
