-- Passwords, sessions, API keys: private, outside the log.

-- name: credential_get
SELECT hash FROM credentials WHERE "user" = $1;

-- name: credential_set
INSERT INTO credentials ("user", hash, changed_at) VALUES ($1, $2, $3)
ON CONFLICT ("user") DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at;

-- name: session_insert
INSERT INTO sessions (id, "user", csrf, created_at, seen_at, expires_at, device, issuer) VALUES ($1, $2, $3, $4, $4, $5, $6, $7);

-- name: session_issuer
SELECT issuer FROM sessions WHERE id = $1;

-- When its owner last confirmed that it is they, and whether they are one of this provider's people.
-- name: session_confirmed
SELECT confirmed_at, (SELECT count(*) FROM identities i WHERE i."user" = s."user" AND i.issuer = $3)
FROM sessions s WHERE id = $1 AND "user" = $2;

-- name: session_confirm
UPDATE sessions SET confirmed_at = $3 WHERE id = $1 AND "user" = $2;

-- name: sessions_delete_all
DELETE FROM sessions WHERE "user" = $1;

-- name: keys_delete_all
DELETE FROM api_keys WHERE "user" = $1;

-- name: session_seen
UPDATE sessions SET seen_at = $2 WHERE id = $1;

-- name: session_delete
DELETE FROM sessions WHERE id = $1;

-- Of a user, all but one.
-- name: sessions_delete_others
DELETE FROM sessions WHERE "user" = $1 AND id <> $2;

-- name: sessions_of_user
SELECT id, created_at, seen_at, device FROM sessions WHERE "user" = $1 AND expires_at > $2 AND seen_at > $3
ORDER BY seen_at DESC LIMIT 100;

-- name: sessions_expired
DELETE FROM sessions WHERE expires_at <= $1 OR seen_at <= $2;

-- The same session by another token.
-- name: session_renew
UPDATE sessions SET id = $2, csrf = $3 WHERE id = $1;

-- name: second_factor_get
SELECT secret, confirmed_at, last_step, (SELECT count(*) FROM recovery_codes r WHERE r."user" = s."user"), made_at, begun_by
FROM second_factors s WHERE "user" = $1;

-- What is in force already stays.
-- name: second_factor_begin
INSERT INTO second_factors ("user", secret, made_at, confirmed_at, last_step, begun_by) VALUES ($1, $2, $3, NULL, 0, $4)
ON CONFLICT ("user") DO UPDATE SET secret = excluded.secret, made_at = excluded.made_at, begun_by = excluded.begun_by
WHERE second_factors.confirmed_at IS NULL;

-- name: second_factor_confirm
UPDATE second_factors SET confirmed_at = $2, begun_by = NULL WHERE "user" = $1 AND confirmed_at IS NULL;

-- Of two that bring the same code at once, on whatever node, one finds no row.
-- name: second_factor_take
UPDATE second_factors SET last_step = $2 WHERE "user" = $1 AND last_step < $2;

-- name: second_factor_delete
DELETE FROM second_factors WHERE "user" = $1;

-- name: recovery_code_insert
INSERT INTO recovery_codes ("user", hash) VALUES ($1, $2);

-- name: recovery_code_take
DELETE FROM recovery_codes WHERE "user" = $1 AND hash = $2;

-- name: recovery_codes_delete
DELETE FROM recovery_codes WHERE "user" = $1;

-- name: sign_in_step_insert
INSERT INTO sign_in_steps (id, "user", expires_at, issuer, subject) VALUES ($1, $2, $3, $4, $5);

-- name: sign_in_step_get
SELECT "user", issuer, subject FROM sign_in_steps WHERE id = $1 AND expires_at > $2;

-- name: sign_in_step_take
DELETE FROM sign_in_steps WHERE id = $1 AND "user" = $2;

-- name: sign_in_steps_of_user
DELETE FROM sign_in_steps WHERE "user" = $1;

-- name: sign_in_steps_expired
DELETE FROM sign_in_steps WHERE expires_at <= $1;

-- Who a provider's people are here.

-- name: identity_find
SELECT "user" FROM identities WHERE issuer = $1 AND subject = $2;

-- name: identity_of_user
SELECT subject FROM identities WHERE "user" = $1 AND issuer = $2;

-- name: identities_of_user
SELECT issuer, subject, bound_at, seen_at FROM identities WHERE "user" = $1 ORDER BY bound_at, issuer LIMIT 100;

-- Of two that come at once, on whatever node, one finds no row.
-- name: identity_insert
INSERT INTO identities (issuer, subject, "user", bound_at, seen_at) VALUES ($1, $2, $3, $4, $4) ON CONFLICT DO NOTHING;

-- name: identity_seen
UPDATE identities SET seen_at = $3 WHERE issuer = $1 AND subject = $2;

-- name: identities_drop
DELETE FROM identities WHERE "user" = $1;

-- name: identity_answer_insert
INSERT INTO identity_answers (id, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: identity_answer_delete
DELETE FROM identity_answers WHERE id = $1;

-- name: identity_answers_over
DELETE FROM identity_answers WHERE expires_at <= $1;

-- name: key_insert
INSERT INTO api_keys (hash, "user", name, created_at, expires_at, seen_at, scope, modules)
VALUES ($1, $2, $3, $4, $5, NULL, $6, $7);

-- name: key_delete
DELETE FROM api_keys WHERE hash = $1 AND "user" = $2;

-- name: key_seen
UPDATE api_keys SET seen_at = $2 WHERE hash = $1;

-- name: keys_of_user
SELECT hash, name, created_at, expires_at, seen_at, scope, modules FROM api_keys WHERE "user" = $1 ORDER BY created_at DESC LIMIT 200;

-- Invitations: one of a user at most.

-- name: invitation_insert
INSERT INTO invitations (id, "user", made_by, made_at, expires_at) VALUES ($1, $2, $3, $4, $5);

-- name: invitation_drop
DELETE FROM invitations WHERE "user" = $1;

-- name: invitation_find
SELECT "user", made_by, expires_at FROM invitations WHERE id = $1 AND expires_at > $2;

-- name: invitation_of
SELECT "user", made_by, expires_at FROM invitations WHERE "user" = $1 AND expires_at > $2;

-- name: invitations_over
SELECT "user" FROM invitations WHERE expires_at <= $1 ORDER BY expires_at LIMIT 100;

-- Long work that is cut in slices.

-- name: errand_insert
INSERT INTO errands (id, kind, subject, "user", channel, operation, state, what, progress, node, began_at, seen_at)
VALUES ((SELECT coalesce(max(id), 0) + 1 FROM errands), $1, $2, $3, $4, -1, 1, $5, $6, $7, $8, $8);

-- name: errand_last
SELECT coalesce(max(id), 0) FROM errands;

-- name: errand_get
SELECT id, kind, subject, "user", channel, operation, state, what, progress, node, began_at, seen_at FROM errands WHERE id = $1;

-- name: errand_newest
SELECT id, kind, subject, "user", channel, operation, state, what, progress, node, began_at, seen_at FROM errands
WHERE kind = $1 AND subject = $2 ORDER BY id DESC LIMIT 1;

-- The one that changed something, or is about to.
-- name: errand_effective
SELECT id, kind, subject, "user", channel, operation, state, what, progress, node, began_at, seen_at FROM errands
WHERE kind = $1 AND subject = $2 AND (operation >= 0 OR state = 1) ORDER BY id DESC LIMIT 1;

-- name: errand_of_operation
SELECT id, kind, subject, "user", channel, operation, state, what, progress, node, began_at, seen_at FROM errands
WHERE operation = $1;

-- name: errand_save
UPDATE errands SET operation = $2, state = $3, progress = $4, node = $5, seen_at = $6 WHERE id = $1;

-- name: errands_left
SELECT id FROM errands WHERE state = 1 AND seen_at < $1 ORDER BY id LIMIT 100;

-- For live streams.

-- name: timeline_newest
SELECT coalesce(max(position), -1) FROM timeline WHERE card_module = $1 AND card = $2;

-- The same of many cards of a module at once.
-- name: timeline_newest_of (sqlite)
SELECT value, (SELECT coalesce(max(t.position), -1) FROM timeline t WHERE t.card_module = $1 AND t.card = value)
FROM each_id($2);

-- name: timeline_newest_of (postgres)
SELECT picked, (SELECT coalesce(max(t.position), -1) FROM timeline t WHERE t.card_module = $1 AND t.card = picked)
FROM unnest(CAST($2 AS bigint[])) AS picked;

-- name: preference_get
SELECT value FROM preferences WHERE "user" = $1 AND name = $2;

-- name: preference_set
INSERT INTO preferences ("user", name, value) VALUES ($1, $2, $3)
ON CONFLICT ("user", name) DO UPDATE SET value = excluded.value;

-- name: preference_drop
DELETE FROM preferences WHERE "user" = $1 AND name = $2;

-- name: log_after
SELECT position FROM log WHERE position > $1 ORDER BY position LIMIT $2;

-- What points to a record, newest first within a module.
-- name: links_back
SELECT from_module, from_record, field FROM record_links WHERE to_module = $1 AND to_record = $2
ORDER BY from_module, from_record DESC LIMIT $3;

-- Requests done once.

-- name: request_done
SELECT digest, result FROM requests WHERE id = $1;

-- name: request_told_again
UPDATE requests SET done_at = $2 WHERE id = $1;

-- name: request_keep
INSERT INTO requests (id, digest, result, done_at) VALUES ($1, $2, $3, $4);

-- name: requests_old
DELETE FROM requests WHERE done_at <= $1;

-- What people said of reminders.

-- name: reminder_answer
INSERT INTO reminders ("user", task, reminder, until, changed_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT ("user", task) DO UPDATE SET reminder = excluded.reminder, until = excluded.until, changed_at = excluded.changed_at;
