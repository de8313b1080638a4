// Who there is: levels, users, products; companies and contacts as they come to be known; and what goes wrong with them.
#include "cli/demo_story.h"

#include <stdio.h>

#include "actions/user.h"

#define DAYS 212
#define DEALS 140
#define CASES 96
#define LEADS 48
#define SANTIAGO 7 // among the users

static const char *const language_keys[DEMO_LANGUAGES] = {"es", "pl", "ro", "en"};

// ---------------------------------------------------------------- the house itself

static enum status make_levels(struct telling *t) {
    enum status s = OK;
    for (size_t i = 0; i < demo_n_levels && s == OK; i++) {
        struct doc *v = doc_object(t->arena);
        doc_set_z(t->arena, v, "name", demo_levels[i].name);
        doc_set_z(t->arena, v, "description", demo_levels[i].description);
        doc_set_int(t->arena, v, "rank", (int64_t)i + 1);
        s = tell_create(t, "levels", v, &t->story->levels[i]);
    }
    return s;
}

static enum status make_roles(struct telling *t) {
    enum status s = OK;
    for (size_t i = 0; i < demo_n_roles && s == OK; i++) {
        struct doc *v = doc_object(t->arena);
        doc_set_z(t->arena, v, "name", demo_roles[i].name);
        if (demo_roles[i].parent >= 0)
            doc_set_int(t->arena, v, "parent", t->story->roles[demo_roles[i].parent]);
        s = tell_create(t, "roles", v, &t->story->roles[i]);
    }
    return s;
}

// Puts the user on a level and into a role, both by name.
static void place(struct telling *t, struct doc *v, const char *level, const char *role) {
    for (size_t i = 0; i < demo_n_levels; i++)
        if (strcmp(demo_levels[i].name, level) == 0)
            doc_set_int(t->arena, v, "level", t->story->levels[i]);
    for (size_t i = 0; i < demo_n_roles; i++)
        if (strcmp(demo_roles[i].name, role) == 0)
            doc_set_int(t->arena, v, "role", t->story->roles[i]);
}

static enum status make_users(struct telling *t, const char *hash) {
    struct story *story = t->story;
    enum status s = OK;
    for (size_t i = 0; i < demo_n_users && s == OK; i++) {
        const struct demo_user *u = &demo_users[i];
        struct doc *v = doc_object(t->arena);
        doc_set_z(t->arena, v, "name", u->name);
        doc_set_str(t->arena, v, "email",
                    story_email(story, str_z(u->name), STR("meridiana.example")));
        doc_set_z(t->arena, v, "position", u->position);
        doc_set_z(t->arena, v, "office", u->office);
        doc_set_z(t->arena, v, "profile", u->profile);
        doc_set_z(t->arena, v, "language", language_keys[demo_places[u->country].language]);
        doc_set_z(t->arena, v, "zone", demo_places[u->country].zone);
        doc_set_str(t->arena, v, "phone", story_phone(story, u->country));
        place(t, v, u->level, u->role);
        story->ranks[i] = u->rank;
        if (i)
            doc_set_int(t->arena, v, "manager", story->users[0]);
        s = user_add(&t->action, v, hash, &story->users[i], t->error);
    }
    return s;
}

static enum status make_products(struct telling *t) {
    enum status s = OK;
    for (size_t i = 0; i < demo_n_products && s == OK; i++) {
        const struct demo_product *p = &demo_products[i];
        struct doc *v = doc_object(t->arena);
        doc_set_z(t->arena, v, "name", p->name);
        doc_set_z(t->arena, v, "code", p->code);
        doc_set_z(t->arena, v, "category", p->category);
        doc_set_z(t->arena, v, "payment_type", p->payment);
        doc_set_z(t->arena, v, "description", p->description);
        doc_set_z(t->arena, v, "tax", "21");
        doc_set_str(t->arena, v, "price", arena_printf(t->arena, "%d EUR", p->price));
        s = tell_create(t, "products", v, &t->story->products[i]);
    }
    return s;
}

// ---------------------------------------------------------------- the plan

static int seller_in(struct story *s, enum demo_country country) {
    for (;;) {
        int u = story_between(s, 0, (int)demo_n_users - 1);
        if (demo_users[u].work == DEMO_SELLS && demo_users[u].country == country)
            return u;
    }
}

static void plan_companies(struct story *s) {
    int order[STORY_COMPANIES];
    for (size_t i = 0; i < demo_n_companies; i++)
        order[i] = (int)i;
    for (int i = (int)demo_n_companies - 1; i > 0; i--) {
        int j = story_between(s, 0, i), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
    for (size_t i = 0; i < demo_n_companies; i++) {
        struct story_company *c = &s->companies[i];
        c->data = &demo_companies[order[i]];
        c->seller = seller_in(s, c->data->country);
        c->customer = story_chance(s, 45);
        // More than half were known in the first weeks.
        int day = i < 36 ? story_between(s, 2, 40) : story_between(s, 40, DAYS - 12);
        micros at = story_later(s, s->start, day, c->data->country);
        story_plan(s, at, STEP_COMPANY, (int)i);
        int contacts = story_between(s, 1, 4);
        for (int k = 0; k < contacts && s->n_contacts < STORY_CONTACTS; k++) {
            struct story_contact *person = &s->contacts[s->n_contacts];
            person->company = (int)i;
            c->contacts[c->n_contacts++] = s->n_contacts;
            story_plan(s,
                       k ? story_later(s, at, story_between(s, 0, 20), c->data->country)
                         : at + 4 * MINUTE,
                       STEP_CONTACT, s->n_contacts++);
        }
        if (story_chance(s, 60))
            story_plan(s, story_later(s, at, story_between(s, 5, 60), c->data->country),
                       STEP_COMPANY_EDIT, (int)i);
        story_say(s, at + 11 * MINUTE, "companies", (int)i, DEMO_NOTE_COMPANY);
    }
    s->n_companies = (int)demo_n_companies;
}

// When a company was entered: steps of the plan are not done yet.
static micros known_since(const struct story *s, int company) {
    for (int i = 0; i < s->n_steps; i++)
        if (s->steps[i].kind == STEP_COMPANY && s->steps[i].thing == company)
            return s->steps[i].at;
    return s->now;
}

static void plan_deals(struct story *s) {
    for (s->n_deals = 0; s->n_deals < DEALS; s->n_deals++) {
        struct story_deal *d = &s->deals[s->n_deals];
        d->company = story_between(s, 0, s->n_companies - 1);
        struct story_company *c = &s->companies[d->company];
        micros since = known_since(s, d->company);
        int days = (int)((s->now - since) / DAY);
        d->contact = c->contacts[0];
        d->product = story_between(s, 0, (int)demo_n_products - 1);
        bool package = demo_products[d->product].price > 2000;
        d->quantity = package ? story_between(s, 1, 3) : story_between(s, 4, 40);
        d->owner = c->seller;
        story_plan(s,
                   story_later(s, since + HOUR, story_between(s, 1, days > 2 ? days - 1 : 1),
                               c->data->country),
                   STEP_DEAL, s->n_deals);
    }
}

static void plan_cases(struct story *s) {
    static const char *const channels[] = {"call", "mail", "mail", "web", "whatsapp", NULL};
    for (s->n_cases = 0; s->n_cases < CASES; s->n_cases++) {
        struct story_case *k = &s->cases[s->n_cases];
        do
            k->company = story_between(s, 0, s->n_companies - 1);
        while (!s->companies[k->company].customer);
        struct story_company *c = &s->companies[k->company];
        k->data = &demo_cases[story_between(s, 0, (int)demo_n_cases - 1)];
        k->contact = c->contacts[0];
        k->handler = c->data->country == DEMO_COLOMBIA ? SANTIAGO : 6;
        k->from = -1;
        k->channel = story_pick(s, channels);
        micros since = known_since(s, k->company);
        int days = (int)((s->now - since) / DAY);
        story_plan(s,
                   story_later(s, since + HOUR, story_between(s, 1, days > 2 ? days - 1 : 1),
                               c->data->country),
                   STEP_CASE, s->n_cases);
    }
}

static void plan_the_rest(struct story *s) {
    for (s->n_leads = 0; s->n_leads < LEADS; s->n_leads++) {
        struct story_lead *l = &s->leads[s->n_leads];
        l->country = (enum demo_country)story_between(s, 0, DEMO_COUNTRIES - 1);
        l->owner = seller_in(s, l->country);
        story_plan(s, story_later(s, s->start, story_between(s, 3, DAYS - 1), l->country),
                   STEP_LEAD, s->n_leads);
    }
    // What people do wrong, and put right.
    story_plan(s, story_later(s, s->start, 33, DEMO_SPAIN), STEP_DUPLICATE, 0);
    micros slip = story_later(s, s->start, 120, DEMO_POLAND);
    story_plan_for(s, slip, STEP_DELETE, "contacts", 3);
    story_plan_for(s, slip + 17 * MINUTE, STEP_RESTORE, "contacts", 3);
    micros again = story_later(s, s->start, 150, DEMO_BRITAIN);
    story_plan_for(s, again, STEP_DELETE, "opportunities", 5);
    story_plan_for(s, again + 2 * HOUR, STEP_RESTORE, "opportunities", 5);
    story_plan_for(s, story_later(s, s->start, 171, DEMO_SPAIN), STEP_DELETE, "opportunities", 9);
    story_plan_for(s, story_later(s, s->start, 190, DEMO_SPAIN), STEP_DELETE, "contacts", 8);
    story_plan(s, story_later(s, s->start, DAYS - 76, DEMO_SPAIN), STEP_PRICES, 0);
    story_plan(s, s->now - 30 * HOUR, STEP_CONSENTS, 2);
    story_plan(s, story_later(s, s->start, DAYS - 38, DEMO_SPAIN), STEP_HANDOVER, 11);
    story_plan(s, story_later(s, s->start, DAYS - 62, DEMO_SPAIN), STEP_PROMOTED, SANTIAGO);
}

enum status story_begin(struct telling *t, const char *hash) {
    struct story *s = t->story;
    s->start = (s->now / DAY - DAYS) * DAY;
    t->act.at = s->start + 8 * HOUR;
    enum status st = make_levels(t);
    if (st == OK)
        st = make_roles(t);
    if (st == OK)
        st = make_users(t, hash);
    if (st == OK)
        st = make_products(t);
    if (st == OK)
        st = parts_begin(t);
    if (st != OK)
        return st;
    plan_companies(s);
    plan_deals(s);
    plan_cases(s);
    plan_the_rest(s);
    return OK;
}

// ---------------------------------------------------------------- companies and contacts

static enum status company(struct telling *t, int i) {
    struct story *s = t->story;
    struct story_company *c = &s->companies[i];
    const struct demo_place *place = &demo_places[c->data->country];
    static const char *const sources[] = {"web",      "referral", "event", "call",
                                          "campaign", "partner",  NULL};
    struct doc *v = doc_object(t->arena);
    doc_set_z(t->arena, v, "name", c->data->name);
    doc_set_z(t->arena, v, "city", c->data->city);
    doc_set_z(t->arena, v, "country", place->name);
    doc_set_z(t->arena, v, "sector", demo_sectors[place->language][c->data->sector]);
    doc_set_z(t->arena, v, "kind", c->customer ? "customer" : "prospect");
    doc_set_z(t->arena, v, "source", story_pick(s, sources));
    doc_set_str(t->arena, v, "phone", story_phone(s, c->data->country));
    doc_set_str(t->arena, v, "website",
                arena_printf(t->arena, "https://www.%.*s/", STR_FMT(story_host(s, c->data->name))));
    return tell_create(t, "companies", v, &c->id);
}

static enum status company_edit(struct telling *t, int i) {
    struct story *s = t->story;
    struct story_company *c = &s->companies[i];
    struct doc *v = doc_object(t->arena);
    doc_set_int(t->arena, v, "employees", c->data->employees);
    doc_set_int(t->arena, v, "year_established", story_between(s, 1935, 2019));
    if (story_chance(s, 50))
        doc_set_str(t->arena, v, "tax_number",
                    arena_printf(t->arena, "%s%08d",
                                 demo_places[c->data->country].language == DEMO_ES ? "B" : "",
                                 story_between(s, 10000000, 99999999)));
    return tell_change(t, "companies", c->id, v);
}

static enum status contact(struct telling *t, int i) {
    struct story *s = t->story;
    struct story_contact *p = &s->contacts[i];
    const struct story_company *c = &s->companies[p->company];
    enum demo_language language = demo_places[c->data->country].language;
    p->name = arena_printf(s->arena, "%s %s", story_pick(s, demo_first_names[language]),
                           story_pick(s, demo_last_names[language]));
    p->email = story_email(s, p->name, story_host(s, c->data->name));
    struct doc *v = doc_object(t->arena);
    doc_set_str(t->arena, v, "name", p->name);
    doc_set_str(t->arena, v, "email", p->email);
    doc_set_int(t->arena, v, "company", c->id);
    doc_set_z(t->arena, v, "city", c->data->city);
    doc_set_z(t->arena, v, "country", demo_places[c->data->country].name);
    doc_set_z(t->arena, v, "language", language_keys[language]);
    if (story_chance(s, 80))
        doc_set_z(t->arena, v, "position", story_pick(s, demo_positions[language]));
    if (story_chance(s, 70))
        doc_set_str(t->arena, v, "mobile", story_phone(s, c->data->country));
    if (story_chance(s, 55))
        story_plan(s, story_later(s, t->act.at, story_between(s, 10, 120), c->data->country),
                   STEP_CONTACT_EDIT, i);
    if (story_chance(s, 50))
        story_say(s, story_later(s, t->act.at, story_between(s, 1, 40), c->data->country),
                  "contacts", i, DEMO_RESULT);
    enum status st = tell_create(t, "contacts", v, &p->id);
    return st ? st : contact_parts(t, i);
}

static enum status contact_edit(struct telling *t, int i) {
    struct story *s = t->story;
    struct story_contact *p = &s->contacts[i];
    const struct story_company *c = &s->companies[p->company];
    enum demo_language language = demo_places[c->data->country].language;
    struct doc *v = doc_object(t->arena);
    if (story_chance(s, 50))
        doc_set_z(t->arena, v, "position", story_pick(s, demo_positions[language]));
    else
        doc_set_str(t->arena, v, "mobile", story_phone(s, c->data->country));
    doc_set(v, STR("consent"),
            doc_str(t->arena, story_chance(s, 60) ? STR("email;phone") : STR("email")));
    return tell_change(t, "contacts", p->id, v);
}

// ---------------------------------------------------------------- slips

static enum status duplicate(struct telling *t) {
    struct story *s = t->story;
    struct doc *v = doc_object(t->arena);
    doc_set_z(t->arena, v, "name", "Conservas Ria Brava S.L.");
    doc_set_z(t->arena, v, "city", "Vigo");
    enum status st = tell_create(t, "companies", v, &s->duplicate);
    story_plan_for(s, t->act.at + 26 * HOUR, STEP_DELETE, "companies", -1);
    return st;
}

static int64_t *thing_id(struct story *s, const struct step *step) {
    if (step->thing < 0)
        return &s->duplicate;
    if (strcmp(step->module, "contacts") == 0)
        return &s->contacts[step->thing].id;
    return &s->deals[step->thing].id;
}

static void set_away(struct story *s, const struct step *step, bool away) {
    if (step->thing < 0)
        return;
    if (strcmp(step->module, "contacts") == 0)
        s->contacts[step->thing].away = away;
    else
        s->deals[step->thing].away = away;
}

static enum status delete (struct telling *t, const struct step *step) {
    struct story *s = t->story; int64_t id = *thing_id(s, step);
    if (!id) return OK; // not there yet
    set_away(s, step, true);
    t->act.reason = step->thing < 0                         ? STR("Duplicada")
                    : strcmp(step->module, "contacts") == 0 ? STR("")
                                                            : STR("Test");
    return record_delete(&t->action, model_module(t->action.model, str_z(step->module)), id,
                         t->error);
}

static enum status restore(struct telling *t, const struct step *step) {
    int64_t id = *thing_id(t->story, step);
    if (!id)
        return OK;
    set_away(t->story, step, false);
    t->act.reason = STR("Deleted by mistake");
    return record_restore(&t->action, model_module(t->action.model, str_z(step->module)), id,
                          t->error);
}

// A new price list: one operation over all products.
static enum status prices(struct telling *t) {
    enum status s = OK;
    t->act.reason = STR("Price list of the year");
    for (size_t i = 0; i < demo_n_products && s == OK; i++) {
        struct doc *v = doc_object(t->arena);
        int price = demo_products[i].price * 104 / 100;
        doc_set_str(t->arena, v, "price", arena_printf(t->arena, "%d EUR", price));
        s = tell_change(t, "products", t->story->products[i], v);
    }
    return s;
}

// Somebody moves on: the open deals go to a colleague, in one operation.
static enum status handover(struct telling *t, int from) {
    struct story *s = t->story;
    enum status st = OK;
    int to = 2;
    t->act.reason = STR("Jorge pasa a grandes cuentas");
    for (int i = 0; i < s->n_deals && st == OK; i++) {
        struct story_deal *d = &s->deals[i];
        if (d->owner != from)
            continue;
        d->owner = to;
        if (d->id && !d->closed)
            st = record_assign(&t->action, model_module(t->action.model, STR("opportunities")),
                               d->id, s->users[to], t->error);
    }
    return st;
}

// Somebody knows more by now. What they had till then stays with the level they had.
static enum status promoted(struct telling *t, int user) {
    struct doc *v = doc_object(t->arena);
    t->story->ranks[user] = 2;
    t->act.reason = STR("Santiago pasa a segundo nivel");
    place(t, v, demo_levels[1].name, "Technicians");
    return tell_change(t, "users", t->story->users[user], v);
}

int people_user(const struct story *s, const struct step *step) {
    switch (step->kind) {
    case STEP_COMPANY:
    case STEP_COMPANY_EDIT:
        return s->companies[step->thing].seller;
    case STEP_CONTACT:
    case STEP_CONTACT_EDIT:
        return s->companies[s->contacts[step->thing].company].seller;
    case STEP_DELETE:
    case STEP_RESTORE:
        return step->thing % 2 ? 1 : 0;
    case STEP_DUPLICATE:
        return 1;
    default:
        return 0;
    }
}

enum status people_step(struct telling *t, const struct step *step) {
    switch (step->kind) {
    case STEP_COMPANY:
        return company(t, step->thing);
    case STEP_COMPANY_EDIT:
        return company_edit(t, step->thing);
    case STEP_CONTACT:
        return contact(t, step->thing);
    case STEP_CONTACT_EDIT:
        return contact_edit(t, step->thing);
    case STEP_DUPLICATE:
        return duplicate(t);
    case STEP_DELETE:
        return delete (t, step);
    case STEP_RESTORE:
        return restore(t, step);
    case STEP_PRICES:
        return prices(t);
    case STEP_CONSENTS:
        return contact_consents(t, step->thing);
    case STEP_CONSENTS_OPEN:
        return contact_consents_opened(t, step->thing);
    case STEP_PROMOTED:
        return promoted(t, step->thing);
    default:
        return handover(t, step->thing);
    }
}
