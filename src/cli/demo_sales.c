// Leads and deals: how they begin, move through the phases, and end; and the calls, meetings and tasks on the way.
#include "cli/demo_story.h"

#include <stdio.h>

static const char *const path[] = {"prospecting", "engaging", "qualification", "proposal",
                                   "negotiation"};
#define QUARTER (15 * MINUTE)
enum { PROPOSAL = 3, NEGOTIATION = 4 };

static struct str day_text(struct arena *a, micros at) {
    struct civil c = civil_from_micros(at);
    return arena_printf(a, "%04d-%02d-%02d", c.year, c.month, c.day);
}

static struct str moment_text(struct arena *a, micros at) {
    char text[CLOCK_TEXT];
    clock_text(at / MINUTE * MINUTE, text);
    return arena_str(a, str_z(text));
}

static const struct story_company *company_of(const struct story *s, const struct story_deal *d) {
    return &s->companies[d->company];
}

static enum demo_language language_of(const struct story *s, const struct story_deal *d) {
    return demo_places[company_of(s, d)->data->country].language;
}

static void set_amount(struct telling *t, struct doc *v, const struct story_deal *d) {
    doc_set_str(t->arena, v, "amount", story_amount(company_of(t->story, d), d->amount, t->arena));
}

// In the customer's currency, as people round it.
static int64_t worth(struct story *s, const struct story_deal *d) {
    const struct demo_place *place = &demo_places[company_of(s, d)->data->country];
    int64_t euros =
        (int64_t)demo_products[d->product].price * d->quantity * story_between(s, 90, 110) / 100;
    int64_t amount = euros * place->rate / 100;
    return (amount / place->round + 1) * place->round;
}

// ---------------------------------------------------------------- activities

static void plan_task(struct story *s, micros at, int deal) {
    story_plan(s, at, STEP_TASK, deal);
}

static enum status task(struct telling *t, int deal) {
    static const char *const kinds[] = {"call", "meeting", "task"};
    static const char *const priorities[] = {"high", "medium", "medium", "low", NULL};
    struct story *s = t->story;
    struct story_deal *d = &s->deals[deal];
    if (!d->id || d->closed || d->away || s->n_tasks == STORY_TASKS)
        return OK;
    const struct story_company *c = company_of(s, d);
    const struct story_contact *p = &s->contacts[d->contact];
    enum demo_language language = language_of(s, d);
    struct story_task *task = &s->tasks[s->n_tasks];
    int kind = story_between(s, 0, 2);
    micros due =
        story_later(s, t->act.at, story_between(s, 1, 9), c->data->country) / QUARTER * QUARTER;
    *task = (struct story_task){.deal = deal, .owner = d->owner, .due = due, .meeting = kind == 1};
    struct doc *v = doc_object(t->arena);
    doc_set_z(t->arena, v, "kind", kinds[kind]);
    doc_set_str(t->arena, v, "subject",
                story_text(s, (enum demo_text)(DEMO_CALL + kind), language, d, c, p, t->arena));
    doc_set_str(t->arena, v, "due", moment_text(t->arena, due));
    doc_set_str(t->arena, v, "reminder", moment_text(t->arena, due - HOUR));
    const char *priority = story_pick(s, priorities);
    if (kind == 2 && priority)
        doc_set_z(t->arena, v, "priority", priority);
    doc_set_int(t->arena, v, "opportunity", d->id);
    if (!p->away)
        doc_set_int(t->arena, v, "contact", p->id);
    if (kind == 1) {
        doc_set_str(t->arena, v, "start", moment_text(t->arena, due));
        doc_set_str(t->arena, v, "end", moment_text(t->arena, due + HOUR));
        doc_set_z(t->arena, v, "place", c->data->city);
        struct doc *guests = doc_set_array(t->arena, v, "guests");
        if (!p->away)
            doc_add(guests, doc_int(t->arena, p->id));
    }
    enum status st = tell_create(t, "tasks", v, &task->id);
    if (story_chance(s, 25))
        story_plan(s, story_later(s, t->act.at, 0, c->data->country), STEP_TASK_MOVED, s->n_tasks);
    if (story_chance(s, 90)) // the others stay undone
        story_plan(s, due + story_between(s, -60, 600) * MINUTE, STEP_TASK_DONE, s->n_tasks);
    s->n_tasks++;
    return st;
}

// Put off by a few days.
static enum status task_moved(struct telling *t, int i) {
    struct story *s = t->story;
    struct story_task *task = &s->tasks[i];
    if (task->done)
        return OK;
    const struct story_company *c = company_of(s, &s->deals[task->deal]);
    micros later = task->due > t->act.at ? task->due : t->act.at;
    task->due = story_later(s, later, story_between(s, 1, 4), c->data->country) / QUARTER * QUARTER;
    struct doc *v = doc_object(t->arena);
    doc_set_str(t->arena, v, "due", moment_text(t->arena, task->due));
    doc_set_str(t->arena, v, "reminder", moment_text(t->arena, task->due - HOUR));
    if (task->meeting) {
        doc_set_str(t->arena, v, "start", moment_text(t->arena, task->due));
        doc_set_str(t->arena, v, "end", moment_text(t->arena, task->due + HOUR));
    }
    return tell_change(t, "tasks", task->id, v);
}

static enum status task_done(struct telling *t, int i) {
    struct story *s = t->story;
    struct story_task *task = &s->tasks[i];
    const struct story_deal *d = &s->deals[task->deal];
    if (task->due > t->act.at + HOUR) { // it was put off
        story_plan(s, task->due + story_between(s, 0, 300) * MINUTE, STEP_TASK_DONE, i);
        return OK;
    }
    task->done = true;
    struct doc *v = doc_object(t->arena);
    doc_set_bool(t->arena, v, "done", true);
    doc_set_z(t->arena, v, "outcome", story_chance(s, 75) ? "success" : "failure");
    doc_set_str(t->arena, v, "result",
                story_text(s, DEMO_RESULT, language_of(s, d), d, company_of(s, d),
                           &s->contacts[d->contact], t->arena));
    return tell_change(t, "tasks", task->id, v);
}

// ---------------------------------------------------------------- deals

static void plan_next(struct story *s, micros at, int deal, int least, int most) {
    const struct story_company *c = company_of(s, &s->deals[deal]);
    story_plan(s, story_later(s, at, story_between(s, least, most), c->data->country),
               STEP_DEAL_NEXT, deal);
}

static enum status deal(struct telling *t, int i) {
    static const char *const sources[] = {"web", "referral", "event", "call", "campaign", NULL};
    struct story *s = t->story;
    struct story_deal *d = &s->deals[i];
    const struct story_company *c = company_of(s, d);
    if (!c->id || !s->contacts[d->contact].id || s->contacts[d->contact].away)
        return OK;
    for (int k = 1; k < c->n_contacts; k++) // somebody else of the firm, now and then
        if (s->contacts[c->contacts[k]].id && !s->contacts[c->contacts[k]].away &&
            story_chance(s, 35))
            d->contact = c->contacts[k];
    d->amount = worth(s, d);
    struct doc *v = doc_object(t->arena);
    doc_set_str(t->arena, v, "name",
                arena_printf(t->arena, "%s · %s", demo_products[d->product].name, c->data->name));
    doc_set_int(t->arena, v, "company", c->id);
    doc_set_int(t->arena, v, "contact", s->contacts[d->contact].id);
    doc_set_int(t->arena, v, "product", s->products[d->product]);
    doc_set_z(t->arena, v, "source", story_pick(s, sources));
    set_amount(t, v, d);
    if (deal_has_parts(i))
        doc_set_int(t->arena, v, "process", s->process);
    doc_set_str(t->arena, v, "closing_date",
                day_text(t->arena, t->act.at + story_between(s, 25, 90) * DAY));
    enum status st = tell_create(t, "opportunities", v, &d->id);
    story_say(s, t->act.at + story_between(s, 3, 50) * MINUTE, "opportunities", i, DEMO_FIRST_CALL);
    plan_task(s, t->act.at + 55 * MINUTE, i);
    plan_next(s, t->act.at, i, 3, 15);
    if (story_chance(s, 60))
        story_plan(s, t->act.at + story_between(s, 1, 30) * HOUR, STEP_DEAL_EDIT, i);
    if (story_chance(s, 30))
        story_plan(s, story_later(s, t->act.at, story_between(s, 20, 50), c->data->country),
                   STEP_DEAL_MOVED, i);
    return st;
}

static enum status deal_ends(struct telling *t, int i, bool won) {
    static const char *const reasons[] = {"price",  "competitor", "product",
                                          "timing", "no_answer",  NULL};
    struct story *s = t->story;
    struct story_deal *d = &s->deals[i];
    struct story_company *c = &s->companies[d->company];
    struct doc *v = doc_object(t->arena);
    doc_set_z(t->arena, v, "stage", won ? "won" : "lost");
    doc_set_str(t->arena, v, "closed_on", day_text(t->arena, t->act.at));
    doc_set(v, STR("next_step"), doc_null(t->arena));
    if (!won)
        doc_set_z(t->arena, v, "lost_because", story_pick(s, reasons));
    d->closed = true;
    enum status st = tell_change(t, "opportunities", d->id, v);
    if (st == OK && won && !c->customer) {
        struct doc *now = doc_object(t->arena);
        doc_set_z(t->arena, now, "kind", "customer");
        c->customer = true;
        st = tell_change(t, "companies", c->id, now);
    }
    story_say(s, t->act.at + story_between(s, 2, 40) * MINUTE, "opportunities", i,
              won ? DEMO_WON : DEMO_LOST);
    return st;
}

static enum status deal_next(struct telling *t, int i) {
    static const int lost[] = {14, 12, 14, 18, 36}, won[] = {0, 0, 0, 8, 64};
    struct story *s = t->story;
    struct story_deal *d = &s->deals[i];
    if (!d->id || d->closed)
        return OK;
    int chance = story_between(s, 1, 100);
    if (chance <= lost[d->stage])
        return deal_ends(t, i, false);
    if (chance <= lost[d->stage] + won[d->stage])
        return deal_ends(t, i, true);
    d->stage = d->stage < NEGOTIATION ? d->stage + 1 : NEGOTIATION;
    struct doc *v = doc_object(t->arena);
    doc_set_z(t->arena, v, "stage", path[d->stage]);
    if (d->stage == 1)
        doc_set_str(t->arena, v, "engage_date", day_text(t->arena, t->act.at));
    doc_set_str(t->arena, v, "next_step",
                story_text(s, DEMO_NEXT_STEP, language_of(s, d), d, company_of(s, d),
                           &s->contacts[d->contact], t->arena));
    if (d->stage == PROPOSAL || (d->stage == NEGOTIATION && story_chance(s, 50))) {
        d->amount = d->lines ? d->amount : worth(s, d);
        set_amount(t, v, d);
    }
    static const enum demo_text said[] = {DEMO_FIRST_CALL, DEMO_FIRST_CALL, DEMO_NEEDS, DEMO_OFFER,
                                          DEMO_HAGGLING};
    if (story_chance(s, 75))
        story_say(s, t->act.at + story_between(s, 2, 45) * MINUTE, "opportunities", i,
                  said[d->stage]);
    if (story_chance(s, 75))
        plan_task(s, t->act.at + story_between(s, 46, 59) * MINUTE, i);
    plan_next(s, t->act.at, i, 4, 20);
    enum status st = tell_change(t, "opportunities", d->id, v);
    if (st == OK)
        st = deal_step(t, i);
    return st || d->stage != PROPOSAL ? st : deal_lines(t, i);
}

static enum status deal_edit(struct telling *t, int i) {
    static const char *const tags[] = {"haccp", "gdp", "fleet", "pilot", "renewal", "audit", NULL};
    struct story *s = t->story;
    struct story_deal *d = &s->deals[i];
    if (!d->id || d->closed)
        return OK;
    struct doc *v = doc_object(t->arena);
    doc_set_z(t->arena, v, "tags", story_pick(s, tags));
    doc_set_str(t->arena, v, "description",
                story_text(s, DEMO_NEEDS, language_of(s, d), d, company_of(s, d),
                           &s->contacts[d->contact], t->arena));
    return tell_change(t, "opportunities", d->id, v);
}

static enum status deal_moved(struct telling *t, int i) {
    struct story *s = t->story;
    struct story_deal *d = &s->deals[i];
    if (!d->id || d->closed)
        return OK;
    struct doc *v = doc_object(t->arena);
    doc_set_str(t->arena, v, "closing_date",
                day_text(t->arena, t->act.at + story_between(s, 20, 80) * DAY));
    t->act.reason = story_text(s, DEMO_MOVED, language_of(s, d), d, company_of(s, d),
                               &s->contacts[d->contact], t->arena);
    return tell_change(t, "opportunities", d->id, v);
}

// ---------------------------------------------------------------- leads

enum { LEAD_NEW, LEAD_CONTACTING, LEAD_QUALIFIED, LEAD_REJECTED };

static enum status lead(struct telling *t, int i) {
    static const char *const sources[] = {"web", "campaign", "event", "social", "call", NULL};
    static const char *const interests[] = {"hot", "warm", "warm", "cold", NULL};
    struct story *s = t->story;
    struct story_lead *l = &s->leads[i];
    enum demo_language language = demo_places[l->country].language;
    struct str name = arena_printf(s->arena, "%s %s", story_pick(s, demo_first_names[language]),
                                   story_pick(s, demo_last_names[language]));
    struct doc *v = doc_object(t->arena);
    doc_set_str(t->arena, v, "name", name);
    doc_set_str(t->arena, v, "email", story_email(s, name, STR("mail.example")));
    doc_set_str(t->arena, v, "phone", story_phone(s, l->country));
    doc_set_z(t->arena, v, "source", story_pick(s, sources));
    doc_set_z(t->arena, v, "interest", story_pick(s, interests));
    doc_set_z(t->arena, v, "sector", demo_sectors[language][story_between(s, 0, DEMO_SECTORS - 1)]);
    doc_set_z(t->arena, v, "country", demo_places[l->country].name);
    doc_set_str(t->arena, v, "description",
                story_text(s, DEMO_LEAD, language, NULL, NULL, NULL, t->arena));
    story_plan(s, story_later(s, t->act.at, story_between(s, 0, 3), l->country), STEP_LEAD_NEXT, i);
    return tell_create(t, "leads", v, &l->id);
}

static enum status lead_next(struct telling *t, int i) {
    struct story *s = t->story;
    struct story_lead *l = &s->leads[i];
    struct doc *v = doc_object(t->arena);
    if (l->state == LEAD_NEW) {
        l->state = LEAD_CONTACTING;
        doc_set_z(t->arena, v, "status", "contacting");
        if (story_chance(s, 80))
            story_plan(s, story_later(s, t->act.at, story_between(s, 2, 25), l->country),
                       STEP_LEAD_NEXT, i);
    } else if (story_chance(s, 55)) {
        l->state = LEAD_QUALIFIED;
        doc_set_z(t->arena, v, "status", "qualified");
        doc_set_z(t->arena, v, "interest", "hot");
    } else {
        l->state = LEAD_REJECTED;
        doc_set_z(t->arena, v, "status", "rejected");
        doc_set_str(t->arena, v, "rejected_because",
                    story_text(s, DEMO_REJECTED, demo_places[l->country].language, NULL, NULL, NULL,
                               t->arena));
    }
    return tell_change(t, "leads", l->id, v);
}

int sales_user(const struct story *s, const struct step *step) {
    switch (step->kind) {
    case STEP_LEAD:
    case STEP_LEAD_NEXT:
        return s->leads[step->thing].owner;
    case STEP_TASK_MOVED:
    case STEP_TASK_DONE:
        return s->tasks[step->thing].owner;
    default:
        return s->deals[step->thing].owner;
    }
}

enum status sales_step(struct telling *t, const struct step *step) {
    switch (step->kind) {
    case STEP_LEAD:
        return lead(t, step->thing);
    case STEP_LEAD_NEXT:
        return t->story->leads[step->thing].id ? lead_next(t, step->thing) : OK;
    case STEP_DEAL:
        return deal(t, step->thing);
    case STEP_DEAL_NEXT:
        return deal_next(t, step->thing);
    case STEP_DEAL_EDIT:
        return deal_edit(t, step->thing);
    case STEP_DEAL_MOVED:
        return deal_moved(t, step->thing);
    case STEP_TASK:
        return task(t, step->thing);
    case STEP_TASK_MOVED:
        return task_moved(t, step->thing);
    default:
        return task_done(t, step->thing);
    }
}
