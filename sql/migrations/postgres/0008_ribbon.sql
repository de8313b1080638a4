-- A card as it was at any moment: since when records point to others, and which did so once.

-- The rows are made anew from the log.
DELETE FROM record_links;
ALTER TABLE record_links ADD COLUMN since BIGINT NOT NULL DEFAULT 0;

-- Computed from the log: links that ended, from `since` to before `until`. Read by what was pointed to.
CREATE TABLE record_links_past (
    to_module   BIGINT NOT NULL,
    to_record   BIGINT NOT NULL,
    from_module BIGINT NOT NULL,
    from_record BIGINT NOT NULL,
    field       TEXT COLLATE "C" NOT NULL,
    until       BIGINT NOT NULL,
    since       BIGINT NOT NULL,
    PRIMARY KEY (to_module, to_record, from_module, from_record, field, until)
);

DELETE FROM state WHERE name = 'layout';
