-- How often something was erased since the index last let go of what it had dropped; PostgreSQL lets go of it by itself (VACUUM),
-- so this is back at 0 at once.
ALTER TABLE search_state ADD COLUMN forgets BIGINT NOT NULL DEFAULT 0;
