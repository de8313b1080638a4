-- Positions follow each other: looked at once for all rows of a statement. Row by row only where changes come from
-- replication, which runs no trigger of statements.

CREATE FUNCTION in_order_all() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    first_added BIGINT;
    last_added  BIGINT;
    n           BIGINT;
BEGIN
    SELECT min(position), max(position), count(*) INTO first_added, last_added, n FROM added;
    IF n > 0 AND (last_added - first_added + 1 <> n
        OR first_added <> (SELECT coalesce(max(position) + 1, 0) FROM events WHERE position < first_added)
        OR last_added <> (SELECT max(position) FROM events)) THEN
        RAISE EXCEPTION 'events: positions follow each other';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER events_in_order_all AFTER INSERT ON events REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION in_order_all();
ALTER TABLE events ENABLE REPLICA TRIGGER events_in_order;
