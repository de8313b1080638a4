// The steps of a process and the lines of products, on the cards they belong to.
#include "web/parts.h"
#include "actions/part.h"
#include "actions/process.h"
#include "formats/decimal.h"
#include "formats/json.h"
#include "records/rows.h"
#include "web/card.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/present_card.h"
#include "web/respond.h"
#include "web/routes.h"
#include "web/text.h"

#define ROWS_MAX (LINES_MAX + 1)

// ---------------------------------------------------------------- steps: reading

static bool has_steps(const struct module *m) {
    const struct field *f = module_field(m, STR("steps"));
    return f && f->type == TYPE_JSON && module_field(m, STR("process"));
}

static struct doc *opened_member(struct request *r, const struct doc *d, const char *name) {
    const struct doc *v = doc_get(d, str_z(name));
    return doc_is_null(v) ? NULL : doc_opened(r->arena, v);
}

// The name of everyone who ticked something.
static enum status read_people(struct request *r, const struct doc *ticks, struct doc **out,
                               struct error *e) {
    const struct module *users = model_module(r->model, STR("users"));
    struct doc *people = doc_object(r->arena);
    enum status s = OK;
    doc_each(tick, ticks) {
        int64_t id = doc_get_int(tick, "by", 0);
        struct str key = int_text(r->arena, id), name = {0};
        if (s || id <= 0 || doc_get(people, key))
            continue;
        s = record_name(&r->reader, users, id, &name, NULL, e);
        doc_set(people, key, doc_str(r->arena, name));
    }
    *out = people;
    return s;
}

static enum status read_process(struct request *r, const struct doc *record, struct card_parts *p,
                                struct error *e) {
    const struct module *m = model_module(r->model, STR("processes"));
    int64_t id = doc_get_int(doc_get(record, STR("process")), "id", 0);
    if (!has_steps(r->module) || !m || !id || !may(&r->viewer, m, VERB_VIEW))
        return OK;
    enum status s = record_get(&r->reader, m, id, &p->process, e);
    if (s == NOT_FOUND)
        return error_pass(s, NOT_FOUND, e);
    return s ? s : read_people(r, opened_member(r, record, "steps"), &p->people, e);
}

static const struct doc *tick_of(const struct doc *ticks, int64_t process, struct str step) {
    doc_each(tick, ticks)
        if (doc_get_int(tick, "process", 0) == process && str_eq(doc_get_text(tick, "step"), step))
            return tick;
    return NULL;
}

// {"process": {"id","name"} or null, "items": [{"key","name","done","at","by": {"id","name"} or null}]}
static struct doc *steps_document(struct request *r, const struct card_parts *p,
                                  const struct doc *record) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    const struct doc *keys = p->process ? opened_member(r, p->process, "keys") : NULL,
                     *ticks = opened_member(r, record, "steps"),
                     *process = doc_get(record, STR("process"));
    doc_set(d, STR("process"), doc_is_null(process) ? doc_null(a) : doc_copy(a, process));
    struct doc *items = doc_set_array(a, d, "items");
    doc_each(step, doc_get(keys, STR("steps"))) {
        struct str key = doc_get_text(step, "key");
        const struct doc *tick = tick_of(ticks, doc_get_int(p->process, "id", 0), key);
        struct doc *item = doc_add(items, doc_object(a)), *by = doc_null(a);
        int64_t who = doc_get_int(tick, "by", 0);
        if (who > 0) {
            by = doc_object(a);
            doc_set_int(a, by, "id", who);
            doc_set_str(a, by, "name", doc_text(doc_get(p->people, int_text(a, who))));
        }
        doc_set_str(a, item, "key", key);
        doc_set_str(a, item, "name", doc_get_text(step, "name"));
        doc_set_bool(a, item, "done", tick != NULL);
        doc_set(item, STR("at"), tick ? doc_str(a, doc_get_text(tick, "at")) : doc_null(a));
        doc_set(item, STR("by"), by);
    }
    return d;
}

static struct doc *process_view(struct request *r, const struct card_parts *p,
                                const struct doc *record, bool may_edit) {
    struct arena *a = r->arena;
    struct doc *document = steps_document(r, p, record), *d = doc_object(a),
               *items = doc_set_array(a, d, "items");
    int64_t n = 0, done = 0;
    if (!p->process)
        return doc_null(a);
    doc_each(step, doc_get(document, STR("items"))) {
        struct doc *item = doc_add(items, doc_object(a)), *runs = doc_set_array(a, item, "who");
        bool ticked = doc_get_true(step, "done");
        micros at;
        n++;
        done += ticked;
        doc_set_str(a, item, "key", doc_get_text(step, "key"));
        doc_set_str(a, item, "label", doc_get_text(step, "name"));
        doc_set_bool(a, item, "done", ticked);
        const struct doc *by = doc_get(step, STR("by"));
        if (!doc_is_null(by))
            doc_add(runs, run_person(r, doc_get_int(by, "id", 0), doc_get_text(by, "name")));
        if (clock_parse(doc_get_text(step, "at"), &at))
            doc_add(runs, run_moment(r, at));
    }
    doc_set_str(a, d, "title", doc_get_text(p->process, "name"));
    doc_set_str(a, d, "count",
                FILL(a, T(r->language, "{0} of {1}"), int_text(a, done), int_text(a, n)));
    doc_set_bool(a, d, "complete", n && done == n);
    doc_set(
        d, STR("action"),
        or_null(r, may_edit ? JOIN(a, href_of(r, r->module->key, r->id), STR("/steps")) : STR("")));
    return d;
}

// ---------------------------------------------------------------- steps: the API, ticking

void handle_steps(struct request *r) {
    struct card_parts p = {0};
    struct doc *record;
    enum status s = record_get(&r->reader, r->module, r->id, &record, &r->error);
    if (!s)
        s = read_process(r, record, &p, &r->error);
    if (s)
        respond_error(r, &r->error);
    else
        respond_json(r, 200, steps_document(r, &p, record));
}

struct ticking {
    struct str step;
    bool done;
};

static enum status write_tick(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const struct ticking *t = r->arg;
    return step_turn(a, model_module(a->model, r->module->key), r->id, t->step, t->done, &r->result,
                     e);
}

static void ticked(struct request *r) {
    if (r->outcome)
        respond_error(r, &r->error);
    else
        card_respond_event(r);
}

void handle_step(struct request *r) {
    struct ticking *t = arena_new(r->arena, struct ticking);
    const struct doc *done = r->body ? doc_get(r->body, STR("done")) : NULL;
    t->step = input_text(r, "step");
    t->done = done ? doc_true(done) : str_is(input_text(r, "done"), "1");
    if (r->body && (!done || done->type != DOC_BOOL)) {
        error_set(&r->error, INVALID, "done", N_("This must be filled in."), NULL);
        respond_error(r, &r->error);
        return;
    }
    request_write(r, write_tick, t, ticked);
}

// ---------------------------------------------------------------- lines: reading

static bool has_lines(struct request *r) {
    const struct module *m = model_module(r->model, STR("lines"));
    return str_is(r->module->key, "opportunities") && m && may(&r->viewer, m, VERB_VIEW);
}

static enum status read_lines(struct request *r, const struct doc *record, struct card_parts *p,
                              struct error *e) {
    micros at;
    if (!has_lines(r))
        return OK;
    if (clock_parse(doc_get_text(record, "as_of"), &at))
        return lines_list_then(&r->reader, r->id, at, &p->lines, e);
    return lines_list(&r->reader, r->id, &p->lines, e);
}

// What the lines come to, by currency.
static struct doc *sums_of(struct request *r, const struct doc *lines) {
    struct arena *a = r->arena;
    struct doc *sums = doc_array(a);
    doc_each(line, lines) {
        const struct doc *total = doc_get(line, STR("total"));
        struct str currency = doc_get_text(total, "currency");
        struct doc *sum = NULL;
        int64_t units = 0, more = 0;
        char text[DECIMAL_TEXT];
        if (doc_is_null(total))
            continue;
        doc_each(one, sums)
            if (str_eq(doc_get_text(one, "currency"), currency))
                sum = one;
        decimal_parse(doc_get_text(total, "amount"), 4, &units);
        if (sum)
            decimal_parse(doc_get_text(sum, "amount"), 4, &more);
        if (__builtin_add_overflow(units, more, &units))
            continue;
        decimal_text(units, 4, 2, text);
        if (!sum) {
            sum = doc_add(sums, doc_object(a));
            doc_set_str(a, sum, "amount", STR(""));
            doc_set_str(a, sum, "currency", currency);
        }
        doc_replace(sum, STR("amount"), doc_str(a, arena_str(a, str_z(text))));
    }
    return sums;
}

void handle_lines(struct request *r) {
    struct card_parts p = {0};
    struct doc *record, *d = doc_object(r->arena);
    if (!has_lines(r)) {
        respond_status(r, 404, NULL);
        return;
    }
    enum status s = record_get(&r->reader, r->module, r->id, &record, &r->error);
    if (!s)
        s = read_lines(r, record, &p, &r->error);
    if (s) {
        respond_error(r, &r->error);
        return;
    }
    doc_set(d, STR("items"), doc_copy(r->arena, p.lines));
    doc_set(d, STR("sums"), sums_of(r, p.lines));
    respond_json(r, 200, d);
}

// ---------------------------------------------------------------- lines: what is shown

// "line-7-price", sent as "price.7".
static struct doc *cell(struct request *r, const struct module *m, struct str row, const char *key,
                        const struct doc *line, const struct form_state *again) {
    struct arena *a = r->arena;
    const struct field *f = module_field(m, str_z(key));
    struct control_state state = {
        .value = doc_get(line, f->key),
        .typed = again ? &again->typed : NULL,
        .problem = again ? problem_of(r, &again->problems, f->key) : STR(""),
        .found = again && again->found ? doc_get(again->found, f->key) : NULL};
    if (again && line && !pairs_has(&again->typed, key))
        state.typed = NULL; // shown, but not sent
    struct doc *d = control(r, m, f, &state);
    doc_replace(d, STR("id"), doc_str(a, JOIN(a, STR("line-"), row, STR("-"), str_z(key))));
    doc_replace(d, STR("name"), doc_str(a, JOIN(a, str_z(key), STR("."), row)));
    doc_replace(d, STR("help"), doc_str(a, STR("")));
    return d;
}

static struct doc *cells(struct request *r, const struct module *m, struct str row,
                         const struct doc *line, const struct form_state *again) {
    static const char *const keys[] = {"product", "name", "quantity", "price", "discount"};
    struct doc *d = doc_object(r->arena);
    for (size_t i = 1; i < sizeof keys / sizeof *keys; i++)
        doc_set(d, str_z(keys[i]), cell(r, m, row, keys[i], line, again));
    doc_set(d, STR("product"), doc_null(r->arena));
    const struct doc *product = doc_get(line, STR("product"));
    bool same = str_eq(doc_get_text(product, "name"), doc_get_text(line, "name"));
    doc_set(d, STR("products"),
            value_runs(r, module_field(m, STR("product")), same ? NULL : product, NULL));
    doc_set_str(r->arena, d, "row", row);
    return d;
}

static void shown_cells(struct request *r, const struct module *m, const struct doc *line,
                        struct doc *out) {
    static const char *const keys[] = {"name", "quantity", "price", "discount", "total", "product"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct field *f = module_field(m, str_z(keys[i]));
        doc_set(out, str_z(keys[i]), value_runs(r, f, doc_get(line, f->key), NULL));
    }
}

static struct doc *line_view(struct request *r, const struct module *m, const struct doc *line,
                             const struct lines_again *again, bool may_edit) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    int64_t id = doc_get_int(line, "id", 0);
    const struct form_state *typed = again && again->id == id ? again->line : NULL;
    doc_set_int(a, d, "id", id);
    doc_set_int(a, d, "version", doc_get_int(line, "version", 0));
    doc_set_str(a, d, "href", href_of(r, m->key, id));
    doc_set_str(a, d, "label", doc_get_text(line, "name"));
    struct doc *shown = doc_set_object(a, d, "shown");
    shown_cells(r, m, line, shown);
    doc_set(d, STR("edit"), may_edit ? cells(r, m, int_text(a, id), line, typed) : doc_null(a));
    return d;
}

static struct doc *columns_view(struct request *r, const struct module *m) {
    static const char *const keys[] = {"name", "quantity", "price", "discount", "total"};
    struct doc *list = doc_array(r->arena);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct doc *d = doc_add(list, doc_object(r->arena));
        doc_set_str(r->arena, d, "label", field_label(r, module_field(m, str_z(keys[i]))));
        doc_set_bool(r->arena, d, "number", i > 0);
    }
    return list;
}

static struct doc *new_line(struct request *r, const struct module *m,
                            const struct lines_again *again, const struct doc *record) {
    struct arena *a = r->arena;
    struct doc *start = doc_object(a), *price = doc_object(a);
    const struct form_state *typed = again && !again->id ? again->line : NULL;
    doc_set_str(a, start, "quantity", STR("1"));
    doc_set_str(a, price, "currency", doc_get_text(doc_get(record, STR("amount")), "currency"));
    doc_set(start, STR("price"), price);
    struct doc *d = doc_object(a);
    static const char *const keys[] = {"product", "name", "quantity", "price", "discount"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct doc *one = doc_set(d, str_z(keys[i]), cell(r, m, STR("new"), keys[i], start, typed));
        if (str_is(doc_get_text(one, "key"), "product")) // found, not made on the way
            doc_replace(one, STR("new_label"), doc_str(a, STR("")));
    }
    doc_set_str(a, d, "row", STR("new"));
    doc_set_array(a, d, "products");
    doc_set_bool(a, d, "open", typed != NULL);
    return d;
}

static struct doc *lines_view(struct request *r, const struct card_parts *p,
                              const struct doc *record, bool may_edit) {
    struct arena *a = r->arena;
    const struct module *m = model_module(r->model, STR("lines"));
    if (!p->lines || (!p->lines->count && !may_edit))
        return doc_null(a);
    struct doc *d = doc_object(a), *rows = doc_set_array(a, d, "rows");
    struct str here = href_of(r, r->module->key, r->id);
    doc_each(line, p->lines)
        doc_add(rows, line_view(r, m, line, p->again, may_edit));
    doc_set_int(a, d, "count", (int64_t)rows->count);
    doc_set_bool(a, d, "some", rows->count > 0);
    doc_set(d, STR("columns"), columns_view(r, m));
    struct doc *sums = doc_set_array(a, d, "sums");
    doc_each(sum, sums_of(r, p->lines)) {
        struct doc *runs = value_runs(r, module_field(m, STR("total")), sum, NULL);
        if (doc_first(runs))
            doc_add(sums, doc_copy(a, doc_first(runs)));
    }
    doc_set(d, STR("action"), or_null(r, may_edit ? JOIN(a, here, STR("/lines")) : STR("")));
    doc_set(d, STR("add"), may_edit ? new_line(r, m, p->again, record) : doc_null(a));
    doc_set_bool(a, d, "follows", doc_get_true(record, "amount_from_lines"));
    doc_set_str(a, d, "follow_action", here);
    doc_set_str(a, d, "problem", p->again ? p->again->problem : STR(""));
    doc_set_bool(a, d, "open", p->lines->count || p->again);
    return d;
}

// ---------------------------------------------------------------- lines: saving

struct line_sent {
    int64_t id; // 0: the new one
    int64_t version;
    struct form_state *form;
};

struct lines_sent {
    struct line_sent *rows;
    size_t n, at; // at: the one that was being written
    int64_t remove, up, down;
};

// The fields of one row, without its number: "price.7.currency" is "price.currency" of row 7.
static struct pairs row_pairs(struct request *r, struct str row) {
    struct pairs out = {.p = arena_array(r->arena, struct pair, r->form.n + 1)};
    for (size_t i = 0; i < r->form.n; i++) {
        struct str rest = r->form.p[i].name, key = str_cut(&rest, '.'),
                   number = str_cut(&rest, '.');
        if (!str_eq(number, row))
            continue;
        struct str name = rest.n ? JOIN(r->arena, key, STR("."), rest) : key;
        out.p[out.n++] = (struct pair){name, r->form.p[i].value};
    }
    return out;
}

// As a form of the module of lines; false where it has a problem.
static bool take_row(struct request *r, struct str row, struct line_sent *out) {
    struct pairs all = r->form;
    const struct module *m = r->module;
    struct form_state *s = arena_new(r->arena, struct form_state);
    r->form = row_pairs(r, row);
    r->module = model_module(r->model, STR("lines"));
    bool good = form_values(r, s);
    str_int(pairs_get(&r->form, "version"), &out->version);
    r->form = all;
    r->module = m;
    out->form = s;
    return good;
}

static bool says_nothing(const struct form_state *s) {
    return doc_is_null(doc_get(s->values, STR("name"))) &&
           doc_is_null(doc_get(s->values, STR("product"))) &&
           doc_is_null(doc_get(s->values, STR("price"))) && s->problems.status == OK;
}

static enum status write_line(struct action *a, struct request *r, const struct line_sent *line,
                              struct error *e) {
    const struct module *m = model_module(a->model, STR("lines"));
    struct arena *arena = a->write->arena;
    struct doc *values = doc_copy(arena, line->form->values), *row;
    int64_t id;
    if (line->id) {
        enum status s = line_get(a, r->id, line->id, &row, e);
        return s ? s : record_change(a, m, line->id, line->version, values, NULL, NULL, e);
    }
    doc_set_int(arena, values, "opportunity", r->id);
    if (doc_is_null(doc_get(values, STR("name"))))
        doc_remove(values, STR("name")); // as the product is called
    if (doc_is_null(doc_get(values, STR("price"))))
        doc_remove(values, STR("price"));
    return record_create(a, m, values, &id, e);
}

static enum status write_lines(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct lines_sent *sent = r->arg;
    const struct module *m = model_module(a->model, STR("lines"));
    struct doc *row;
    enum status s =
        action_record(a, model_module(a->model, r->module->key), r->id, VERB_EDIT, &row, e);
    for (sent->at = 0; sent->at < sent->n && !s; sent->at++)
        if ((s = write_line(a, r, &sent->rows[sent->at], e)))
            break;
    if (!s && sent->remove) {
        s = line_get(a, r->id, sent->remove, &row, e);
        s = s ? s : record_delete(a, m, sent->remove, e);
    }
    if (!s && sent->up)
        s = line_move(a, r->id, sent->up, true, e);
    if (!s && sent->down)
        s = line_move(a, r->id, sent->down, false, e);
    return s;
}

static void show_again(struct request *r, struct line_sent *line) {
    struct doc *record;
    struct lines_again *again = arena_new(r->arena, struct lines_again);
    *again = (struct lines_again){.id = line->id, .line = line->form};
    if (!line->form->problems.field[0])
        again->problem = error_translated(r->arena, r->language, &line->form->problems);
    r->error = (struct error){0};
    if (card_read(r, &record, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    struct card_state *card = r->state;
    card->parts.again = again;
    respond_page(r, 422, "card", present_card(r, record), record);
}

static void lines_written(struct request *r) {
    struct lines_sent *sent = r->arg;
    if (r->outcome == INVALID && sent->at < sent->n) {
        sent->rows[sent->at].form->problems = r->error;
        show_again(r, &sent->rows[sent->at]);
    } else if (r->outcome) {
        respond_error(r, &r->error);
    } else {
        respond_done(r, 200, NULL, JOIN(r->arena, href_of(r, r->module->key, r->id), STR("#lines")),
                     "saved");
    }
}

void handle_lines_save(struct request *r) {
    struct lines_sent *sent = arena_new(r->arena, struct lines_sent);
    sent->rows = arena_array(r->arena, struct line_sent, ROWS_MAX);
    if (!has_lines(r)) {
        respond_status(r, 404, NULL);
        return;
    }
    str_int(input_text(r, "delete"), &sent->remove);
    str_int(input_text(r, "up"), &sent->up);
    str_int(input_text(r, "down"), &sent->down);
    for (size_t i = 0; i < r->form.n && sent->n < ROWS_MAX; i++) {
        struct str row = r->form.p[i].name, key = str_cut(&row, '.');
        struct line_sent *line = &sent->rows[sent->n];
        *line = (struct line_sent){0};
        bool fresh = str_is(row, "new");
        if (!str_is(key, "name") || (!fresh && (!str_int(row, &line->id) || line->id <= 0)) ||
            line->id == (sent->remove ? sent->remove : -1))
            continue;
        bool good = take_row(r, row, line);
        if (fresh && says_nothing(line->form))
            continue;
        if (!good) {
            show_again(r, line);
            return;
        }
        sent->n++;
    }
    request_write(r, write_lines, sent, lines_written);
}

// ---------------------------------------------------------------- the card

enum status parts_read(struct request *r, const struct doc *record, struct card_parts *p,
                       struct error *e) {
    enum status s = read_process(r, record, p, e);
    if (!s)
        s = read_lines(r, record, p, e);
    if (!s)
        s = consents_read(r, record, p, e);
    return s;
}

void parts_into(struct request *r, const struct card_parts *p, const struct doc *record,
                bool may_edit, struct doc *view) {
    doc_set(view, STR("process"), process_view(r, p, record, may_edit));
    doc_set(view, STR("lines"), lines_view(r, p, record, may_edit));
    doc_set(view, STR("consents"), consents_view(r, p, record, may_edit));
}
