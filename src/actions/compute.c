// One function per module that computes something; the table at the end says which.
#include "actions/compute.h"
#include "actions/part.h"
#include "actions/process.h"

#include "formats/decimal.h"
#include "formats/json.h"

#define MONEY_SCALE 4

__extension__ typedef __int128 wide;

struct computing {
    struct action *action;
    const struct module *module;
    const struct doc *before;
    struct values *values;
};

// The value the field will have after this change.
static const struct doc *will_be(const struct computing *c, const char *key) {
    const struct field *f = module_field(c->module, str_z(key));
    if (!f)
        return NULL;
    const struct doc *given = c->values->of_field[f->number];
    return given ? given : doc_get(c->before, f->key);
}

static bool given(const struct computing *c, const char *key) {
    const struct field *f = module_field(c->module, str_z(key));
    return f && c->values->of_field[f->number];
}

static void put(const struct computing *c, const char *key, const struct doc *v) {
    const struct field *f = module_field(c->module, str_z(key));
    if (f && !value_equal(f, v, doc_get(c->before, f->key)))
        c->values->of_field[f->number] = v;
}

static const struct doc *moment(const struct computing *c) {
    struct arena *a = c->action->write->arena;
    char text[CLOCK_TEXT];
    clock_text(c->action->act->at ? c->action->act->at : c->action->write->now, text);
    return doc_str(a, arena_str(a, str_z(text)));
}

// The phase gives the probability, and with the amount what may be expected.
static void opportunity(const struct computing *c) {
    struct arena *a = c->action->write->arena;
    const struct field *stage = module_field(c->module, STR("stage"));
    const struct choice *phase = stage ? field_choice(stage, doc_text(will_be(c, "stage"))) : NULL;
    const struct doc *amount = will_be(c, "amount");
    int64_t percent = phase ? phase->percent : -1, units = 0;
    put(c, "probability", percent < 0 ? doc_null(a) : doc_int(a, percent));
    if (percent < 0 || doc_is_null(amount) ||
        !decimal_parse(doc_get_text(amount, "amount"), MONEY_SCALE, &units)) {
        put(c, "expected", doc_null(a));
        return;
    }
    // Half away from zero at the cent; in 128 bits, since an amount may be near the largest there is.
    wide cents = (wide)units * percent;
    wide half = cents < 0 ? -5000 : 5000;
    int64_t expected = (int64_t)((cents + half) / 10000) * 100;
    char text[DECIMAL_TEXT];
    decimal_text(expected, MONEY_SCALE, 2, text);
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "amount", arena_str(a, str_z(text)));
    doc_set_str(a, d, "currency", doc_get_text(amount, "currency"));
    put(c, "expected", d);
}

static void solved_case(const struct computing *c) {
    struct arena *a = c->action->write->arena;
    struct str status = doc_text(will_be(c, "status"));
    if (!given(c, "status"))
        return;
    bool solved = str_is(status, "solved") || str_is(status, "closed");
    bool was = !doc_is_null(doc_get(c->before, STR("solved_at")));
    if (solved && !was)
        put(c, "solved_at", moment(c));
    else if (!solved && was)
        put(c, "solved_at", doc_null(a));
}

static void done_task(const struct computing *c) {
    struct arena *a = c->action->write->arena;
    if (!given(c, "done"))
        return;
    bool was = doc_get_true(c->before, "done"), is = doc_true(will_be(c, "done"));
    if (is && !was)
        put(c, "done_at", moment(c));
    else if (!is)
        put(c, "done_at", doc_null(a));
    // What came of it the last time stands in the history; the next time it is asked anew.
    if (was && !is && !given(c, "outcome"))
        put(c, "outcome", doc_null(a));
    if (was && !is && !given(c, "result"))
        put(c, "result", doc_null(a));
}

static void line(const struct computing *c) {
    line_compute(c->action, c->module, c->before, c->values);
}

// Each line of a process has a key, by which ticks know it.
static void process(const struct computing *c) {
    if (given(c, "steps"))
        put(c, "keys",
            process_keys(doc_text(will_be(c, "steps")), doc_get(c->before, STR("keys")),
                         c->action->write->arena));
}

// Whether a user can sign in, in one word. Who is invited is so until the invitation is accepted.
static void user(const struct computing *c) {
    struct str now = doc_get_text(c->before, "state");
    bool invited = c->before ? str_is(now, "invited") : c->action->invites;
    const char *state = !doc_true(will_be(c, "active")) ? "inactive"
                        : invited                       ? "invited"
                                                        : "active";
    put(c, "state", doc_str(c->action->write->arena, str_z(state)));
}

static const struct {
    const char *module;
    void (*compute)(const struct computing *);
} computed[] = {
    {"opportunities", opportunity}, {"cases", solved_case}, {"tasks", done_task}, {"lines", line},
    {"processes", process},         {"users", user},
};

void values_compute(struct action *a, const struct module *m, const struct doc *before,
                    struct values *v) {
    struct computing c = {a, m, before, v};
    for (size_t i = 0; i < sizeof computed / sizeof *computed; i++)
        if (str_is(m->key, computed[i].module))
            computed[i].compute(&c);
}
