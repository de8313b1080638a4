-- How far a key reaches within what its owner may: 1 reads, 2 also writes, 3 also administers, as the keys there are do. And in which
-- modules: their keys with blanks between; NULL: in all.
ALTER TABLE api_keys ADD COLUMN scope BIGINT NOT NULL DEFAULT 3;
ALTER TABLE api_keys ADD COLUMN modules TEXT;
