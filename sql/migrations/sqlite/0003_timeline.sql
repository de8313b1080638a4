-- What an event is about and of what kind stands in the story too: a card filters and counts its story without a look
-- into the log for each event.
CREATE TABLE timeline_with_kinds (
    card_module INTEGER NOT NULL,
    card        INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    module      INTEGER NOT NULL,
    kind        INTEGER NOT NULL,
    PRIMARY KEY (card_module, card, position)
) WITHOUT ROWID;
INSERT INTO timeline_with_kinds
SELECT t.card_module, t.card, t.position, l.module, l.kind FROM timeline t JOIN log l ON l.position = t.position
ORDER BY t.card_module, t.card, t.position;
DROP TABLE timeline;
ALTER TABLE timeline_with_kinds RENAME TO timeline;
