// What an undoing costs: of an operation that did much to one record, its events once, and those of others since once.
#include "place_crm.h"

#include "actions/actions.h"
#include "actions/undo.h"
#include "files.h"
#include "records/crm.h"

struct world {
    struct crm *crm;
    struct store
        *counted; // the installation's, whose calls are counted: each statement and each row
    char dir[64];
    int64_t company;
};

static struct store *wrapped;

static struct store *wrap(struct store *inner) {
    return wrapped = store_fault(inner);
}

static void must(enum status s, const struct error *e) {
    char text[300];
    if (s != OK) {
        error_text(e, text, sizeof text);
        fail_msg("%s: %s (%s)", status_name(s), text, e->field);
    }
}

static int set_up(void **state) {
    struct world *w = calloc(1, sizeof *w);
    struct error e = {0};
    struct crm_options o = {.create = true, .migrate = true, .wrap = wrap};
    snprintf(w->dir, sizeof w->dir, "/tmp/cronista-test-XXXXXX");
    if (!mkdtemp(w->dir) || open_crm(&w->crm, w->dir, o, &e) != OK)
        return 1;
    w->counted = wrapped;
    *state = w;
    return 0;
}

static int tear_down(void **state) {
    struct world *w = *state;
    crm_close(w->crm);
    remove_dir(w->dir);
    free(w);
    return 0;
}

// ---------------------------------------------------------------- a past

struct edits {
    struct world *w;
    int n, from;
    const char *field;
    int64_t operation;
};

static enum status edit(struct action *a, void *arg, struct error *e) {
    struct edits *edits = arg;
    const struct module *m = model_module(a->model, STR("companies"));
    enum status s = OK;
    for (int i = 0; i < edits->n && !s; i++) {
        char text[40];
        struct doc *values = doc_object(a->write->arena);
        snprintf(text, sizeof text, "%s %d", edits->field, edits->from + i);
        doc_set(values, str_z(edits->w->company ? edits->field : "name"),
                doc_str(a->write->arena, arena_str(a->write->arena, str_z(text))));
        s = edits->w->company ? record_change(a, m, edits->w->company, 0, values, NULL, NULL, e)
                              : record_create(a, m, values, &edits->w->company, e);
    }
    edits->operation = a->act->operation;
    return s;
}

// So many changes of the field by one operation.
static int64_t operation(struct world *w, int n, int from, const char *field) {
    struct error e = {0};
    struct viewer viewer = {.profile = PROFILE_ADMINISTRATOR};
    struct act act = {.viewer = &viewer, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    struct edits edits = {w, n, from, field, -1};
    must(action_run(w->crm, &act, edit, &edits, &e), &e);
    return edits.operation;
}

// ---------------------------------------------------------------- what it costs

struct looked {
    int n;
    enum undo_fate fate;
};

static enum status look_at(void *arg, const struct undo_record *u) {
    struct looked *x = arg;
    x->n++;
    x->fate = u->fate;
    return OK;
}

// Calls of the database for a preview of the operation, which has one record.
static int64_t preview_costs(struct world *w, int64_t of, enum undo_fate wanted) {
    struct arena arena = ARENA_INIT;
    struct error e = {0};
    struct conn *conn = NULL;
    const struct model *model = crm_model_hold(w->crm);
    struct viewer viewer = {.profile = PROFILE_ADMINISTRATOR};
    must(store_connect(crm_store(w->crm), STORE_READ, &conn, &e), &e);
    struct write write = {.conn = conn, .arena = &arena, .now = clock_now()};
    struct act act = {.viewer = &viewer, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    struct action a = {.write = &write,
                       .crm = w->crm,
                       .model = model,
                       .act = &act,
                       .reader = {w->crm, conn, model, &viewer, &arena}};
    struct looked x = {0};
    int64_t next, before = store_fault_calls(w->counted);
    must(undo_preview(&a, of, INT64_MAX, 100000, look_at, &x, &next, &e), &e);
    int64_t calls = store_fault_calls(w->counted) - before;
    assert_int_equal(x.n, 1);
    assert_int_equal(x.fate, wanted);
    assert_int_equal(next, -1);
    conn_close(conn);
    crm_model_release(w->crm, model);
    arena_release(&arena);
    return calls;
}

static enum status begin_undoing(struct action *a, void *arg, struct error *e) {
    struct errand *g = arg;
    return undo_begin(a, g->subject, STR("test"), g, e);
}

// The same for doing it, and in how many slices.
static int64_t undoing_costs(struct world *w, int64_t of, int *slices) {
    struct error e = {0};
    struct viewer viewer = {.profile = PROFILE_ADMINISTRATOR};
    struct act act = {.viewer = &viewer, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    struct errand g = {.subject = of};
    int64_t before = store_fault_calls(w->counted);
    must(action_run(w->crm, &act, begin_undoing, &g, &e), &e);
    *slices = 1;
    for (bool over = g.state == ERRAND_DONE; !over; ++*slices)
        must(errand_go_on(w->crm, g.id, STR("test"), false, false, &over, &e), &e);
    return store_fault_calls(w->counted) - before;
}

static void test_a_record_is_read_once(void **state) {
    struct world *w = *state;
    operation(w, 1, 0, "name");
    int64_t first = operation(w, 400, 0, "city");
    for (int i = 0; i < 300; i++)
        operation(w, 1, i, "description"); // others' since
    int64_t events = 700, calls = preview_costs(w, first, UNDO_BACK);
    // A look at each event of the operation, and a row of each event of the record.
    assert_in_range(calls, events, 6 * events);
    // The record's newest are those of this operation: what is older is not read.
    int64_t second = operation(w, 400, 1000, "city");
    assert_in_range(preview_costs(w, second, UNDO_BACK), 400, 6 * 400);
    assert_in_range(preview_costs(w, first, UNDO_KEPT), 1100, 6 * 1100);
    int slices = 0;
    assert_in_range(undoing_costs(w, second, &slices), 400, 8 * 400);
    assert_true(slices < 20);
}

// ---------------------------------------------------------------- how it is found

// Whether an operation goes on with a record is found by an index that has the positions as well: no more of it is read than lies
// between the two events.
static void test_the_index_has_the_positions(void **state) {
    struct world *w = *state;
    struct error e = {0};
    struct conn *conn = NULL;
    struct stmt *row = NULL;
    bool more = true, sqlite = store_kind(crm_store(w->crm)) == STORE_SQLITE;
    struct buf plan = BUF_INIT(100000);
    must(store_connect(crm_store(w->crm), STORE_READ, &conn, &e), &e);
    must(store_begin(conn, false, &e), &e);
    must(store_sql(conn,
                   sqlite ? STR("EXPLAIN QUERY PLAN SELECT 1 FROM log WHERE module=4 AND record=5 "
                                "AND position>6 AND operation=7 ORDER BY position LIMIT 1")
                          : STR("SELECT indexdef FROM pg_indexes WHERE indexname='log_by_record' "
                                "AND schemaname=current_schema()"),
                   NULL, 0, &row, &e),
         &e);
    while (more && store_next(row, &more, &e) == OK && more)
        buf_str(&plan, stmt_text(row, sqlite ? 3 : 0));
    store_done(row);
    store_rollback(conn);
    conn_close(conn);
    if (str_find(buf_view(&plan), sqlite ? STR("log_by_record (module=? AND record=? AND rowid>?)")
                                         : STR("(module, record, \"position\")")) < 0)
        fail_msg("%.*s", STR_FMT(buf_view(&plan)));
    assert_true(str_find(buf_view(&plan), STR("TEMP B-TREE")) < 0);
    buf_release(&plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_record_is_read_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_index_has_the_positions, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
