-- Nodes keep events in memory. Whatever erases, a node of any version, a move, somebody by hand, tells them so in its own transaction.
CREATE FUNCTION note_erased() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO state (name, value) VALUES ('erased', CAST(pg_current_xact_id() AS TEXT))
    ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE state.value <> excluded.value;
    RETURN NULL;
END $$;
CREATE TRIGGER payloads_erased AFTER UPDATE ON payloads EXECUTE FUNCTION note_erased();
ALTER TABLE payloads ENABLE ALWAYS TRIGGER payloads_erased;
