-- What people said of reminders they were shown: until when one is put off, or that it is not to come again. Private, one row
-- for a person and an activity. reminder: the moment it was about, in microseconds: for another one they are reminded anew.
CREATE TABLE reminders (
    "user"     BIGINT NOT NULL,
    task       BIGINT NOT NULL,
    reminder   BIGINT NOT NULL,
    until      BIGINT, -- NULL: for good
    changed_at BIGINT NOT NULL,
    PRIMARY KEY ("user", task)
);
CREATE INDEX reminders_until ON reminders (until);
CREATE INDEX reminders_changed ON reminders (changed_at);
