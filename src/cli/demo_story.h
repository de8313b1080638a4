// Months in the life of a company, told through the actions that people use: one step after the other, in the order of time.
#ifndef CRONISTA_CLI_DEMO_STORY_H
#define CRONISTA_CLI_DEMO_STORY_H

#include "actions/actions.h"
#include "cli/demo_data.h"

#define STORY_USERS 16
#define STORY_LEVELS 8
#define STORY_ROLES 16
#define STORY_PRODUCTS 16
#define STORY_COMPANIES 80
#define STORY_CONTACTS 240
#define STORY_DEALS 160
#define STORY_CASES 110
#define STORY_LEADS 60
#define STORY_TASKS 700
#define STORY_STEPS 4096
#define STORY_CONSENTS 3

enum step_kind {
    STEP_COMPANY,
    STEP_COMPANY_EDIT,
    STEP_CONTACT,
    STEP_CONTACT_EDIT,
    STEP_LEAD,
    STEP_LEAD_NEXT,
    STEP_DEAL,
    STEP_DEAL_NEXT,
    STEP_DEAL_EDIT,
    STEP_DEAL_MOVED,
    STEP_TASK,
    STEP_TASK_MOVED,
    STEP_TASK_DONE,
    STEP_CASE,
    STEP_CASE_NEXT,
    STEP_SAY,
    STEP_DUPLICATE,
    STEP_DELETE,
    STEP_RESTORE,
    STEP_HANDOVER,
    STEP_PROMOTED,
    STEP_PRICES,
    STEP_CONSENTS,
    STEP_CONSENTS_OPEN,
};

struct step {
    micros at;
    int64_t order; // of coming in, among steps of the same moment
    enum step_kind kind;
    const char *module; // of SAY, DELETE, RESTORE
    int thing;          // place in the array it is about
    enum demo_text text;
};

struct story_company {
    int64_t id;
    const struct demo_company *data;
    int seller, contacts[8], n_contacts;
    bool customer;
};

struct story_contact {
    int64_t id;
    int company;
    bool away; // deleted, for a while or for good: nothing new is linked to it
    struct str name, email;
};

struct story_deal {
    int64_t id;
    int company, contact, product, quantity, owner, stage; // stage: place in the path
    int64_t amount;                                        // in the customer's currency
    int ticked;                                            // steps of its process
    bool closed, away, lines;
};

struct story_case {
    int64_t id;
    int company, contact, handler;
    int from; // who had it before; -1: nobody
    const struct demo_case *data;
    const char *channel;
    int state; // enum case_state
    bool waited;
};

struct story_lead {
    int64_t id;
    int state, owner;
    enum demo_country country;
};

struct story_task {
    int64_t id;
    int deal, owner;
    micros due;
    bool done, meeting;
};

struct story {
    struct arena *arena; // of names
    uint64_t random;
    micros start, now;
    struct step steps[STORY_STEPS];
    int n_steps;
    int64_t order;
    int64_t users[STORY_USERS], levels[STORY_LEVELS], roles[STORY_ROLES];
    int ranks[STORY_USERS]; // what those who help know by now
    int64_t products[STORY_PRODUCTS];
    struct story_company companies[STORY_COMPANIES];
    struct story_contact contacts[STORY_CONTACTS];
    struct story_deal deals[STORY_DEALS];
    struct story_case cases[STORY_CASES];
    struct story_lead leads[STORY_LEADS];
    struct story_task tasks[STORY_TASKS];
    int n_companies, n_contacts, n_deals, n_cases, n_leads, n_tasks;
    int64_t process, group, consents[STORY_CONSENTS];
    int64_t shared, sharer; // the link that was sent to a customer: position of its event, by whom
    struct str sharer_name;
    int64_t duplicate; // the company entered twice
};

// What a step works with: one person's act at one moment.
struct telling {
    struct story *story;
    struct action action;
    struct act act;
    struct viewer viewer;
    struct arena *arena; // of the piece
    struct error *error;
};

// ---------------------------------------------------------------- demo_story.c: time, chance, acts

uint64_t story_random(struct story *);
int story_between(struct story *, int least, int most); // both included
bool story_chance(struct story *, int percent);
// A moment in working hours of a place, about that many days after `at` and never before it.
micros story_later(struct story *, micros at, int days, enum demo_country);
void story_plan(struct story *, micros at, enum step_kind, int thing);
void story_say(struct story *, micros at, const char *module, int thing, enum demo_text);
void story_plan_for(struct story *, micros at, enum step_kind, const char *module, int thing);
// The next step that lies before now; false when the story has come to its end.
bool story_next(struct story *, struct step *);

// Makes the teller ready for an act of this user (place among the users; -1: the system) at this moment.
enum status tell_as(struct telling *, struct write *, struct crm *, int user, micros at);
enum status tell_create(struct telling *, const char *module, const struct doc *values,
                        int64_t *id);
enum status tell_change(struct telling *, const char *module, int64_t id, const struct doc *values);
struct str story_email(struct story *, struct str name, struct str of);
struct str story_host(struct story *, const char *company);
struct str story_phone(struct story *, enum demo_country);
const char *story_pick(struct story *, const char *const *list); // one of a list that ends in NULL
// A text with what it is about put in.
struct str story_text(struct story *, enum demo_text, enum demo_language, const struct story_deal *,
                      const struct story_company *, const struct story_contact *, struct arena *);
struct str story_amount(const struct story_company *, int64_t amount, struct arena *);

// ---------------------------------------------------------------- demo_people.c, demo_sales.c, demo_care.c

enum status
story_begin(struct telling *,
            const char *password_hash); // levels, users, products; plans everything else
enum status story_step(struct telling *, const struct step *);
enum status people_step(struct telling *, const struct step *);
enum status sales_step(struct telling *, const struct step *);
enum status care_step(struct telling *, const struct step *);
// demo_parts.c: what deals and contacts, by their place in the arrays, have beside their fields.
enum status parts_begin(struct telling *);
bool deal_has_parts(int deal);
enum status deal_step(struct telling *, int deal);
enum status deal_lines(struct telling *, int deal);
enum status contact_parts(struct telling *, int contact);
enum status contact_consents(struct telling *, int contact);
enum status contact_consents_opened(struct telling *, int contact);
// Who acts in a step.
int sales_user(const struct story *, const struct step *);
int care_user(const struct story *, const struct step *);
int people_user(const struct story *, const struct step *);

#endif
