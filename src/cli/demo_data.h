// What the demonstration company is made of: Meridiana, which makes sensors and a service that watch over cold chains, and the
// people and firms it deals with. All of it is invented.
#ifndef CRONISTA_CLI_DEMO_DATA_H
#define CRONISTA_CLI_DEMO_DATA_H

#include <stddef.h>

enum demo_country {
    DEMO_SPAIN,
    DEMO_COLOMBIA,
    DEMO_POLAND,
    DEMO_ROMANIA,
    DEMO_BRITAIN,
    DEMO_COUNTRIES
};
enum demo_language { DEMO_ES, DEMO_PL, DEMO_RO, DEMO_EN, DEMO_LANGUAGES };

struct demo_place {
    enum demo_language language;
    const char *name, *zone, *currency, *phone; // digits of a phone number: # is any
    int offset;                                 // hours from UTC, roughly: when people are at work
    int rate;                                   // hundredths of the currency for a euro
    int round;                                  // amounts are multiples of this
};
extern const struct demo_place demo_places[DEMO_COUNTRIES];

struct demo_user {
    const char *name, *position, *office, *profile, *level, *role;
    enum demo_country country;
    enum demo_work { DEMO_SELLS, DEMO_HELPS, DEMO_LEADS, DEMO_LOOKS_ON } work;
    int rank; // of those who help: the level of their knowledge when it begins
};
extern const struct demo_user demo_users[];
extern const size_t demo_n_users;

extern const struct demo_level { const char *name, *description; } demo_levels[];
extern const size_t demo_n_levels;

extern const struct demo_role {
    const char *name;
    int parent; // place of the role above, which comes before; -1: none
} demo_roles[];
extern const size_t demo_n_roles;

enum demo_sector { DEMO_FOOD, DEMO_PHARMA, DEMO_HEALTH, DEMO_LOGISTICS, DEMO_RETAIL, DEMO_SECTORS };
extern const char *const demo_sectors[DEMO_LANGUAGES][DEMO_SECTORS];

struct demo_company {
    enum demo_country country;
    const char *name, *city;
    enum demo_sector sector;
    int employees;
};
extern const struct demo_company demo_companies[];
extern const size_t demo_n_companies;

struct demo_product {
    const char *name, *code, *category, *payment, *description;
    int price; // euros
};
extern const struct demo_product demo_products[];
extern const size_t demo_n_products;

// Lists end in NULL.
extern const char *const demo_first_names[DEMO_LANGUAGES][25];
extern const char *const demo_last_names[DEMO_LANGUAGES][25];
extern const char *const demo_positions[DEMO_LANGUAGES][9];

// Texts; {contact}, {company}, {product}, {amount} stand for what it is about.
enum demo_text {
    DEMO_NOTE_COMPANY, // of a company
    DEMO_FIRST_CALL,   // after the first call about a deal
    DEMO_NEEDS,        // what the customer needs
    DEMO_OFFER,        // an offer was sent
    DEMO_HAGGLING,
    DEMO_WON,
    DEMO_LOST,
    DEMO_MOVED, // the closing date moved
    DEMO_CALL,  // name of a call
    DEMO_MEETING,
    DEMO_TASK,
    DEMO_RESULT,   // what came of an activity
    DEMO_LEAD,     // about a lead
    DEMO_REJECTED, // why a lead led nowhere
    DEMO_NEXT_STEP,
    DEMO_CASE_COMMENT,
    DEMO_ESCALATED,
    DEMO_HANDED_BACK,
    DEMO_TEXTS
};
#define DEMO_VARIANTS 6
extern const char *const demo_texts[DEMO_TEXTS][DEMO_LANGUAGES][DEMO_VARIANTS + 1];

struct demo_case {
    const char *type, *priority;
    struct {
        const char *subject, *description, *solution;
    } in[DEMO_LANGUAGES];
};
extern const struct demo_case demo_cases[];
extern const size_t demo_n_cases;

#endif
