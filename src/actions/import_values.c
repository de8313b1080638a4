// What a history's file really has: which activities, groups and people, and how often; and what type of field could hold what
// stands in each of its columns. One way through the file, without the database.
#include "actions/import_private.h"

#include <stdlib.h>

#include "formats/json.h"

#define DIFFERENT_MOST 100000 // different texts that are told apart,
#define BYTES_MOST                                                                                 \
    (16 << 20)             // and what they take together; rows of others are only known to be there
#define LONGEST 1000       // bytes of a text that is told; longer ones are counted as more
#define TEXT_LONGEST 250   // characters of an own field of one line
#define INTEGER_LONGEST 15 // digits of what is a number and not a number plate

// ---------------------------------------------------------------- counting texts

struct counted {
    struct str text;   // empty: longer than LONGEST
    int64_t rows, row; // how many, and the newest of them
    size_t nth;
};

struct counting {
    struct lookup *seen;
    struct counted *list;
    size_t n, cap, bytes;
    bool over; // there are more than are told apart
    struct arena texts;
};

static void counting_begin(struct counting *c) {
    *c = (struct counting){.seen = lookup_new()};
}

static void counting_end(struct counting *c) {
    lookup_free(c->seen);
    free(c->list);
    arena_release(&c->texts);
}

// row: of the file, from 1. A row that names somebody twice is one.
static void count(struct counting *c, struct str text, int64_t row) {
    if (!text.n)
        return;
    struct ref ref = lookup_find(c->seen, 'v', text);
    if (ref.kind != REF_NONE) {
        c->list[ref.n].rows += c->list[ref.n].row != row;
        c->list[ref.n].row = row;
        return;
    }
    if (c->n == DIFFERENT_MOST || c->bytes + text.n > BYTES_MOST) {
        c->over = true;
        return;
    }
    if (c->n == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 256;
        c->list = must_realloc(c->list, c->cap * sizeof *c->list);
    }
    bool told = text.n <= LONGEST;
    struct str kept = told ? arena_str(&c->texts, text) : STR("");
    c->list[c->n] = (struct counted){.text = kept, .rows = 1, .row = row, .nth = c->n};
    c->bytes += told ? text.n : 0;
    lookup_add(c->seen, 'v', text, (struct ref){REF_ROW, (int64_t)c->n});
    c->n++;
}

// The most frequent first; of equal ones the one that the file names first.
static int by_rows(const void *a, const void *b) {
    const struct counted *x = a, *y = b;
    if (!x->text.n != !y->text.n)
        return x->text.n ? -1 : 1;
    if (x->rows != y->rows)
        return x->rows > y->rows ? -1 : 1;
    return x->nth < y->nth ? -1 : 1;
}

static struct doc *counting_doc(struct counting *c, size_t most, struct arena *a) {
    struct doc *d = doc_object(a), *values = doc_set_array(a, d, "values");
    if (c->n)
        qsort(c->list, c->n, sizeof *c->list, by_rows);
    size_t told = 0;
    while (told < c->n && told < most && c->list[told].text.n) {
        struct doc *one = doc_add(values, doc_object(a));
        doc_set_str(a, one, "value", arena_str(a, c->list[told].text));
        doc_set_int(a, one, "rows", c->list[told].rows);
        told++;
    }
    doc_set_int(a, d, "more", (int64_t)(c->n - told));
    doc_set_bool(a, d, "over", c->over);
    return d;
}

// ---------------------------------------------------------------- types of columns

// In this order: what is a whole number is a decimal one, too.
static const enum field_type types[] = {TYPE_INTEGER, TYPE_DECIMAL, TYPE_YES_NO, TYPE_DATE,
                                        TYPE_DATETIME};
#define TYPES (sizeof types / sizeof *types)

struct typing {
    struct field fields[TYPES];
    struct rule rules[TYPES];
    bool can[TYPES];
    bool any, lines;
    size_t longest; // characters
    const char *point, *dates;
};

static void typing_begin(struct typing *t, const struct import *job, size_t column) {
    t->point = guess_point(job, column);
    t->dates = guess_dates(job, column);
    for (size_t i = 0; i < TYPES; i++) {
        t->fields[i] = (struct field){
            .key = STR("x_"), .label = STR("x_"), .type = types[i], .own = true, .number = -2};
        struct rule *rule = &t->rules[i];
        *rule = (struct rule){.index = (int)column, .field = &t->fields[i], .currency_column = -1};
        bool number = types[i] == TYPE_INTEGER || types[i] == TYPE_DECIMAL;
        bool day = types[i] == TYPE_DATE || types[i] == TYPE_DATETIME;
        rule->point = number ? *t->point : 0;
        snprintf(rule->dates, sizeof rule->dates, "%s", day ? t->dates : "");
        t->can[i] = true;
    }
}

// "007" and "+34" are numbers of something, and "123456789012345678" is none that is counted with.
static bool counts(const struct import_cell *cell) {
    struct str s = cell->text;
    if (cell->plain)
        return true;
    if (s.n && s.p[0] == '-')
        s = (struct str){s.p + 1, s.n - 1};
    bool zero = s.n > 1 && s.p[0] == '0' && s.p[1] >= '0' && s.p[1] <= '9';
    return s.n && s.n <= INTEGER_LONGEST && !zero && s.p[0] != '+';
}

static void typing_see(struct typing *t, const struct import *job, const struct import_cell *cell,
                       struct arena *a) {
    struct str text = cell->text;
    if (!text.n)
        return;
    t->any = true;
    size_t characters = 0;
    for (size_t i = 0; i < text.n; i++)
        characters += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    t->longest = characters > t->longest ? characters : t->longest;
    t->lines = t->lines || memchr(text.p, '\n', text.n) || memchr(text.p, '\r', text.n);
    for (size_t i = 0; i < TYPES; i++) {
        const struct doc *value = NULL;
        bool number = types[i] == TYPE_INTEGER || types[i] == TYPE_DECIMAL;
        t->can[i] =
            t->can[i] && !cell->broken && (!number || counts(cell)) &&
            import_value(&job->mapping, &t->rules[i], cell, STR(""), a, &value, NULL) == OK &&
            value;
    }
}

static void typing_doc(const struct typing *t, struct arena *a, struct doc *list) {
    struct doc *d = doc_add(list, doc_object(a));
    size_t i = 0;
    while (t->any && i < TYPES && !t->can[i])
        i++;
    if (!t->any || i == TYPES) {
        bool several = t->lines || t->longest > TEXT_LONGEST;
        doc_set_z(a, d, "type", field_type_name(several ? TYPE_LONG_TEXT : TYPE_TEXT));
    } else {
        doc_set_z(a, d, "type", field_type_name(types[i]));
    }
    if (*t->point)
        doc_set_z(a, d, "point", t->point);
    if (*t->dates)
        doc_set_z(a, d, "dates", t->dates);
}

// ---------------------------------------------------------------- the whole

enum { ACTIVITIES, GROUPS, PEOPLE, PARTS };
static const char *const part_names[PARTS] = {"activities", "groups", "people"};

struct survey {
    struct import *job;
    struct counting parts[PARTS];
    bool has[PARTS];
    struct typing *columns;
    int64_t rows;
    struct arena arena; // of one row
};

static int part_of(const struct import *job, const struct rule *rule) {
    if (rule->target && rule->target == model_module(job->model, STR("groups")))
        return GROUPS;
    if (rule->target && rule->target == model_module(job->model, STR("users")))
        return PEOPLE;
    return PARTS;
}

static void count_links(struct survey *v, const struct rule *rule, const struct import_line *line) {
    int part = part_of(v->job, rule);
    struct str text = row_cell(rule, line, NULL).text;
    while (part < PARTS && text.n)
        count(&v->parts[part], rule_part(rule, &text), v->rows);
}

// The cells without those that say nothing.
static struct import_line said(struct survey *v, const struct import_line *line) {
    const struct import *job = v->job;
    struct import_line copy = *line;
    struct import_cell *cells = arena_array(&v->arena, struct import_cell, line->n + 1);
    for (size_t i = 0; i < line->n; i++) {
        cells[i] = line->cells[i];
        if (row_says_nothing(job->mapping.history, cells[i].text))
            cells[i].text.n = 0;
    }
    copy.cells = cells;
    return copy;
}

static void row_see(struct survey *v, const struct import_line *raw) {
    const struct import *job = v->job;
    const struct import_mapping *map = &job->mapping;
    const struct import_history *h = map->history;
    struct import_line line = said(v, raw);
    v->rows++;
    if (v->has[ACTIVITIES])
        count(&v->parts[ACTIVITIES], row_cell(&map->rules[h->activity], &line, NULL).text, v->rows);
    for (size_t i = 0; h && i < map->n_rules; i++)
        count_links(v, &map->rules[i], &line);
    if (h && h->person)
        count_links(v, h->person, &line);
    for (size_t i = 0; i < job->n_columns && i < line.n; i++)
        typing_see(&v->columns[i], job, &line.cells[i], &v->arena);
    arena_reset(&v->arena);
}

static void parts_find(struct survey *v) {
    const struct import *job = v->job;
    const struct import_history *h = job->mapping.history;
    if (!h)
        return;
    // Where each row is the whole record the activity sets nothing.
    v->has[ACTIVITIES] = h->activity >= 0 && !h->states;
    v->has[PEOPLE] = h->person != NULL;
    for (size_t i = 0; i < job->mapping.n_rules; i++) {
        int part = part_of(job, &job->mapping.rules[i]);
        if (part < PARTS)
            v->has[part] = true;
    }
}

struct str import_values_of(const struct import *job, struct arena *a) {
    const struct doc *mapping = job->mapping_doc, *history = doc_get(mapping, STR("history"));
    struct doc *d = doc_object(a), *columns = doc_set_object(a, d, "columns");
    static const char *const whole[] = {"file", "language", "zone"}, *const told[] = {"rows",
                                                                                      "person",
                                                                                      "unknown"};
    for (size_t i = 0; i < 3; i++) {
        const struct doc *one = doc_get(mapping, str_z(whole[i])),
                         *two = doc_get(history, str_z(told[i]));
        doc_set(d, str_z(whole[i]), one ? doc_copy(a, one) : doc_null(a));
        doc_set(d, str_z(told[i]), two ? doc_copy(a, two) : doc_null(a));
    }
    int activity = job->mapping.history ? job->mapping.history->activity : -1;
    doc_set_int(a, d, "activity", activity);
    for (size_t i = 0; i < job->n_columns; i++) {
        const struct doc *rule = doc_get(doc_get(mapping, STR("columns")), job->columns[i]);
        if (rule && (part_of(job, &job->mapping.rules[i]) < PARTS || (int)i == activity))
            doc_set(columns, job->columns[i], doc_copy(a, rule));
    }
    struct buf b = BUF_INIT(1 << 20);
    json_write(&b, d);
    char hex[HASH_HEX];
    hash_hex(hash_of(buf_view(&b)), hex);
    buf_release(&b);
    return arena_str(a, str_z(hex));
}

enum status import_values(struct import *job, size_t most, struct arena *a, struct doc **out,
                          struct error *e) {
    struct survey v = {.job = job};
    struct source *source = NULL;
    struct import_line line;
    bool more = true;
    parts_find(&v);
    for (size_t i = 0; i < PARTS; i++)
        counting_begin(&v.parts[i]);
    v.columns = arena_array(a, struct typing, job->n_columns + 1);
    for (size_t i = 0; i < job->n_columns; i++)
        typing_begin(&v.columns[i], job, i);
    enum status s = job_rows(job, &source, e);
    while (s == OK && !job->cancel && (s = source_next(source, &line, &more, e)) == OK && more)
        row_see(&v, &line);
    source_close(source);
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "of", import_values_of(job, a));
    doc_set_int(a, d, "rows", v.rows);
    for (size_t i = 0; i < PARTS; i++) {
        doc_set(d, str_z(part_names[i]),
                v.has[i] ? counting_doc(&v.parts[i], most, a) : doc_null(a));
        counting_end(&v.parts[i]);
    }
    struct doc *list = doc_set_array(a, d, "columns");
    for (size_t i = 0; i < job->n_columns; i++)
        typing_doc(&v.columns[i], a, list);
    arena_release(&v.arena);
    if (s == OK)
        *out = d;
    return s;
}

// ---------------------------------------------------------------- those that are there

static const struct rule *rule_to(const struct import *job, int part) {
    const struct import_mapping *map = &job->mapping;
    for (size_t i = 0; i < map->n_rules; i++)
        if (part_of(job, &map->rules[i]) == part)
            return &map->rules[i];
    return part == PEOPLE ? map->history->person : NULL;
}

static enum status group_level(struct pass *p, int64_t id, struct arena *a, struct doc *one,
                               struct error *e) {
    struct doc *group;
    enum status s =
        record_get(&p->reader, model_module(p->job->model, STR("groups")), id, &group, e);
    struct str level = s ? STR("") : doc_get_text(doc_get(group, STR("level")), "name");
    if (level.n)
        doc_set_str(a, one, "level", arena_str(a, level));
    return error_pass(s, NOT_FOUND, e);
}

enum status values_here(struct pass *p, const struct doc *values, size_t most, struct arena *a,
                        struct doc **out, struct error *e) {
    struct doc *d = doc_copy(a, values);
    enum status s = OK;
    for (int part = GROUPS; part < PARTS && s == OK; part++) {
        const struct rule *rule = rule_to(p->job, part);
        size_t n = 0;
        doc_each(one, rule ? doc_get(doc_get(d, str_z(part_names[part])), STR("values")) : NULL) {
            if (s != OK || n++ == most)
                break;
            struct ref ref = pass_find(p, rule, doc_get_text(one, "value"), a);
            if (ref.kind != REF_RECORD)
                continue;
            doc_set_int(a, one, "id", ref.n);
            if (part == GROUPS)
                s = group_level(p, ref.n, a, one, e);
        }
    }
    *out = d;
    return s;
}
