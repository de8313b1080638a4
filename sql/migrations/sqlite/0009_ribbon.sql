-- A card as it was at any moment: since when records point to others, and which did so once.

-- The rows are made anew from the log.
DELETE FROM record_links;
ALTER TABLE record_links ADD COLUMN since INTEGER NOT NULL DEFAULT 0;

-- Computed from the log: links that ended, from `since` to before `until`. Read by what was pointed to.
CREATE TABLE record_links_past (
    to_module   INTEGER NOT NULL,
    to_record   INTEGER NOT NULL,
    from_module INTEGER NOT NULL,
    from_record INTEGER NOT NULL,
    field       TEXT NOT NULL,
    until       INTEGER NOT NULL,
    since       INTEGER NOT NULL,
    PRIMARY KEY (to_module, to_record, from_module, from_record, field, until)
) WITHOUT ROWID;

DELETE FROM state WHERE name = 'layout';
