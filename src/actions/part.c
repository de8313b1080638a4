// What holds of parts in general, and what lines of products do.
#include "actions/part.h"

#include <stdlib.h>

#include "formats/decimal.h"
#include "records/scope.h"
#include "records/rows.h"

#define MONEY_SCALE 4
#define NUMBER_SCALE 6
#define HUNDRED INT64_C(100000000) // a hundred, in units of 10^-6

__extension__ typedef __int128 wide;

// ---------------------------------------------------------------- money

bool line_total(int64_t quantity, int64_t price, int64_t discount, int64_t *total) {
    wide exact = (wide)quantity * price; // 10^-10
    const wide bound = (wide)INT64_MAX * 1000000;
    if (discount < 0 || discount > HUNDRED || exact > bound || exact < -bound)
        return false;
    wide scaled = exact * (HUNDRED - discount);       // 10^-18, below 2^127
    wide unit = (wide)INT64_C(10000000000) * 1000000; // a hundredth
    wide cents = (scaled + (scaled < 0 ? -unit / 2 : unit / 2)) / unit;
    if (cents > INT64_MAX / 100 || cents < -(INT64_MAX / 100))
        return false;
    *total = (int64_t)cents * 100;
    return true;
}

static struct doc *money_doc(struct arena *a, int64_t units, struct str currency) {
    char text[DECIMAL_TEXT];
    struct doc *d = doc_object(a);
    decimal_text(units, MONEY_SCALE, 2, text);
    doc_set_str(a, d, "amount", arena_str(a, str_z(text)));
    doc_set_str(a, d, "currency", arena_str(a, currency));
    return d;
}

static int64_t units_of(struct str text, int scale) {
    int64_t units = 0;
    return decimal_parse(text, scale, &units) ? units : 0;
}

// ---------------------------------------------------------------- values

static const struct doc *given(const struct module *m, const struct values *v, const char *key) {
    const struct field *f = module_field(m, str_z(key));
    return f && v ? v->of_field[f->number] : NULL;
}

static const struct doc *will_be(const struct module *m, const struct doc *before,
                                 const struct values *v, const char *key) {
    const struct doc *now = given(m, v, key);
    return now ? now : doc_get(before, str_z(key));
}

static void put(const struct module *m, struct values *v, const char *key, const struct doc *d) {
    const struct field *f = module_field(m, str_z(key));
    if (f)
        v->of_field[f->number] = d;
}

static bool is_line(const struct module *m) {
    return str_is(m->key, "lines");
}

static bool total_of(const struct module *m, const struct doc *before, const struct values *v,
                     int64_t *total) {
    const struct doc *discount = will_be(m, before, v, "discount");
    return line_total(units_of(doc_text(will_be(m, before, v, "quantity")), NUMBER_SCALE),
                      units_of(doc_get_text(will_be(m, before, v, "price"), "amount"), MONEY_SCALE),
                      doc_is_null(discount) ? 0 : units_of(doc_text(discount), NUMBER_SCALE),
                      total);
}

void line_compute(struct action *a, const struct module *m, const struct doc *before,
                  struct values *v) {
    const struct field *f = module_field(m, STR("total"));
    const struct doc *price = will_be(m, before, v, "price");
    int64_t total;
    if (!is_line(m) || !f || doc_is_null(price) || !total_of(m, before, v, &total))
        return;
    const struct doc *now = money_doc(a->write->arena, total, doc_get_text(price, "currency"));
    if (!value_equal(f, now, doc_get(before, f->key)))
        v->of_field[f->number] = now;
}

// ---------------------------------------------------------------- the lines of a deal

struct lines {
    int64_t sum, last; // last: the place of the last
    int n;
    struct str currency;
    bool mixed, too_large;
};

static enum status lines_read(struct action *a, int64_t opportunity, struct lines *out,
                              struct error *e) {
    const struct module *m = model_module(a->model, STR("lines"));
    struct str columns[] = {STR("total"), STR("place")};
    struct list_filter of = {STR("opportunity"), OP_EQ,
                             arena_printf(a->write->arena, "%lld", (long long)opportunity)};
    struct list_query q = {.module = m,
                           .filters = &of,
                           .n_filters = 1,
                           .columns = columns,
                           .n_columns = 2,
                           .sort = {{STR("id"), false}},
                           .n_sort = 1,
                           .limit = LINES_MAX};
    struct doc *found = NULL;
    *out = (struct lines){0};
    enum status s = record_list(&a->reader, &q, &found, e);
    doc_each(line, doc_get(found, STR("items"))) {
        const struct doc *total = doc_get(line, STR("total"));
        struct str currency = doc_get_text(total, "currency");
        int64_t units = units_of(doc_get_text(total, "amount"), MONEY_SCALE),
                place = doc_get_int(line, "place", 0);
        out->mixed = out->mixed || (out->n && !str_eq(currency, out->currency));
        out->too_large = __builtin_add_overflow(out->sum, units, &out->sum) || out->too_large;
        out->currency = currency;
        out->last = place > out->last ? place : out->last;
        out->n++;
    }
    return s;
}

static enum status refuse(struct problems *p, const char *field, const char *why, const char *arg) {
    struct error *here = problems_next(p);
    return problems_note(p, here, error_set(here, INVALID, field, why, arg, NULL));
}

// Who may not write the amount may not have it follow the lines instead.
static bool turns_on(struct action *a, const struct module *m, const struct doc *before,
                     const struct values *v) {
    const struct doc *now = given(m, v, "amount_from_lines");
    const struct field *amount = module_field(m, STR("amount"));
    return doc_true(now) && !doc_get_true(before, "amount_from_lines") && amount &&
           !may_field(a->act->viewer, m, amount, true);
}

enum status lines_amount(struct action *a, const struct module *m, int64_t id,
                         const struct doc *before, struct values *v, struct problems *p) {
    if (turns_on(a, m, before, v)) {
        struct error *here = problems_next(p);
        return problems_note(p, here,
                             error_set(here, DENIED, "amount_from_lines",
                                       N_("You may not change this field."), NULL));
    }
    struct lines lines;
    if (!str_is(m->key, "opportunities") || !before ||
        !doc_true(will_be(m, before, v, "amount_from_lines")))
        return OK;
    struct error *here = problems_next(p);
    enum status s = lines_read(a, id, &lines, here);
    if (s)
        return problems_note(p, here, s);
    if (lines.mixed)
        return refuse(p, "amount_from_lines",
                      N_("Its lines are in several currencies: there is no amount they come to."),
                      NULL);
    if (lines.too_large)
        return refuse(p, "amount_from_lines", N_("This amount is too large."), NULL);
    // Without lines there is nothing to follow, and the amount is what somebody says. With the last of them it goes.
    if (!lines.n && !v->parts_changed)
        return OK;
    const struct field *f = module_field(m, STR("amount"));
    const struct doc *now =
        lines.n ? money_doc(a->write->arena, lines.sum, lines.currency) : doc_null(a->write->arena);
    v->of_field[f->number] = value_equal(f, now, doc_get(before, f->key)) ? NULL : now;
    return OK;
}

// ---------------------------------------------------------------- parts

enum status part_ordinary(const struct module *m, struct error *e) {
    if (!m->apart)
        return OK;
    return error_set(e, DENIED, NULL,
                     N_("Consents are given and withdrawn on the card of whom they are of."), NULL);
}

// A line of a product is called as that, and costs what it costs, unless somebody says otherwise.
static enum status fill_from_product(struct action *a, const struct module *m, struct values *v,
                                     struct error *e) {
    const struct module *products = model_module(a->model, STR("products"));
    int64_t product = doc_integer(given(m, v, "product"), 0);
    struct doc *row = NULL;
    if (product <= 0 || (given(m, v, "name") && given(m, v, "price")))
        return OK;
    enum status s = record_get(&a->reader, products, product, &row, e);
    if (s == NOT_FOUND)
        return error_pass(s, NOT_FOUND, e); // told with the other links
    if (!s && doc_is_null(given(m, v, "name")))
        put(m, v, "name", doc_get(row, STR("name")));
    if (!s && doc_is_null(given(m, v, "price")) && !doc_is_null(doc_get(row, STR("price"))))
        put(m, v, "price", doc_get(row, STR("price")));
    return s;
}

// Its name is that of whom it is shared with.
static enum status fill_share(struct action *a, const struct module *m, struct values *v,
                              struct error *e) {
    int64_t user = doc_integer(given(m, v, "to_user"), 0),
            group = doc_integer(given(m, v, "to_group"), 0);
    const struct module *to = model_module(a->model, user > 0 ? STR("users") : STR("groups"));
    struct str name = STR("");
    enum status s = user > 0 || group > 0
                        ? record_name(&a->reader, to, user > 0 ? user : group, &name, NULL, e)
                        : OK;
    if (!s && name.n)
        put(m, v, "name", doc_str(a->write->arena, name));
    return s;
}

static bool is_private(struct action *a, int64_t task) {
    struct doc *row;
    return row_get(a->write->conn, model_module(a->model, STR("tasks")), task, a->write->arena,
                   &row, NULL) == OK &&
           doc_get_true(row, "private");
}

// With whom something is shared decides who decides about it, not whoever it was shared with.
static enum status check_sharer(struct action *a, const struct module *m, const struct doc *before,
                                const struct values *v, struct problems *p) {
    enum status s = OK;
    for (size_t i = 0; i < m->n_fields && !s; i++) {
        const struct field *f = &m->fields[i];
        const struct module *to = f->belongs ? model_module(a->model, f->target) : NULL;
        int64_t id = to ? doc_integer(will_be(m, before, v, f->key.p), 0) : 0;
        struct doc *row;
        bool decides = false;
        if (id <= 0)
            continue;
        s = row_get(a->write->conn, to, id, a->write->arena, &row, p->first);
        if (!s)
            s = scope_decides(&a->reader, to, doc_get_int(row, "owner", 0), &decides, p->first);
        if (!s && !decides)
            s = error_set(p->first, DENIED, NULL, N_("You may not do this."), NULL);
    }
    return s;
}

// With one user or one group, of one record; who and of what stays.
static enum status check_share(struct action *a, const struct module *m, const struct doc *before,
                               const struct values *v, struct problems *p) {
    int wholes = 0;
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct field *f = &m->fields[i];
        wholes += f->belongs && !doc_is_null(will_be(m, before, v, f->key.p));
        if (before && (f->belongs || str_starts(f->key, STR("to_"))) && v->of_field[i] &&
            !doc_equal(v->of_field[i], doc_get(before, f->key)))
            return refuse(p, f->key.p,
                          N_("Whom and what it was for stays; remove it and share anew."), NULL);
    }
    enum status s = check_sharer(a, m, before, v, p);
    if (s)
        return s;
    const struct doc *task = will_be(m, before, v, "task");
    if (doc_integer(task, 0) > 0 && is_private(a, doc_integer(task, 0)))
        return refuse(p, "task", N_("What is private is shared by adding people to it."), NULL);
    if (wholes != 1)
        return refuse(p, "name", N_("One record is shared at a time."), NULL);
    if (doc_is_null(will_be(m, before, v, "to_user")) ==
        doc_is_null(will_be(m, before, v, "to_group")))
        return refuse(p, "to_user", N_("It is shared with one user, or with one group."), NULL);
    return OK;
}

enum status part_fill(struct action *a, const struct module *m, struct values *v, struct error *e) {
    struct lines lines;
    if (str_is(m->key, "shares"))
        return fill_share(a, m, v, e);
    if (!is_line(m))
        return OK;
    enum status s = fill_from_product(a, m, v, e);
    int64_t of = doc_integer(given(m, v, "opportunity"), 0);
    if (!s && of > 0 && !given(m, v, "place")) {
        s = lines_read(a, of, &lines, e);
        if (!s)
            put(m, v, "place", doc_int(a->write->arena, lines.last + 1));
    }
    return s;
}

static enum status check_room(struct action *a, int64_t opportunity, struct problems *p) {
    struct lines lines;
    struct error *here = problems_next(p);
    enum status s = lines_read(a, opportunity, &lines, here);
    if (s || lines.n < LINES_MAX)
        return problems_note(p, here, s);
    return refuse(p, "opportunity", N_("An opportunity has at most {0} lines."), "200");
}

static enum status check_line(struct action *a, const struct module *m, const struct doc *before,
                              const struct values *v, struct problems *p) {
    int64_t total, of = doc_integer(will_be(m, before, v, "opportunity"), 0);
    const struct doc *discount = will_be(m, before, v, "discount");
    int64_t percent = doc_is_null(discount) ? 0 : units_of(doc_text(discount), NUMBER_SCALE);
    enum status s = OK;
    if (before && given(m, v, "opportunity"))
        s = refuse(p, "opportunity", N_("A line stays with its opportunity."), NULL);
    if (!s && percent < 0)
        s = refuse(p, "discount", N_("A percentage from 0 to 100."), NULL);
    else if (!s && percent > HUNDRED)
        s = refuse(p, "discount", N_("A percentage from 0 to 100."), NULL);
    else if (!s && !total_of(m, before, v, &total))
        s = refuse(p, "quantity", N_("This amount is too large."), NULL);
    if (!s && units_of(doc_text(will_be(m, before, v, "quantity")), NUMBER_SCALE) < 0)
        s = refuse(p, "quantity", N_("This can't be less than nothing."), NULL);
    return s || before ? s : check_room(a, of, p);
}

// What the part belongs to must be there, and be the actor's to change.
static enum status check_whole(struct action *a, const struct module *m, const struct doc *before,
                               const struct values *v, struct problems *p) {
    enum status s = OK;
    for (size_t i = 0; i < m->n_fields && !s; i++) {
        const struct field *f = &m->fields[i];
        const struct module *to = f->belongs ? model_module(a->model, f->target) : NULL;
        const struct doc *ids[] = {doc_get(before, f->key), v ? v->of_field[i] : NULL};
        struct doc *row;
        for (size_t j = 0; j < 2 && to && f->type == TYPE_LINK && !s; j++)
            if (doc_integer(ids[j], 0) > 0)
                s = action_record(a, to, doc_integer(ids[j], 0), VERB_EDIT, &row, p->first);
    }
    return s;
}

enum status part_check(struct action *a, const struct module *m, const struct doc *before,
                       const struct values *v, struct problems *p) {
    if (!m->part || p->status)
        return OK;
    enum status s = check_whole(a, m, before, v, p);
    bool comes_back = !v && !doc_is_null(doc_get(before, STR("deleted_at")));
    if (!s && comes_back && is_line(m) && !p->status)
        s = check_room(a, doc_get_int(before, "opportunity", 0), p);
    if (s || !v)
        return s ? s : p->status;
    if (str_is(m->key, "consents") && doc_is_null(will_be(m, before, v, "kind")))
        return part_ordinary(m, p->first);
    if (str_is(m->key, "shares"))
        return check_share(a, m, before, v, p);
    return is_line(m) ? check_line(a, m, before, v, p) : OK;
}

enum status part_follow(struct action *a, const struct module *m, const struct doc *row,
                        const struct values *v, struct error *e) {
    struct arena *arena = a->write->arena;
    const struct module *deals = model_module(a->model, STR("opportunities"));
    struct doc *deal;
    if (!is_line(m))
        return OK;
    int64_t of = doc_integer(will_be(m, row, v, "opportunity"), 0);
    enum status s = row_get(a->write->conn, deals, of, arena, &deal, e);
    if (s || !doc_get_true(deal, "amount_from_lines"))
        return s;
    struct values none = {.of_field = arena_array(arena, const struct doc *, deals->n_fields + 1),
                          .parts_changed = true};
    int64_t cause = a->act->cause;
    a->act->cause = a->write->next - 1;
    s = record_change_values(a, deals, of, deal, &none, NULL, e);
    a->act->cause = cause;
    return s;
}

// ---------------------------------------------------------------- what a page does with lines

enum status line_get(struct action *a, int64_t opportunity, int64_t id, struct doc **row,
                     struct error *e) {
    const struct module *m = model_module(a->model, STR("lines"));
    enum status s = action_record(a, m, id, VERB_EDIT, row, e);
    if (!s && doc_get_int(*row, "opportunity", 0) != opportunity)
        s = error_set(e, NOT_FOUND, NULL, N_("There is no such record."), NULL);
    return s;
}

static enum status set_place(struct action *a, const struct doc *line, int64_t place,
                             struct error *e) {
    struct doc *values = doc_object(a->write->arena);
    doc_set_int(a->write->arena, values, "place", place);
    return record_change(a, model_module(a->model, STR("lines")), doc_get_int(line, "id", 0), 0,
                         values, NULL, NULL, e);
}

enum status lines_list(struct reader *r, int64_t opportunity, struct doc **out, struct error *e) {
    static const char *const names[] = {"name",     "product", "quantity", "price",
                                        "discount", "total",   "place"};
    struct str columns[sizeof names / sizeof *names];
    struct list_filter of = {STR("opportunity"), OP_EQ,
                             arena_printf(r->arena, "%lld", (long long)opportunity)};
    struct list_query q = {.module = model_module(r->model, STR("lines")),
                           .filters = &of,
                           .n_filters = 1,
                           .columns = columns,
                           .sort = {{STR("place"), false}, {STR("id"), false}},
                           .n_sort = 2,
                           .of_deleted = true,
                           .limit = LINES_MAX};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        columns[q.n_columns++] = str_z(names[i]);
    struct doc *found = NULL;
    enum status s = record_list(r, &q, &found, e);
    if (!s)
        *out = doc_get(found, STR("items"));
    return s;
}

// ---------------------------------------------------------------- lines as they were

struct line_then {
    struct doc *line;
    int64_t place, id;
};

struct lines_then {
    struct line_then *all;
    size_t n, cap;
};

static int by_place(const void *x, const void *y) {
    const struct line_then *a = x, *b = y;
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

// A page of lines, as they were; those that were deleted then fall away.
static enum status page_then(struct reader *r, const struct module *m, const struct doc *page,
                             micros at, struct lines_then *then, struct error *e) {
    size_t n = page ? page->count : 0, count = 0;
    int64_t *ids = arena_array(r->arena, int64_t, n + 1);
    struct doc **lines = arena_array(r->arena, struct doc *, n + 1);
    doc_each(line, page)
        ids[count++] = doc_get_int(line, "id", 0);
    enum status s = records_as_of(r, m, ids, n, at, lines, e);
    for (size_t i = 0; i < n && !s; i++) {
        if (!lines[i])
            continue;
        if (then->n == then->cap) {
            size_t cap = then->cap ? then->cap * 2 : LINES_MAX;
            struct line_then *wider = arena_array(r->arena, struct line_then, cap);
            if (then->n)
                memcpy(wider, then->all, then->n * sizeof *wider);
            *then = (struct lines_then){wider, then->n, cap};
        }
        then->all[then->n++] = (struct line_then){lines[i], doc_get_int(lines[i], "place", 0),
                                                  doc_get_int(lines[i], "id", 0)};
    }
    return s;
}

// Adds those of the deal's lines that were there, out of the living or out of the deleted ones. A line that was there and is
// deleted was deleted after that moment: so no more are looked at than were there, and the few that were gone and back again.
static enum status add_then(struct reader *r, int64_t opportunity, bool deleted, micros at,
                            struct lines_then *then, struct error *e) {
    const struct module *m = model_module(r->model, STR("lines"));
    struct str column = STR("place"), after = {0};
    char moment[CLOCK_TEXT];
    clock_text(at, moment);
    struct list_filter filters[] = {
        {STR("opportunity"), OP_EQ, arena_printf(r->arena, "%lld", (long long)opportunity)},
        {STR("created_at"), OP_LTE, arena_str(r->arena, str_z(moment))},
        {STR("deleted_at"), OP_GT, arena_str(r->arena, str_z(moment))}};
    enum status s = OK;
    do {
        struct list_query q = {.module = m,
                               .filters = filters,
                               .n_filters = deleted ? 3 : 2,
                               .columns = &column,
                               .n_columns = 1,
                               .sort = {{STR("id"), false}},
                               .n_sort = 1,
                               .deleted = deleted,
                               .of_deleted = true,
                               .after = after,
                               .limit = LINES_MAX};
        struct doc *found = NULL;
        s = record_list(r, &q, &found, e);
        if (!s)
            s = page_then(r, m, doc_get(found, STR("items")), at, then, e);
        after = doc_get_text(found, "next");
    } while (!s && after.n);
    return s;
}

enum status lines_list_then(struct reader *r, int64_t opportunity, micros at, struct doc **out,
                            struct error *e) {
    struct lines_then then = {0};
    enum status s = add_then(r, opportunity, false, at, &then, e);
    if (!s)
        s = add_then(r, opportunity, true, at, &then, e);
    if (s)
        return s;
    if (then.n)
        qsort(then.all, then.n, sizeof *then.all, by_place);
    *out = doc_array(r->arena);
    for (size_t i = 0; i < then.n && i < LINES_MAX; i++)
        doc_add(*out, then.all[i].line);
    return OK;
}

// ---------------------------------------------------------------- moving a line

enum status line_move(struct action *a, int64_t opportunity, int64_t id, bool up, struct error *e) {
    struct doc *lines, *row;
    const struct doc *before = NULL, *here = NULL, *other = NULL;
    enum status s = line_get(a, opportunity, id, &row, e);
    if (!s)
        s = lines_list(&a->reader, opportunity, &lines, e);
    if (s)
        return s;
    doc_each(line, lines) {
        if (here && !other && !up)
            other = line;
        if (doc_get_int(line, "id", 0) == id) {
            here = line;
            other = up ? before : NULL;
        }
        before = line;
    }
    if (!here || !other)
        return OK; // it is the first or last already
    int64_t mine = doc_get_int(here, "place", 0), theirs = doc_get_int(other, "place", 0);
    if (mine == theirs) // both came in without one
        theirs += up ? -1 : 1;
    s = set_place(a, here, theirs < 0 ? 0 : theirs, e);
    return s ? s : set_place(a, other, theirs < 0 ? 1 : mine, e);
}
