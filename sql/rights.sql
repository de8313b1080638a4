-- What the application's role may do in a schema of PostgreSQL; run by the owner after each migration, with the role's
-- name in the setting cronista.application. It adds to the log and to what is computed from heads, erases payloads, and
-- changes what can be made again; it makes the modules' tables itself.
DO $$
DECLARE
    app text := quote_ident(current_setting('cronista.application'));
    here text := quote_ident(CAST(current_schema() AS text));
BEGIN
    EXECUTE pg_catalog.format('GRANT USAGE, CREATE ON SCHEMA %s TO %s', here, app);
    EXECUTE pg_catalog.format('GRANT SELECT ON migrations TO %s', app);
    EXECUTE pg_catalog.format('GRANT SELECT, INSERT ON events TO %s', app);
    EXECUTE pg_catalog.format('GRANT SELECT, INSERT, UPDATE (secret, body) ON payloads TO %s', app);
    EXECUTE pg_catalog.format('GRANT SELECT, INSERT, DELETE ON tiles TO %s', app);
    EXECUTE pg_catalog.format('GRANT SELECT, INSERT, UPDATE ON log_state, checkpoints TO %s', app);
    EXECUTE pg_catalog.format('GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON log, timeline, record_links, record_links_past, role_reach, ranks_at, passages, file_uses, state,'
        ' credentials, sessions, api_keys, requests, reminders, consent_links, invitations, errands, uploads, files, files_gone, files_brought, attempts, search_state, search_text, notifications,'
        ' notifications_read_to, notifications_read, preferences, marks_state, marks, marks_keys, marks_days, marks_chunks TO %s', app);
    EXECUTE pg_catalog.format('GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON second_factors, recovery_codes, sign_in_steps, identities, identity_answers TO %s', app);
END $$;
