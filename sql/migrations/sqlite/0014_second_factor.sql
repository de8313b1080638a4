-- Private. The secret that a user's program for one-time codes has, too: it can't be kept as a hash. last_step is that of the newest
-- code that was taken: none is good twice. Without confirmed_at it is only being set up.
CREATE TABLE second_factors (
    "user"       INTEGER PRIMARY KEY,
    secret       BLOB NOT NULL,
    made_at      INTEGER NOT NULL,
    confirmed_at INTEGER,
    last_step    INTEGER NOT NULL
);
-- SHA-256 of codes of 80 random bits, each good for once.
CREATE TABLE recovery_codes (
    "user" INTEGER NOT NULL,
    hash   BLOB NOT NULL,
    PRIMARY KEY ("user", hash)
) WITHOUT ROWID;
-- Sign-ins that wait for the second factor: SHA-256 of the token in the browser's cookie.
CREATE TABLE sign_in_steps (
    id         BLOB PRIMARY KEY,
    "user"     INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
