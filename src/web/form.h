// Forms of records: what was sent becomes values for the actions, and is shown again when it can't be taken.
#ifndef CRONISTA_WEB_FORM_H
#define CRONISTA_WEB_FORM_H

#include "base/crypto.h"
#include "web/request.h"

// A record to be made on the way, by the name that was typed for a link.
struct form_new {
    const struct field *field;
    struct str name;
    struct form_new *next;
};

struct form_state {
    bool creating;
    bool refused;       // `typed` is shown again, with problems
    struct doc *record; // as it is; of a new one its presets
    struct pairs typed;
    struct error problems;
    struct doc *found;  // {KEY: [candidates for what was typed]}
    struct doc *values; // for the action
    struct form_new *news;
    struct str password; // of a new user
    bool invite;         // who gets a link instead
    char invitation[CRYPTO_TOKEN];
    micros invited_until;
    const char *password_hash;
    int64_t version; // started from; 0: whatever is there
    struct doc *clash;
};

// From r->form, the fields of r->module that were sent. False: problems and candidates are noted.
bool form_values(struct request *, struct form_state *);
// The page of a conflict (409): both sides of what clashed.
struct doc *present_conflict(struct request *, const struct form_state *);

// A form of rules, which are one record without a name: the document for the API, else the page at `here`. r->module is theirs.
void rules_page(struct request *, int status, struct form_state *, struct doc *rules,
                struct str title, const char *here);

#endif
