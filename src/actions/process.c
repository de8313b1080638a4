#include "actions/process.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "formats/json.h"
#include "formats/fold.h"
#include "records/rows.h"

// ---------------------------------------------------------------- lines and keys

struct line {
    struct str name, key;
};

// The lines with something in them.
static size_t split_lines(struct str text, struct line *out, size_t most) {
    size_t n = 0;
    while (text.n && n < most) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (line.n)
            out[n++] = (struct line){.name = line};
    }
    return n;
}

static size_t known_lines(const struct doc *keys, struct line *out, size_t most) {
    size_t n = 0;
    doc_each(step, doc_get(keys, STR("steps")))
        if (n < most)
            out[n++] = (struct line){doc_get_text(step, "name"), doc_get_text(step, "key")};
    return n;
}

static size_t without_key(const struct line *lines, size_t n) {
    size_t without = 0;
    for (size_t i = 0; i < n; i++)
        without += !lines[i].key.n;
    return without;
}

// A line that is there to the letter keeps its key; so does one that was written anew where it stood, and what remains in
// its order when as many lines went as came.
static void match_lines(struct line *lines, size_t n, struct line *known, size_t n_known) {
    bool *taken = calloc(n_known + 1, sizeof *taken);
    size_t left = n_known;
    BUG_ON(!taken);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n_known && !lines[i].key.n; j++)
            if (!taken[j] && str_eq(lines[i].name, known[j].name)) {
                lines[i].key = known[j].key;
                taken[j] = true;
                left--;
            }
    bool pairs = left == without_key(lines, n);
    for (size_t i = 0, j = 0; i < n; i++) {
        if (lines[i].key.n)
            continue;
        while (pairs && taken[j])
            j++;
        size_t from = pairs ? j : i;
        if (from < n_known && !taken[from]) {
            lines[i].key = known[from].key;
            taken[from] = true;
        }
    }
    free(taken);
}

struct doc *process_keys(struct str text, const struct doc *before, struct arena *a) {
    struct line *lines = arena_array(a, struct line, PROCESS_STEPS_MAX),
                *known = arena_array(a, struct line, PROCESS_STEPS_MAX);
    size_t n = split_lines(text, lines, PROCESS_STEPS_MAX);
    before = doc_is_null(before) ? NULL : doc_opened(a, before);
    size_t n_known = known_lines(before, known, PROCESS_STEPS_MAX);
    int64_t next = doc_get_int(before, "next", 1);
    match_lines(lines, n, known, n_known);
    struct doc *d = doc_object(a), *steps = doc_array(a);
    for (size_t i = 0; i < n; i++) {
        struct doc *step = doc_add(steps, doc_object(a));
        if (!lines[i].key.n)
            lines[i].key = arena_printf(a, "s%lld", (long long)next++);
        doc_set_str(a, step, "key", lines[i].key);
        doc_set_str(a, step, "name", lines[i].name);
    }
    doc_set_int(a, d, "next", next);
    doc_set(d, STR("steps"), steps);
    return d;
}

// ---------------------------------------------------------------- what may not be said

static enum status refuse(struct problems *p, const char *field, const char *why, const char *arg) {
    struct error *here = problems_next(p);
    return problems_note(p, here, error_set(here, INVALID, field, why, arg, NULL));
}

static enum status check_steps(struct action *a, const struct doc *given, struct problems *p) {
    struct line *lines = arena_array(a->write->arena, struct line, PROCESS_STEPS_MAX + 1);
    size_t n = split_lines(doc_text(given), lines, PROCESS_STEPS_MAX + 1);
    if (n > PROCESS_STEPS_MAX)
        return refuse(p, "steps", N_("At most {0} steps."), "60");
    for (size_t i = 0; i < n; i++) {
        if (grapheme_count(lines[i].name) > PROCESS_STEP_MAX)
            return refuse(p, "steps", N_("A step has at most {0} characters."), "200");
        for (size_t j = 0; j < i; j++)
            if (str_eq(lines[i].name, lines[j].name))
                return refuse(p, "steps", N_("The step “{0}” is there twice."),
                              arena_dup(a->write->arena, lines[i].name));
    }
    return OK;
}

static const struct doc *given(const struct module *m, const struct values *v, const char *key) {
    const struct field *f = module_field(m, str_z(key));
    return f ? v->of_field[f->number] : NULL;
}

enum status process_check(struct action *a, const struct module *m, const struct doc *before,
                          const struct values *v, struct problems *p) {
    (void)before;
    if (str_is(m->key, "processes"))
        return given(m, v, "steps") ? check_steps(a, given(m, v, "steps"), p) : OK;
    const struct field *f = module_field(m, STR("process"));
    const struct module *processes = model_module(a->model, STR("processes"));
    int64_t id = f ? doc_integer(v->of_field[f->number], 0) : 0;
    struct doc *row;
    if (!id || !str_is(f->target, "processes") || !processes ||
        row_get(a->write->conn, processes, id, a->write->arena, &row, NULL) != OK)
        return OK; // whether it is there at all is looked at with all links
    if (str_eq(doc_get_text(row, "of_module"), m->key))
        return OK;
    return refuse(p, "process", N_("This process is not for records of this kind."), NULL);
}

// ---------------------------------------------------------------- ticks

static bool is_tick(const struct doc *tick, int64_t process, struct str step) {
    return doc_get_int(tick, "process", 0) == process && str_eq(doc_get_text(tick, "step"), step);
}

// The ticks with this one added, or left out; NULL when they are so already.
static struct doc *turned(struct action *a, const struct doc *ticks, int64_t process,
                          struct str step, bool done) {
    struct arena *arena = a->write->arena;
    struct doc *now = doc_array(arena);
    bool was = false;
    doc_each(tick, ticks) {
        if (is_tick(tick, process, step))
            was = true;
        else
            doc_add(now, doc_copy(arena, tick));
    }
    if (was == done)
        return NULL;
    if (!done)
        return now;
    struct doc *tick = doc_add(now, doc_object(arena));
    char at[CLOCK_TEXT];
    clock_text(a->act->at ? a->act->at : a->write->now, at);
    doc_set_str(arena, tick, "at", arena_str(arena, str_z(at)));
    doc_set_int(arena, tick, "by", a->act->viewer->user);
    doc_set_int(arena, tick, "process", process);
    doc_set_str(arena, tick, "step", arena_str(arena, step));
    return now;
}

static const struct doc *step_called(const struct doc *keys, struct str key) {
    doc_each(step, doc_get(keys, STR("steps")))
        if (str_eq(doc_get_text(step, "key"), key))
            return step;
    return NULL;
}

static enum status commit_turn(struct action *a, const struct module *m, int64_t id,
                               const struct event_item *steps, const struct doc *process,
                               const struct doc *step, bool done, int64_t *position,
                               struct error *e) {
    struct arena *arena = a->write->arena;
    struct doc *what = doc_object(arena), *of = doc_object(arena);
    doc_set_str(arena, what, "key", doc_get_text(step, "key"));
    doc_set_str(arena, what, "name", doc_get_text(step, "name"));
    doc_set_int(arena, of, "id", doc_get_int(process, "id", 0));
    doc_set_str(arena, of, "name", doc_get_text(process, "name"));
    doc_set(what, STR("process"), of);
    struct event_item items[] = {*steps, {STR("~step"), NULL, what}};
    struct event ev = {.kind = done ? KIND_STEP_TICKED : KIND_STEP_UNTICKED,
                       .module = m->key,
                       .record = id,
                       .items = items,
                       .n_items = 2};
    enum status s = record_commit(a->write, a->crm, a->act, &ev, e);
    if (!s && position)
        *position = ev.position;
    return s;
}

enum status step_turn(struct action *a, const struct module *m, int64_t id, struct str key,
                      bool done, int64_t *position, struct error *e) {
    struct arena *arena = a->write->arena;
    const struct module *processes = model_module(a->model, STR("processes"));
    const struct field *f = module_field(m, STR("steps"));
    struct doc *row, *process = NULL;
    enum status s = action_record(a, m, id, VERB_EDIT, &row, e);
    if (s)
        return s;
    const struct field *by = module_field(m, STR("process"));
    bool shown = f && by && may_field(a->act->viewer, m, f, false) &&
                 may_field(a->act->viewer, m, by, false);
    int64_t of = shown && f->type == TYPE_JSON ? doc_integer(doc_get(row, STR("process")), 0) : 0;
    if (of)
        s = row_get(a->write->conn, processes, of, arena, &process, e);
    const struct doc *keys = doc_get(process, STR("keys"));
    const struct doc *step = doc_is_null(keys) ? NULL : step_called(doc_opened(arena, keys), key);
    if (s || !step || !f)
        return s ? s : error_set(e, NOT_FOUND, "step", N_("There is no such step."), NULL);
    const struct doc *old = doc_get(row, STR("steps"));
    struct doc *now = turned(a, doc_is_null(old) ? NULL : doc_opened(arena, old), of, key, done);
    if (!now)
        return error_set(
            e, CONFLICT, NULL,
            done ? N_("This step was ticked already.") : N_("This step is not ticked."), NULL);
    struct event_item item = {f->key, old, now->count ? now : doc_null(arena)};
    return commit_turn(a, m, id, &item, process, step, done, position, e);
}
