// From the API's document to what a page shows of it (docs/pages.md): everything that depends on who reads, in which
// language and zone. Each present_X() makes the `view` of the template X.
#ifndef CRONISTA_WEB_PRESENT_H
#define CRONISTA_WEB_PRESENT_H

#include "web/format.h"
#include "web/request.h"

// ---------------------------------------------------------------- present.c: building blocks

// A run. `as` as docs/pages.md has it; href empty: none.
struct doc *run(struct request *, struct str text, const char *as, struct str href);
struct doc *run_outside(struct request *, struct str address); // leads to another site
struct doc *run_person(struct request *, int64_t user, struct str name);
struct doc *run_moment(struct request *, micros at);    // relative, kept true by scripts
struct doc *runs_of(struct request *, struct doc *run); // an array with one (or none: NULL)
// A translated message cut at {0} {1} {2}: those become the runs.
struct doc *sentence(struct request *, struct str message, struct doc *const *args, size_t n);
#define SENTENCE(r, message, ...)                                                                  \
    sentence((r), (message), (struct doc *const[]){__VA_ARGS__},                                   \
             sizeof((struct doc *const[]){__VA_ARGS__}) / sizeof(struct doc *))

// A value of a field, as the API's documents have it: links and users as {"id","name"} or, in histories, as ids with their names
// in `names` ({"companies/3": "Acme"}; may be NULL).
struct doc *value_runs(struct request *, const struct field *, const struct doc *value,
                       const struct doc *names);
// A document to the letter.
struct doc *run_json(struct request *, const struct doc *);
// A value of type json in a few words (present_data.c).
struct doc *data_run(struct request *, const struct field *, const struct doc *value);
// The year it is where the reader is: dates of this year are told without it.
int year_now(struct request *);
// The common columns described as fields: owner, created_at ... NULL for another key.
const struct field *common_column(struct str key);
// A field or a common column of the module that the viewer may read; NULL otherwise.
const struct field *readable(struct request *, const struct module *, struct str key);
struct str field_label(struct request *, const struct field *);
struct str choice_label(struct request *, const struct choice *);
bool is_number(const struct field *);

struct str href_of(struct request *, struct str module, int64_t id);
struct doc *module_document(struct request *, const struct module *);
struct doc *crumb(struct request *, struct doc *crumbs, struct str text, struct str href);
struct doc *crumbs_of(struct request *, const struct module *); // with the module's list
struct doc *empty_document(struct request *, const char *icon, struct str title,
                           struct str text); // actions: add to "actions"
struct doc *action(struct request *, struct doc *list, struct str label, struct str href,
                   const char *icon, bool primary);
struct doc *option(struct request *, struct doc *list, struct str key, struct str label,
                   bool selected);
struct doc *hidden(struct request *, struct doc *list, struct str name, struct str value);
// Text or null.
struct doc *or_null(struct request *, struct str);
// The name a record is shown by; "Cases 17" and the like when it has none.
struct str record_title(struct request *, const struct module *, const struct doc *record);
// "PQR-17" before a record of a module with a prefix; else empty.
struct str record_note(struct request *, const struct module *, const struct doc *record);

// A prefix and what of a label can be in a key, at most so many characters (design.c).
struct str key_from(struct request *, const char *prefix, struct str label, size_t most);

// ---------------------------------------------------------------- control.c

struct control_state {
    const struct doc *value;   // in normal form or as the API has it; used when `typed` is NULL
    const struct pairs *typed; // what was sent, when a form is shown again
    struct str problem;
    const struct doc *found; // link: candidates for what was typed
    bool stored;         // the value is a record's: sent back as it is shown it stays what it is
    struct str blank;    // what no value is called in a list; empty: a dash
    struct str blank_is; // or the key of the choice that no value means: it stands there once
};
struct doc *control(struct request *, const struct module *, const struct field *,
                    const struct control_state *);
// What stands in the box for a moment.
struct str control_moment(struct request *, micros);
// The controls of the group of a form with this title, which is made when there is none.
struct doc *form_group(struct request *, struct doc *groups, struct str title);
// A control that is no field of a module: "input" of a type.
struct doc *control_input(struct request *, struct str key, struct str label, const char *type,
                          struct str value, struct str problem, bool required);
struct doc *control_choice(struct request *, struct str key, struct str label,
                           struct str problem); // add to "options"
struct doc *control_yes_no(struct request *, struct str key, struct str label, bool checked);
// Those who can be put in charge of something, by name, as a list ("items" with "id" and "name"); at most 200.
enum status active_users(struct request *, struct doc **);
// Those of them to whom the viewer may give records of a module; NULL: of any.
enum status assignable_users(struct request *, const struct module *, struct doc **);
// {"items":[{"label","text","href"}]} of all that an error names; null without any.
struct doc *problems_of(struct request *, const struct module *, const struct error *);
struct str problem_of(struct request *, const struct error *, struct str field);

// ---------------------------------------------------------------- story.c

// Days of events of a history document's items; card (may be NULL) is the record whose page it is.
struct doc *story_days(struct request *, const struct doc *items, const struct module *card,
                       int64_t id);
// Takes out of a view what would change something: of the past, or where it is only compared.
void only_to_read(struct request *, struct doc *view);
struct doc *event_view(struct request *, const struct doc *event, const struct module *card,
                       int64_t id);
// Rows of a log table.
struct doc *log_rows(struct request *, const struct doc *items);
// The word for a kind of event, and its tone.
struct str kind_word(struct request *, int kind);
// "City contains Madrid": a filter of a list, as people say it.
struct str filter_words(struct request *, const struct module *, struct str key, struct str op,
                        struct str value);
struct str kind_tone(int kind);
// What people here call the provider of this address (settings_provider.c).
struct str issuer_name(struct request *, struct str issuer);
struct doc *event_facts(struct request *, const struct doc *event);

// ---------------------------------------------------------------- views

// The menu of saved views of a list or (`of` "history") the change log; *name is what it shows: that of the chosen one, or `all`.
struct doc *views_view(struct request *, struct str of, struct str all, const struct doc *views,
                       int64_t chosen, struct str *name);
// The filters among the pairs of an address that has this path: [{"field","operator","value","href": to change it, "remove_href"}].
struct doc *filters_in_words(struct request *, struct str path, const struct pairs *);
// The form that saves these filters as a view; null when there is nothing to be saved.
struct doc *save_view_view(struct request *, struct str of, const struct pairs *);

struct doc *present_home(struct request *, struct doc *);
struct doc *present_search(struct request *, struct doc *);
struct doc *present_lookup(struct request *, struct doc *);
struct doc *present_notifications(struct request *, struct doc *);
// {"count","label"}: what the bell says.
struct doc *bell_document(struct request *);
struct doc *present_list(struct request *, struct doc *);
struct doc *present_card(struct request *, struct doc *);
struct doc *present_anonymise(struct request *, struct doc *);
struct doc *present_certificate(struct request *, struct doc *);
struct doc *present_difference(struct request *, struct doc *);
struct doc *present_comment_people(struct request *, struct doc *);
struct doc *present_form(struct request *, struct doc *);
struct doc *present_history(struct request *, struct doc *);
struct doc *present_log(struct request *, struct doc *);
struct doc *present_operation(struct request *, struct doc *);
struct doc *present_undo(struct request *, struct doc *);
struct doc *present_invitation(struct request *, struct doc *);
struct doc *present_hand_over(struct request *, struct doc *);
struct doc *present_event(struct request *, struct doc *);
struct doc *present_activities(struct request *, struct doc *);
struct doc *present_reminders(struct request *, struct doc *);
struct doc *present_journeys(struct request *, struct doc *);
struct doc *present_journey_list(struct request *, struct doc *);
struct doc *present_journey(struct request *, struct doc *);
struct doc *present_settings(struct request *, struct doc *);
struct doc *present_user_identities(struct request *, struct doc *);
struct doc *present_factor(struct request *, struct doc *);
struct doc *present_security(struct request *, struct doc *);
struct doc *present_reach(struct request *, struct doc *);
struct doc *present_modules(struct request *, struct doc *);
// Of the template `table`.
struct doc *table_cell(struct request *, struct doc *cells, struct doc *run, bool number);
void table_column(struct request *, struct doc *columns, struct str label, bool number);
struct doc *present_module(struct request *, struct doc *);
struct doc *present_field(struct request *, struct doc *);

#endif
