// Time, chance and acts of the story. Chance is a fixed sequence by its seed (splitmix64), so that a story told twice is the
// same.
#include "cli/demo_story.h"

#include <stdio.h>

#include "formats/fold.h"

uint64_t story_random(struct story *s) {
    uint64_t z = (s->random += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

int story_between(struct story *s, int least, int most) {
    return most > least ? least + (int)(story_random(s) % ((uint64_t)(most - least) + 1)) : least;
}

bool story_chance(struct story *s, int percent) {
    return story_between(s, 1, 100) <= percent;
}

const char *story_pick(struct story *s, const char *const *list) {
    int n = 0;
    while (list[n])
        n++;
    return list[story_between(s, 0, n - 1)];
}

// ---------------------------------------------------------------- time

micros story_later(struct story *s, micros at, int days, enum demo_country place) {
    micros day = (at / DAY + days) * DAY;
    for (;;) {
        int weekday = civil_from_micros(day).weekday;
        if (weekday != 0 && weekday != 6)
            break;
        day += DAY;
    }
    int minutes = story_between(s, 8 * 60, 18 * 60) - 60 * demo_places[place].offset;
    micros then = day + minutes * MINUTE + story_between(s, 0, 59) * SECOND;
    return then > at ? then : at + story_between(s, 20, 90) * MINUTE;
}

// ---------------------------------------------------------------- steps, as a heap by time

static bool before(const struct step *a, const struct step *b) {
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void plan(struct story *s, struct step step) {
    if (step.at >= s->now)
        return; // lies in the future: stays open
    BUG_ON(s->n_steps == STORY_STEPS);
    step.order = s->order++;
    int i = s->n_steps++;
    for (; i > 0 && before(&step, &s->steps[(i - 1) / 2]); i = (i - 1) / 2)
        s->steps[i] = s->steps[(i - 1) / 2];
    s->steps[i] = step;
}

void story_plan(struct story *s, micros at, enum step_kind kind, int thing) {
    plan(s, (struct step){.at = at, .kind = kind, .thing = thing});
}

void story_plan_for(struct story *s, micros at, enum step_kind kind, const char *module,
                    int thing) {
    plan(s, (struct step){.at = at, .kind = kind, .module = module, .thing = thing});
}

void story_say(struct story *s, micros at, const char *module, int thing, enum demo_text text) {
    plan(s,
         (struct step){.at = at, .kind = STEP_SAY, .module = module, .thing = thing, .text = text});
}

bool story_next(struct story *s, struct step *out) {
    if (!s->n_steps)
        return false;
    *out = s->steps[0];
    struct step last = s->steps[--s->n_steps];
    int i = 0;
    for (;;) {
        int child = 2 * i + 1;
        if (child >= s->n_steps)
            break;
        if (child + 1 < s->n_steps && before(&s->steps[child + 1], &s->steps[child]))
            child++;
        if (!before(&s->steps[child], &last))
            break;
        s->steps[i] = s->steps[child];
        i = child;
    }
    s->steps[i] = last;
    return true;
}

// ---------------------------------------------------------------- texts

// Small letters, with one sign between the words.
static struct str plain(struct story *s, struct str text, char between) {
    struct str folded = fold_str(s->arena, text);
    char *out = arena_bytes(s->arena, folded.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < folded.n; i++) {
        if (folded.p[i] >= 'a' && folded.p[i] <= 'z')
            out[n++] = folded.p[i];
        else if (n && out[n - 1] != between)
            out[n++] = between;
    }
    while (n && out[n - 1] == between)
        n--;
    return (struct str){out, n};
}

struct str story_email(struct story *s, struct str name, struct str of) {
    return arena_printf(s->arena, "%.*s@%.*s", STR_FMT(plain(s, name, '.')), STR_FMT(of));
}

struct str story_host(struct story *s, const char *company) {
    return arena_printf(s->arena, "%.*s.example", STR_FMT(plain(s, str_z(company), '-')));
}

struct str story_phone(struct story *s, enum demo_country place) {
    char *number = arena_dup(s->arena, str_z(demo_places[place].phone));
    for (char *c = number; *c; c++)
        if (*c == '#')
            *c = (char)('0' + story_between(s, 0, 9));
    return str_z(number);
}

struct str story_amount(const struct story_company *c, int64_t amount, struct arena *a) {
    return arena_printf(a, "%lld %s", (long long)amount, demo_places[c->data->country].currency);
}

struct str story_text(struct story *s, enum demo_text what, enum demo_language language,
                      const struct story_deal *deal, const struct story_company *company,
                      const struct story_contact *contact, struct arena *a) {
    struct str text = str_z(story_pick(s, demo_texts[what][language]));
    struct buf out = BUF_INIT(8192);
    while (text.n) {
        const char *open = memchr(text.p, '{', text.n),
                   *close = open ? memchr(open, '}', (size_t)(text.p + text.n - open)) : NULL;
        if (!close) {
            buf_str(&out, text);
            break;
        }
        buf_add(&out, text.p, (size_t)(open - text.p));
        struct str name = {open + 1, (size_t)(close - open) - 1};
        if (str_is(name, "contact"))
            buf_str(&out, contact ? contact->name : STR("—"));
        else if (str_is(name, "company"))
            buf_z(&out, company ? company->data->name : "—");
        else if (str_is(name, "product"))
            buf_z(
                &out,
                demo_products[deal ? deal->product : story_between(s, 0, (int)demo_n_products - 1)]
                    .name);
        else if (str_is(name, "amount") && deal && company)
            buf_str(&out, story_amount(company, deal->amount, a));
        text.n -= (size_t)(close + 1 - text.p);
        text.p = close + 1;
    }
    struct str made = arena_str(a, buf_view(&out));
    buf_release(&out);
    return made;
}

// ---------------------------------------------------------------- acts

enum status tell_as(struct telling *t, struct write *w, struct crm *crm, int user, micros at) {
    t->viewer = (struct viewer){.profile = PROFILE_ADMINISTRATOR, .local = {.zone = STR("UTC")}};
    if (user >= 0) {
        const struct demo_user *who = &demo_users[user];
        t->viewer.user = t->story->users[user];
        t->viewer.profile = profile_find(str_z(who->profile));
        t->viewer.name = str_z(who->name);
    }
    t->act = (struct act){
        .viewer = &t->viewer, .channel = CHANNEL_DEMO, .operation = -1, .cause = -1, .at = at};
    t->arena = w->arena;
    return action_begin(&t->action, w, crm, &t->act, t->error);
}

enum status tell_create(struct telling *t, const char *module, const struct doc *values,
                        int64_t *id) {
    return record_create(&t->action, model_module(t->action.model, str_z(module)), values, id,
                         t->error);
}

enum status tell_change(struct telling *t, const char *module, int64_t id,
                        const struct doc *values) {
    return record_change(&t->action, model_module(t->action.model, str_z(module)), id, 0, values,
                         NULL, NULL, t->error);
}
