-- The tables that are not made from modules/*.json. First the log: the database of record. They belong to the role that
-- ran this; the application has another one, with the rights of sql/rights.sql. Texts compare by their bytes.

-- Whether a gate of the seam is open (store/store_postgres.c): 1 to append, 2 to erase, 8 to make computed things anew.
CREATE FUNCTION gate_open(gate integer) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CAST(coalesce(nullif(current_setting('cronista.gates', true), ''), '0') AS integer) & gate <> 0
$$;

-- Event heads, RFC 8785 bytes, by their place in the log: 0, 1, 2 ... without a gap.
CREATE TABLE events (
    position BIGINT PRIMARY KEY,
    head     BYTEA NOT NULL
);

-- What the heads' digests speak of. Secret is NULL once something of it was erased, and only then.
CREATE TABLE payloads (
    position BIGINT PRIMARY KEY,
    secret   BYTEA,
    body     BYTEA NOT NULL
);

-- Full tiles of 256 hashes (C2SP tlog-tiles): computed from the heads, each with its root.
CREATE TABLE tiles (
    level  BIGINT NOT NULL,
    number BIGINT NOT NULL,
    root   BYTEA NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (level, number)
);

-- Tree size and root as of the last commit, and the time of the newest event that does not tell of another system's past.
CREATE TABLE log_state (
    id   BIGINT PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    at   BIGINT NOT NULL DEFAULT 0
);

-- The functions have the search path of now: what a session says of its own does not lead them elsewhere.
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION '%: append-only', TG_TABLE_NAME;
END $$;

CREATE FUNCTION through_the_gate() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF gate_open(CAST(TG_ARGV[0] AS integer)) IS NOT TRUE THEN
        RAISE EXCEPTION '%: the log''s door is closed', TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION in_order() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.position IS DISTINCT FROM (SELECT coalesce(max(position) + 1, 0) FROM events) THEN
        RAISE EXCEPTION 'events: positions follow each other';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION only_erased() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.secret IS NOT NULL OR NEW.position IS DISTINCT FROM OLD.position THEN
        RAISE EXCEPTION 'payloads: append-only';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER events_in_order BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION in_order();
CREATE TRIGGER events_gate BEFORE INSERT ON events EXECUTE FUNCTION through_the_gate('1');
CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON events EXECUTE FUNCTION append_only();

CREATE TRIGGER payloads_only_erased BEFORE UPDATE ON payloads FOR EACH ROW EXECUTE FUNCTION only_erased();
CREATE TRIGGER payloads_gate BEFORE INSERT ON payloads EXECUTE FUNCTION through_the_gate('1');
CREATE TRIGGER payloads_erasing BEFORE UPDATE ON payloads EXECUTE FUNCTION through_the_gate('2');
CREATE TRIGGER payloads_stay BEFORE DELETE OR TRUNCATE ON payloads EXECUTE FUNCTION append_only();

CREATE TRIGGER tiles_gate BEFORE INSERT ON tiles EXECUTE FUNCTION through_the_gate('1');
CREATE TRIGGER tiles_anew BEFORE UPDATE OR DELETE OR TRUNCATE ON tiles EXECUTE FUNCTION through_the_gate('8');

CREATE TRIGGER log_state_gate BEFORE INSERT OR UPDATE ON log_state EXECUTE FUNCTION through_the_gate('1');
CREATE TRIGGER log_state_anew BEFORE DELETE OR TRUNCATE ON log_state EXECUTE FUNCTION through_the_gate('8');

-- Also when changes come from replication, which runs no ordinary trigger.
ALTER TABLE events ENABLE ALWAYS TRIGGER events_in_order;
ALTER TABLE events ENABLE ALWAYS TRIGGER events_stay;
ALTER TABLE payloads ENABLE ALWAYS TRIGGER payloads_only_erased;
ALTER TABLE payloads ENABLE ALWAYS TRIGGER payloads_stay;

-- Signed checkpoints of this log, one for a size.
CREATE TABLE checkpoints (
    size BIGINT PRIMARY KEY,
    at   BIGINT NOT NULL,
    note TEXT COLLATE "C" NOT NULL
);

-- Computed from the log; thrown away and made again by a rebuild.

-- The heads as columns, numbers for names (channels, kinds, modules), for the questions people ask.
CREATE TABLE log (
    position  BIGINT PRIMARY KEY,
    at        BIGINT NOT NULL,
    actor     BIGINT NOT NULL,
    module    BIGINT NOT NULL,
    record    BIGINT NOT NULL,
    kind      BIGINT NOT NULL,
    operation BIGINT NOT NULL,
    channel   BIGINT NOT NULL
);
CREATE INDEX log_by_actor ON log (actor);
CREATE INDEX log_by_operation ON log (operation);
CREATE INDEX log_by_record ON log (module, record);
CREATE INDEX log_by_module ON log (module, position); -- else the newest event of a module is looked for backwards in all of the log

-- Which events a card shows: its own and those of what belongs to it.
CREATE TABLE timeline (
    card_module BIGINT NOT NULL,
    card        BIGINT NOT NULL,
    position    BIGINT NOT NULL,
    module      BIGINT NOT NULL,
    kind        BIGINT NOT NULL,
    PRIMARY KEY (card_module, card, position)
);

CREATE TABLE record_links (
    from_module BIGINT NOT NULL,
    from_record BIGINT NOT NULL,
    field       TEXT COLLATE "C" NOT NULL,
    to_module   BIGINT NOT NULL,
    to_record   BIGINT NOT NULL,
    PRIMARY KEY (from_module, from_record, field, to_module, to_record)
);
CREATE INDEX record_links_back ON record_links (to_module, to_record);

-- What the derived tables were made for ("layout"), and the like.
CREATE TABLE state (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

-- Private: neither in the log nor computed from it. Hashes, never what they are made from; times in microseconds.

CREATE TABLE credentials (
    "user"     BIGINT PRIMARY KEY,
    hash       TEXT COLLATE "C" NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    id         BYTEA PRIMARY KEY,
    "user"     BIGINT NOT NULL,
    csrf       TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    device     TEXT COLLATE "C" NOT NULL
);
CREATE INDEX sessions_by_user ON sessions ("user");

CREATE TABLE api_keys (
    hash       BYTEA PRIMARY KEY,
    "user"     BIGINT NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    seen_at    BIGINT
);
CREATE INDEX api_keys_by_user ON api_keys ("user");

-- Requests that carried a key of their own and were done: asked for again, each is answered and not done twice. Put away
-- after a day.
CREATE TABLE requests (
    id      BYTEA PRIMARY KEY,
    digest  BYTEA NOT NULL,
    result  BIGINT NOT NULL,
    done_at BIGINT NOT NULL
);
CREATE INDEX requests_by_time ON requests (done_at);

-- Files of the installation (store/files.h) in pieces: uploads, the key that signs checkpoints. Each node has those it
-- needed in its directory, too.
CREATE TABLE files (
    name  TEXT COLLATE "C" NOT NULL,
    part  BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (name, part)
);

-- The index of texts, made from the records. Up to which position of the log it has read (the next one to read).
CREATE TABLE search_state (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    position BIGINT NOT NULL
);
INSERT INTO search_state VALUES (1, 0);

-- A record's folded texts; the id is (module number << 40) + that of the record.
CREATE TABLE search_text (
    id   BIGINT PRIMARY KEY,
    body TEXT COLLATE "C" NOT NULL
);

-- The extension is there once for all schemas of a database, wherever it was put first. Two may want to make it at once.
DO $$
BEGIN
    PERFORM pg_advisory_xact_lock(1131573102, 0);
    IF to_regnamespace('public') IS NULL THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
    ELSE
        CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
    END IF;
    EXECUTE format('CREATE INDEX search_text_parts ON search_text USING gin (body %I.gin_trgm_ops)',
        (SELECT n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
         WHERE x.extname = 'pg_trgm'));
END $$;
