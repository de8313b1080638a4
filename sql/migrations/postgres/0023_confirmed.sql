-- When who has no password last showed that it is they, by a new sign-in at their provider (web/confirm.h). NULL: not in this session.
ALTER TABLE sessions ADD COLUMN confirmed_at BIGINT;
