// Export: what leaves is what is there, it can come back, and it stands in the log that it left.
#include "import_world.h"

#include <sys/stat.h>

#include "actions/export.h"
#include "files.h"
#include "formats/csv.h"
#include "formats/xlsx.h"
#include "history/history.h"
#include "history/verify.h"

static struct export_result export_to(struct world *w, const char *file, struct export_request *q) {
    struct export_result r;
    struct error e = {0};
    q->path = arena_printf(&w->arena, "%s/%s", w->dir, file).p;
    if (!q->viewer)
        q->viewer = &w->admin;
    q->channel = CHANNEL_API;
    assert_true(export_format_find(str_z(file), &q->format));
    must(export_run(w->crm, q, &r, &e), &e);
    return r;
}

static struct export_result export_module(struct world *w, const char *module, const char *file,
                                          struct list_filter *filters, size_t n, bool labels) {
    const struct model *model = crm_model_hold(w->crm);
    struct list_query list = {.module = model_module(model, str_z(module)),
                              .filters = filters,
                              .n_filters = n,
                              .n_sort = 1};
    list.sort[0] = (struct list_sort){STR("id"), false};
    struct export_request q = {.list = &list, .labels = labels};
    struct export_result r = export_to(w, file, &q);
    crm_model_release(w->crm, model);
    return r;
}

struct table {
    struct str **rows;
    size_t n, columns;
};

static struct table read_csv(struct world *w, const char *file) {
    struct table t = {.rows = arena_array(&w->arena, struct str *, 2000)};
    struct csv_reader *r = csv_reader_new(NULL);
    struct csv_row row;
    csv_reader_feed(r, read_file(&w->arena, w->dir, file));
    csv_reader_last(r);
    while (csv_reader_next(r, &row, NULL) == CSV_ROW) {
        t.rows[t.n] = arena_array(&w->arena, struct str, row.n + 1);
        t.columns = t.n ? t.columns : row.n;
        assert_int_equal(row.n, t.columns);
        for (size_t i = 0; i < row.n; i++)
            t.rows[t.n][i] = arena_str(&w->arena, row.cells[i]);
        t.n++;
    }
    csv_reader_free(r);
    return t;
}

static struct str cell(const struct table *t, size_t row, const char *column) {
    for (size_t i = 0; i < t->columns; i++)
        if (str_is(t->rows[0][i], column))
            return t->rows[row][i];
    fail_msg("no column %s", column);
    return STR("");
}

static void cell_is(const struct table *t, size_t row, const char *column, const char *expected) {
    struct str got = cell(t, row, column);
    if (!str_is(got, expected))
        fail_msg("row %zu, %s is \"%.*s\", not \"%s\"", row, column, STR_FMT(got), expected);
}

static void some_people(struct world *w) {
    create(w, "levels", "{\"name\":\"L\"}");
    create(w, "users", "{\"name\":\"Ana Ruiz\",\"email\":\"ana@example.com\",\"level\":1}");
    create(w, "companies",
           "{\"name\":\"Ácme; \\\"S.A.\\\"\",\"tags\":[\"a\",\"b c\"],\"revenue\":\"-12.5\"}");
    create(
        w, "contacts",
        "{\"name\":\"Ann\",\"company\":1,\"phone\":\"+34 600 123 123\",\"birthday\":\"2001-02-03\","
        "\"consent\":[\"email\",\"sms\"],\"language\":\"pl\",\"owner\":1,\"city\":\"Lima\"}");
    create(
        w, "contacts",
        "{\"name\":\"=SUM(A1)\",\"notes\":\"two\\nlines\",\"position\":\"-x\",\"city\":\"Cali\"}");
    create(w, "products",
           "{\"name\":\"P\",\"price\":{\"amount\":\"1234.5\",\"currency\":\"PLN\"},\"active\":"
           "false,\"tax\":\"19\"}");
    create(w, "tasks", "{\"subject\":\"T\",\"due\":\"2026-05-01T10:00:00Z\",\"participants\":[1]}");
}

// ---------------------------------------------------------------- formats

static void test_csv_is_for_programs(void **state) {
    struct world *w = *state;
    some_people(w);
    struct export_result r = export_module(w, "contacts", "c.csv", NULL, 0, false);
    assert_int_equal(r.rows, 2);
    struct table t = read_csv(w, "c.csv");
    assert_int_equal(t.n, 3);
    cell_is(&t, 1, "id", "1");
    cell_is(&t, 1, "company", "Ácme; \"S.A.\"");
    cell_is(&t, 1, "company.id", "1");
    cell_is(&t, 1, "phone", "+34 600 123 123"); // a sign that belongs to it
    cell_is(&t, 1, "birthday", "2001-02-03");
    cell_is(&t, 1, "consent", "email;sms");
    cell_is(&t, 1, "language", "pl");
    cell_is(&t, 1, "owner", "Ana Ruiz");
    cell_is(&t, 1, "owner.id", "1");
    cell_is(&t, 2, "name", "'=SUM(A1)"); // what a spreadsheet would run
    cell_is(&t, 2, "position", "'-x");
    cell_is(&t, 2, "notes", "two\nlines");
    export_module(w, "products", "p.csv", NULL, 0, false);
    t = read_csv(w, "p.csv");
    cell_is(&t, 1, "price", "1234.50");
    cell_is(&t, 1, "price.currency", "PLN");
    cell_is(&t, 1, "active", "false");
    export_module(w, "companies", "f.csv", NULL, 0, false);
    t = read_csv(w, "f.csv");
    cell_is(&t, 1, "revenue", "-12.5");
    cell_is(&t, 1, "tags", "a;b c");
    export_module(w, "tasks", "t.csv", NULL, 0, false);
    t = read_csv(w, "t.csv");
    cell_is(&t, 1, "due", "2026-05-01T10:00:00Z");
    cell_is(&t, 1, "participants", "Ana Ruiz");
    cell_is(&t, 1, "participants.id", "1");
}

static void test_filters_order_and_columns(void **state) {
    struct world *w = *state;
    some_people(w);
    struct list_filter filter = {STR("city"), OP_NE, STR("Lima")};
    assert_int_equal(export_module(w, "contacts", "c.csv", &filter, 1, false).rows, 1);
    const struct model *model = crm_model_hold(w->crm);
    struct str columns[] = {STR("city"), STR("name")};
    struct list_query list = {.module = model_module(model, STR("contacts")),
                              .columns = columns,
                              .n_columns = 2,
                              .n_sort = 1};
    list.sort[0] = (struct list_sort){STR("name"), true};
    struct export_request q = {.list = &list, .mark = true, .labels = true};
    export_to(w, "d.csv", &q);
    struct str text = read_file(&w->arena, w->dir, "d.csv");
    assert_true(str_eq(text, STR("\xEF\xBB\xBF"
                                 "City,Full name\r\nLima,Ann\r\nCali,'=SUM(A1)\r\n")));
    crm_model_release(w->crm, model);
}

static void test_spreadsheets_have_types(void **state) {
    struct world *w = *state;
    some_people(w);
    w->admin.local.zone = STR("Europe/Madrid");
    export_module(w, "tasks", "t.xlsx", NULL, 0, true);
    export_module(w, "products", "p.xlsx", NULL, 0, true);
    struct error e = {0};
    struct xlsx_reader *x = NULL;
    struct xlsx_row row;
    bool more;
    must(xlsx_reader_open(arena_printf(&w->arena, "%s/t.xlsx", w->dir).p, NULL, &x, &e), &e);
    must(xlsx_reader_next(x, &row, &more, &e), &e);
    size_t due = 0;
    while (due < row.n && !str_is(row.cells[due].text, "Due"))
        due++;
    assert_true(due < row.n);
    must(xlsx_reader_next(x, &row, &more, &e), &e);
    assert_int_equal(row.cells[due].type, XLSX_DATETIME);
    assert_true(str_starts(row.cells[due].text, STR("2026-05-01T12:00:00"))); // in Madrid
    xlsx_reader_close(x);
    must(xlsx_reader_open(arena_printf(&w->arena, "%s/p.xlsx", w->dir).p, NULL, &x, &e), &e);
    must(xlsx_reader_next(x, &row, &more, &e), &e);
    size_t price = 0;
    while (price < row.n && !str_is(row.cells[price].text, "Price"))
        price++;
    assert_true(price + 1 < row.n);
    must(xlsx_reader_next(x, &row, &more, &e), &e);
    assert_int_equal(row.cells[price].type, XLSX_DECIMAL);
    assert_true(str_is(row.cells[price].text, "1234.5"));
    assert_true(str_is(row.cells[price + 1].text, "PLN"));
    xlsx_reader_close(x);
}

static void test_json_lines_are_the_documents(void **state) {
    struct world *w = *state;
    some_people(w);
    export_module(w, "contacts", "c.jsonl", NULL, 0, false);
    struct str rest = read_file(&w->arena, w->dir, "c.jsonl");
    struct doc *line = NULL;
    struct error e = {0};
    must(json_parse(&w->arena, str_cut(&rest, '\n'), NULL, &line, &e), &e);
    is_text(line, "company.name", "Ácme; \"S.A.\"");
    is_text(line, "phone.e164", "+34600123123");
    must(json_parse(&w->arena, str_cut(&rest, '\n'), NULL, &line, &e), &e);
    is_text(line, "name", "=SUM(A1)");
    assert_int_equal(rest.n, 0);
}

// ---------------------------------------------------------------- there and back

static const char *const odd_texts[] = {
    "'=x",   "''=x", "'",       "=",     "@x",   "+1",    "-",    "\tx",           "x\r\ny",
    "\"",    "a\"b", ",;|\t",   "  x  ", "１２", "null",  "0x10", "1e5",           "TRUE",
    "1/2/3", "#N/A", "_x000D_", "Ω≈ç√∫", "👾 🙇",  "a​b", "ﷺ",    "\xEF\xBB\xBFx",
};

// Every text of the list into every text field, exported, imported elsewhere, compared.
static void there_and_back(struct world *w, const struct str *texts, size_t n, const char *file) {
    for (size_t i = 0; i < n; i++) {
        struct doc *v = doc_object(&w->arena);
        doc_set_str(&w->arena, v, "name", texts[i]);
        doc_set_str(&w->arena, v, "position", texts[i]);
        doc_set_str(&w->arena, v, "notes", texts[i]);
        struct world_act act = {.module = "contacts", .values = v};
        world_run(w, &act);
    }
    const char *path = arena_printf(&w->arena, "%s/%s", w->dir, file).p;
    export_module(w, "contacts", file, NULL, 0, false);
    void *state = NULL;
    assert_int_equal(world_set_up(&state), 0);
    struct world *other = state;
    struct import *job =
        import_of(other, "contacts", path,
                  "{\"language\":\"none\",\"match\":[],\"columns\":{"
                  "\"name\":{\"field\":\"name\",\"trim\":false},"
                  "\"position\":{\"field\":\"position\",\"trim\":false},\"notes\":\"notes\"}}");
    counts_are(run_import(other, job), (int64_t)n, 0, 0, 0, 0);
    import_close(job);
    const struct doc *all = all_where(other, "contacts", NULL, NULL), *d = all->first;
    for (size_t i = 0; i < n; i++, d = d->next) {
        static const char *const keys[] = {"name", "position", "notes"};
        for (size_t k = 0; k < 3; k++)
            if (!str_eq(doc_text(doc_get(d, str_z(keys[k]))), texts[i]))
                fail_msg("%s %s of \"%.*s\" came back as \"%.*s\"", file, keys[k],
                         STR_FMT(texts[i]), STR_FMT(doc_text(doc_get(d, str_z(keys[k])))));
    }
    assert_int_equal(world_tear_down(&state), 0);
}

static void odd_there_and_back(struct world *w, const char *file) {
    struct str texts[sizeof odd_texts / sizeof *odd_texts];
    for (size_t i = 0; i < sizeof odd_texts / sizeof *odd_texts; i++)
        texts[i] = str_z(odd_texts[i]);
    there_and_back(w, texts, sizeof texts / sizeof *texts, file);
}

static void test_odd_texts_by_csv(void **state) {
    odd_there_and_back(*state, "odd.csv");
}

static void test_odd_texts_by_spreadsheet(void **state) {
    odd_there_and_back(*state, "odd.xlsx");
}

// The naughty strings of others, where they are.
static size_t naughty(struct world *w, struct str *texts, size_t most) {
    const char *data = shared_data();
    if (!data)
        return 0;
    struct str json_text = read_file(&w->arena, data, "conformance/strings/naughty.json");
    struct doc *list = NULL;
    size_t n = 0;
    if (!json_text.p || json_parse(&w->arena, json_text, NULL, &list, NULL) != OK)
        fail_msg("the strings can't be read");
    doc_each(one, list) {
        struct str s = doc_text(one);
        // A name has at most 250 characters, a position 120, and blanks are none.
        if (s.n && s.n <= 120 && str_trim(s).n && n < most)
            texts[n++] = s;
    }
    assert_true(n > 400);
    return n;
}

static void naughty_there_and_back(struct world *w, const char *file) {
    static struct str texts[600], good[600];
    size_t n = naughty(w, texts, 600), m = 0;
    if (!n)
        skip();
    // What the CRM itself does not take as a name (blanks of other kinds only) is not for export.
    for (size_t i = 0; i < n; i++) {
        struct doc *v = doc_object(&w->arena);
        doc_set_str(&w->arena, v, "name", texts[i]);
        struct world_act act = {.module = "products", .values = v};
        struct act by = {.viewer = &w->admin, .channel = CHANNEL_API, .operation = -1, .cause = -1};
        if (action_run(w->crm, &by, world_do, &act, NULL) == OK)
            good[m++] = texts[i];
    }
    assert_true(m + 20 > n);
    there_and_back(w, good, m, file);
}

static void test_naughty_strings_by_csv(void **state) {
    naughty_there_and_back(*state, "blns.csv");
}

static void test_naughty_strings_by_spreadsheet(void **state) {
    naughty_there_and_back(*state, "blns.xlsx");
}

// All types, without a mapping: the columns of an export are recognised.
static void test_an_export_is_imported_as_it_is(void **state) {
    struct world *w = *state;
    some_people(w);
    static const char *const modules[] = {"companies", "contacts", "products", "tasks"};
    void *fresh = NULL;
    assert_int_equal(world_set_up(&fresh), 0);
    struct world *other = fresh;
    create(other, "levels", "{\"name\":\"L\"}");
    create(other, "users", "{\"name\":\"Ana Ruiz\",\"email\":\"ana@example.com\",\"level\":1}");
    for (size_t i = 0; i < 4; i++) {
        const char *file = arena_printf(&w->arena, "%s.%s", modules[i], i % 2 ? "xlsx" : "csv").p;
        export_module(w, modules[i], file, NULL, 0, false);
        struct import *job =
            import_of(other, modules[i], arena_printf(&w->arena, "%s/%s", w->dir, file).p, NULL);
        struct doc *r = run_import(other, job);
        assert_int_equal(doc_get_int(r, "refused", -1), 0);
        import_close(job);
        const struct doc *before = all_where(w, modules[i], NULL, NULL),
                         *after = all_where(other, modules[i], NULL, NULL);
        assert_int_equal(before->count, after->count);
        const struct doc *b = before->first, *a = after->first;
        for (; a; a = a->next, b = b->next)
            doc_each(value, b) {
                static const char *const own[] = {"created_at", "updated_at", "version",
                                                  "name",       "created_by", "updated_by"};
                bool skipped = str_is(value->key, "number");
                for (size_t k = 0; k < 6; k++)
                    skipped = skipped ||
                              (str_is(value->key, own[k]) && !doc_get(a, STR("nothing")) && k != 3);
                const struct doc *got = doc_get(a, value->key);
                if (!skipped && !(doc_is_null(value) && doc_is_null(got)) && !doc_equal(value, got))
                    fail_msg("%s: %.*s came back different", modules[i], STR_FMT(value->key));
            }
    }
    assert_int_equal(world_tear_down(&fresh), 0);
}

// ---------------------------------------------------------------- history

static void test_history_leaves_with_names(void **state) {
    struct world *w = *state;
    some_people(w);
    struct world_act act = {
        .module = "contacts", .id = 1, .values = json(w, "{\"company\":null,\"city\":\"Quito\"}")};
    world_run(w, &act);
    struct history_query history = {.user = -1, .operation = -1, .before = -1};
    struct export_request q = {.history = &history};
    struct export_result r = export_to(w, "h.csv", &q);
    struct table t = read_csv(w, "h.csv");
    assert_int_equal(t.n, r.rows + 1);
    bool company = false, city = false;
    for (size_t i = 1; i < t.n; i++) {
        if (!str_is(cell(&t, i, "kind"), "edited"))
            continue;
        cell_is(&t, i, "module", "contacts");
        cell_is(&t, i, "record", "1");
        cell_is(&t, i, "name", "Ann");
        if (str_is(cell(&t, i, "field"), "company")) {
            company = true;
            cell_is(&t, i, "old", "Ácme; \"S.A.\" (1)");
            cell_is(&t, i, "new", "");
        } else {
            city = true;
            cell_is(&t, i, "field", "city");
            cell_is(&t, i, "old", "Lima");
            cell_is(&t, i, "new", "Quito");
        }
    }
    assert_true(company && city);
    history.kind = KIND_EDITED;
    assert_int_equal(export_to(w, "h.jsonl", &q).rows, 1);
    struct doc *line = NULL;
    struct error e = {0};
    struct str rest = read_file(&w->arena, w->dir, "h.jsonl");
    must(json_parse(&w->arena, str_cut(&rest, '\n'), NULL, &line, &e), &e);
    is_text(line, "kind", "edited");
    assert_int_equal(export_to(w, "h.xlsx", &q).rows, 2);
}

// ---------------------------------------------------------------- the trace

static void test_every_export_leaves_a_trace(void **state) {
    struct world *w = *state;
    some_people(w);
    int64_t before = writer_position(crm_writer(w->crm));
    struct list_filter filter = {STR("city"), OP_EQ, STR("Lima")};
    struct export_result r = export_module(w, "contacts", "c.csv", &filter, 1, false);
    assert_int_equal(r.position, before + 1);
    struct looking l;
    struct reader *reader = look(w, &l);
    struct history_query history = {
        .user = -1, .operation = -1, .before = -1, .kind = KIND_EXPORTED};
    struct doc *found = NULL;
    struct error e = {0};
    must(history_list(reader, &history, &found, &e), &e);
    const struct doc *event = doc_get(found, STR("items"))->first,
                     *what = doc_get(event, STR("export"));
    is_text(event, "module", "contacts");
    is_text(what, "format", "csv");
    is_text(what, "what", "records");
    assert_int_equal(doc_get_int(what, "rows", 0), 1);
    is_text(doc_get(what, STR("filters"))->first, "field", "city");
    is_text(doc_get(what, STR("filters"))->first, "value", "Lima");
    struct verify_report report;
    must(history_verify(l.conn, &(struct verify_options){0}, &report, &e), &e);
    assert_int_equal(report.damage, DAMAGE_NONE);
    look_away(w, &l);
    check_rebuild(w);
}

// Names are remembered on the way: of records with the same number in two modules, of more than there are places for, and
// of one that is too long.
static void test_names_beside_many_links(void **state) {
    struct world *w = *state;
    enum { MANY = 600 };
    char text[600], last[200];
    memset(last, 'x', sizeof last - 1);
    last[sizeof last - 1] = 0;
    for (int i = 1; i <= MANY; i++) {
        snprintf(text, sizeof text, "{\"name\":\"%s %d\"}", i == MANY ? last : "Company", i);
        create(w, "companies", text);
    }
    for (int i = 1; i <= MANY; i++) {
        struct str chief = i > 1 ? arena_printf(&w->arena, ",\"reports_to\":%d", i - 1) : STR("");
        snprintf(text, sizeof text, "{\"name\":\"Contact %d\",\"company\":%d%.*s}", i,
                 i % 2 ? i : MANY + 1 - i, STR_FMT(chief));
        create(w, "contacts", text);
    }
    export_module(w, "contacts", "links.csv", NULL, 0, false);
    struct table t = read_csv(w, "links.csv");
    assert_int_equal(t.n, MANY + 1);
    for (int i = 1; i <= MANY; i++) {
        int company = i % 2 ? i : MANY + 1 - i;
        snprintf(text, sizeof text, "%s %d", company == MANY ? last : "Company", company);
        cell_is(&t, (size_t)i, "company", text);
        snprintf(text, sizeof text, "Contact %d", i - 1);
        cell_is(&t, (size_t)i, "reports_to", i > 1 ? text : "");
    }
}

static void test_nothing_leaves_without_right_or_room(void **state) {
    struct world *w = *state;
    some_people(w);
    const struct model *model = crm_model_hold(w->crm);
    struct list_query list = {.module = model_module(model, STR("contacts"))};
    struct viewer reader = {.user = 1, .profile = PROFILE_READ_ONLY},
                  member = {.user = 1, .profile = PROFILE_MEMBER};
    struct history_query history = {.user = -1, .operation = -1, .before = -1};
    struct export_request q = {
        .list = &list, .viewer = &reader, .format = EXPORT_CSV, .channel = CHANNEL_API};
    struct export_result r;
    struct error e = {0};
    int64_t before = writer_position(crm_writer(w->crm));
    q.path = arena_printf(&w->arena, "%s/no.csv", w->dir).p;
    assert_int_equal(export_run(w->crm, &q, &r, &e), DENIED);
    q.list = NULL;
    q.history = &history;
    q.viewer = &member;
    assert_int_equal(export_run(w->crm, &q, &r, &e), DENIED);
    assert_int_not_equal(access(q.path, F_OK), 0);
    // Imports are a matter of administrators.
    list.module = model_module(model, STR("imports"));
    q.list = &list;
    q.history = NULL;
    assert_int_equal(export_run(w->crm, &q, &r, &e), DENIED);
    // Nowhere to write.
    list.module = model_module(model, STR("contacts"));
    q.viewer = &w->admin;
    for (int format = EXPORT_CSV; format <= EXPORT_JSONL; format++) {
        q.format = (enum export_format)format;
        q.path = "/nowhere/at/all/x.csv";
        assert_int_not_equal(export_run(w->crm, &q, &r, &e), OK);
        // The disk is full.
        q.path = "/dev/full";
        if (format != EXPORT_XLSX)
            assert_int_equal(export_run(w->crm, &q, &r, &e), FULL);
        // What stood there and is no file of ours stays.
        const char *link = arena_printf(&w->arena, "%s/link%d", w->dir, format).p;
        assert_int_equal(symlink("/nowhere/at/all/x", link), 0);
        q.path = link;
        assert_int_not_equal(export_run(w->crm, &q, &r, &e), OK);
        struct stat about;
        assert_int_equal(lstat(link, &about), 0);
    }
    // A filter that is none, after the file was begun: no file stays.
    struct list_filter bad = {STR("no_such_field"), OP_EQ, STR("x")};
    list = (struct list_query){
        .module = model_module(model, STR("contacts")), .filters = &bad, .n_filters = 1};
    q.path = arena_printf(&w->arena, "%s/no.csv", w->dir).p;
    q.format = EXPORT_CSV;
    assert_int_equal(export_run(w->crm, &q, &r, &e), INVALID);
    assert_int_not_equal(access(q.path, F_OK), 0);
    crm_model_release(w->crm, model);
    assert_int_equal(writer_position(crm_writer(w->crm)), before);
}

#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void) {
    crypto_start();
    const struct CMUnitTest tests[] = {
        T(test_csv_is_for_programs),
        T(test_filters_order_and_columns),
        T(test_spreadsheets_have_types),
        T(test_json_lines_are_the_documents),
        T(test_odd_texts_by_csv),
        T(test_odd_texts_by_spreadsheet),
        T(test_naughty_strings_by_csv),
        T(test_naughty_strings_by_spreadsheet),
        T(test_an_export_is_imported_as_it_is),
        T(test_history_leaves_with_names),
        T(test_every_export_leaves_a_trace),
        T(test_names_beside_many_links),
        T(test_nothing_leaves_without_right_or_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
