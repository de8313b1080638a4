-- Private. The secret that a user's program for one-time codes has, too: it can't be kept as a hash. last_step is that of the newest
-- code that was taken: none is good twice. Without confirmed_at it is only being set up.
CREATE TABLE second_factors (
    "user"       BIGINT PRIMARY KEY,
    secret       BYTEA NOT NULL,
    made_at      BIGINT NOT NULL,
    confirmed_at BIGINT,
    last_step    BIGINT NOT NULL
);
-- SHA-256 of codes of 80 random bits, each good for once.
CREATE TABLE recovery_codes (
    "user" BIGINT NOT NULL,
    hash   BYTEA NOT NULL,
    PRIMARY KEY ("user", hash)
);
-- Sign-ins that wait for the second factor: SHA-256 of the token in the browser's cookie.
CREATE TABLE sign_in_steps (
    id         BYTEA PRIMARY KEY,
    "user"     BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
