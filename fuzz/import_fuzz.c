// Mappings of imports, and cells taken by them.
//
// Up to the first zero byte: the mapping, for a file of six columns; behind it the cells of a row, parted by 0x1F. Held: a mapping
// that is refused says where and why, and leaves nothing; a taken one has a rule for each column; a value that comes out of a
// cell stays the same when it is taken again; a date that was read is one; levels that a history makes have an order.
#include "fuzz.h"

#include "actions/import_private.h"
#include "formats/json.h"

#define COLUMNS 6

static const struct str columns[COLUMNS] = {{"Name", 4}, {"Correo", 6}, {"Miasto", 6},
                                            {"Firm", 4}, {"Value", 5},  {"When", 4}};

static void must_settle(const struct field *f, const struct doc *value, struct arena *a) {
    const struct value_context program = {.currency = STR("EUR"), .zone = STR("UTC")};
    const struct doc *again = NULL;
    MUST(value_normalise(f, value, &program, a, &again, NULL) == OK);
    MUST(value_equal(f, value, again));
}

static void take(const struct import_mapping *map, const struct rule *rule, struct str text,
                 struct arena *a) {
    const struct doc *value = NULL;
    struct error e = {0};
    struct import_cell cell = {.text = str_trim(text), .raw = text};
    if (!rule->field || rule->target || rule->field->type == TYPE_FILE)
        return;
    if (import_value(map, rule, &cell, STR(""), a, &value, &e) != OK)
        MUST(!value && e.msgid);
    else if (value)
        must_settle(rule->field, value, a);
}

static void row(const struct import_mapping *map, struct str rest, struct arena *a) {
    struct import_cell cells[COLUMNS] = {0};
    for (size_t i = 0; i < COLUMNS; i++) {
        struct str text = str_cut(&rest, 0x1F);
        cells[i] = (struct import_cell){.text = str_trim(text), .raw = text};
    }
    struct import_line line = {cells, COLUMNS, 1};
    for (size_t i = 0; i < map->n_rules; i++)
        take(map, &map->rules[i], row_cell(&map->rules[i], &line, NULL).raw, a);
    for (size_t i = 0; i < map->n_set; i++)
        take(map, map->set[i].rule, row_template(map, &map->set[i], &line, STR("x"), a), a);
    static const char *const orders[] = {"dmy", "mdy", "ymd"};
    for (size_t i = 0; i < 3; i++) {
        struct str iso;
        if (import_date(cells[5].text, orders[i], a, &iso))
            MUST(date_valid((struct str){iso.p, iso.n < 10 ? iso.n : 10}));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct model *model;
    static struct arena lasting;
    if (!model) {
        const struct str *texts;
        size_t n = model_builtin(&lasting, &texts);
        MUST(model_build(&model, texts, n, NULL, 1, NULL) == OK);
    }
    static const char *const modules[] = {"contacts", "companies", "opportunities", "tasks"};
    struct arena a = ARENA_INIT;
    struct str rest = {(const char *)data, size}, text = str_cut(&rest, 0);
    struct doc *doc = NULL;
    if (json_parse(&a, text, NULL, &doc, NULL) == OK) {
        const struct module *m = model_module(model, str_z(modules[size % 4]));
        const struct value_context viewer = {
            .language = STR("es"), .currency = STR("EUR"), .region = STR("ES")};
        struct doc *levels = doc_object(&a); // those that are there
        doc_set_int(&a, levels, "1", 10);
        doc_set(levels, STR("back"), doc_null(&a));
        struct import_mapping map = {0};
        struct source_options options;
        struct error e = {0};
        if (mapping_source(doc, &options, &e) != OK) {
            MUST(e.msgid);
        } else if (mapping_read(&map, model, m, columns, COLUMNS, doc, levels, &viewer, &a, &e) !=
                   OK) {
            MUST(e.msgid && e.field[0] && !map.rules);
        } else {
            MUST(map.n_rules == COLUMNS);
            doc_each(rank, map.history ? map.history->ranks : NULL) {
                int64_t order;
                MUST(str_int(doc_text(rank), &order) && order >= 1 && order <= 1000);
            }
            row(&map, rest, &a);
        }
    }
    arena_release(&a);
    return 0;
}
