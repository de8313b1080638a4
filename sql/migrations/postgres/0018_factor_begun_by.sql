-- Whose session or key began to set a second factor up (its SHA-256): no other may see or confirm what waits. NULL: nobody may any more.
ALTER TABLE second_factors ADD COLUMN begun_by bytea;
