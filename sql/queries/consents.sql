-- Links for customers to their consents: private, outside the log, which tells what happened with them.

-- name: consent_link_insert
INSERT INTO consent_links (id, position, module, record, "user", made_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- One that is good.
-- name: consent_link_get
SELECT position, module, record, "user", opened_at, expires_at FROM consent_links
WHERE id = $1 AND ended_at IS NULL AND expires_at > $2;

-- Those of a record that are good, the newest first.
-- name: consent_links_of
SELECT position, "user", made_at, expires_at, opened_at FROM consent_links
WHERE module = $1 AND record = $2 AND ended_at IS NULL AND expires_at > $3 ORDER BY position DESC LIMIT 50;

-- name: consent_link_opened
UPDATE consent_links SET opened_at = $2 WHERE position = $1 AND opened_at IS NULL;

-- name: consent_link_end
UPDATE consent_links SET ended_at = $2 WHERE position = $1 AND ended_at IS NULL;

-- Those that ran out and nobody has told of.
-- name: consent_links_over
SELECT position, module, record, "user" FROM consent_links WHERE ended_at IS NULL AND expires_at <= $1
ORDER BY expires_at LIMIT 100;
