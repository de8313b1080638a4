// The handlers of the table in routes.c, by file. Each finds its request checked and answers it.
#ifndef CRONISTA_WEB_HANDLERS_H
#define CRONISTA_WEB_HANDLERS_H

#include "web/request.h"

// system.c
void handle_healthz(struct request *);
void handle_readyz(struct request *);
void handle_metrics(struct request *);
void handle_static(struct request *);
void handle_openapi(struct request *);

// home.c
void handle_home(struct request *);
void handle_search(struct request *);
void handle_lookup(struct request *);
void handle_keys_page(struct request *);

// list.c
void list_ahead(struct request *);
void handle_list(struct request *);
void handle_view_save(struct request *);
void handle_view_delete(struct request *);

// bulk.c
void handle_bulk(struct request *);

// card.c
void card_ahead(struct request *);
void handle_card(struct request *);
void handle_history(struct request *);
void handle_ribbon(struct request *);
void handle_difference(struct request *);
void handle_note(struct request *); // note.c
void handle_story_keep(struct request *);
void handle_delete_page(struct request *);
void handle_delete(struct request *);
void handle_restore(struct request *);

// activities.c
void handle_activities(struct request *);

// activity.c
void handle_close(struct request *);
void handle_reopen(struct request *);

// reminders.c
void handle_reminders(struct request *);
void handle_reminder_dismiss(struct request *);
void handle_reminder_snooze(struct request *);

// activity_rules.c
void handle_activity_rules(struct request *);
void handle_activity_rules_change(struct request *);

// anonymise.c
void handle_anonymise_page(struct request *);
void handle_anonymise(struct request *);
void handle_certificate(struct request *);

// parts.c
void handle_steps(struct request *);
void handle_step(struct request *);
void handle_lines(struct request *);
void handle_lines_save(struct request *);

// consents.c, consent_page.c
void handle_consents(struct request *);
void handle_consent(struct request *);
void handle_consents_share(struct request *);
void handle_consents_unshare(struct request *);
void handle_consent_page(struct request *);
void handle_consent_choice(struct request *);

// comment.c
void handle_comment(struct request *);
void handle_comment_delete(struct request *);
void handle_comment_people(struct request *);

// form.c
void handle_new_page(struct request *);
void handle_edit_page(struct request *);
void handle_create(struct request *);
void handle_change(struct request *);

// log.c
void handle_log(struct request *);
void handle_log_view_save(struct request *);
void handle_operation(struct request *);
void handle_event(struct request *);
void handle_receipt(struct request *);
void handle_checkpoint(struct request *);
void handle_proof(struct request *);
void handle_tile(struct request *);
void handle_feed(struct request *);

// undo.c
void handle_undo_page(struct request *);
void handle_undo(struct request *);

// hand_over.c
void handle_hand_over_page(struct request *);
void handle_hand_over(struct request *);
void handle_activate(struct request *);

// invitation.c
void handle_invitation(struct request *);
void handle_invitation_make(struct request *);
void handle_invitation_end(struct request *);
void handle_invited_page(struct request *);
void handle_invited(struct request *);

// notifications.c
void handle_notifications(struct request *);
void handle_notifications_read(struct request *);

// settings.c
void handle_settings(struct request *);
void handle_settings_change(struct request *);
void handle_password(struct request *);
void handle_key_add(struct request *);
void handle_key_revoke(struct request *);
void handle_session_end(struct request *);
void handle_sessions_end(struct request *);
void handle_user_sign_out(struct request *);
void handle_user_sign_out_page(struct request *);
void handle_user_password(struct request *);
void handle_user_password_page(struct request *);

// settings_provider.c
void handle_identity_end(struct request *);
void handle_user_identities(struct request *);
void handle_user_identity_end(struct request *);

// second_factor.c
void handle_factor(struct request *);
void handle_factor_begin(struct request *);
void handle_factor_confirm(struct request *);
void handle_factor_codes(struct request *);
void handle_factor_off(struct request *);
void handle_factor_reset(struct request *);
void handle_factor_reset_page(struct request *);

// security.c
void handle_security(struct request *);

// sign_in_rules.c
void handle_sign_in_rules(struct request *);
void handle_sign_in_rules_change(struct request *);

// design.c
void handle_reach(struct request *);
void handle_journeys(struct request *);
void handle_journey_records(struct request *);
void handle_journey_stays(struct request *);
void handle_journey(struct request *);
void handle_export_journeys(struct request *);
void handle_shares(struct request *);
void handle_share(struct request *);
void handle_share_end(struct request *);
void handle_modules(struct request *);
void handle_module(struct request *);
void handle_module_arrange(struct request *);
void handle_field_new(struct request *);
void handle_field_add(struct request *);
void handle_field(struct request *);
void handle_field_change(struct request *);

// export.c
void handle_export(struct request *);
void handle_export_log(struct request *);
void handle_export_history(struct request *);

// import.c
void handle_import_page(struct request *);
void handle_import_sample(struct request *);
void handle_import_upload(struct request *);
void handle_import_map(struct request *);
void handle_import(struct request *);
void handle_import_state(struct request *);
void handle_import_trial(struct request *);
void handle_import_refused(struct request *);
void handle_import_continue(struct request *);
void handle_import_stop(struct request *);

// files.c
void handle_file_keep(struct request *);

// documents.c
void handle_file_get(struct request *);
void handle_document(struct request *);
void handle_document_erase_page(struct request *);
void handle_document_erase(struct request *);

// uploads.c
void handle_uploads(struct request *);
void handle_upload_begin(struct request *);
void handle_upload(struct request *);
void handle_upload_append(struct request *);
void handle_upload_drop(struct request *);

// live.c
void handle_live(struct request *);

#endif
