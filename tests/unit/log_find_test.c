// The filtered change log against a plain look at every event: the same events page by page, the same counts, whatever part of
// the log has marks.
#include "place_crm.h"

#include "base/crypto.h"
#include "files.h"
#include "model/model.h"
#include "records/crm.h"
#include "records/log_find.h"
#include "records/marks.h"

#define FIRST (MARKS_CHUNK + 700) // events that the installation begins with
#define EVENTS_MOST (FIRST + 8000)
#define BEGIN (1700000000 * SECOND)

// What the test knows of an event.
struct known {
    micros at;
    int64_t actor, operation, record;
    const struct module *module;
    int kind;
    struct str fields[3];
    int n;
};

struct world {
    struct crm *crm;
    const struct model *model;
    struct viewer admin, member;
    bool hides; // from the administrator: activities with an even number
    bool keeps; // from the administrator: how users get in
    struct conn *conn;
    char dir[64];
    unsigned seed;
    struct known *known;
    int64_t n;
};

static void must(enum status s, const struct error *e) {
    char text[300];
    if (s != OK) {
        error_text(e, text, sizeof text);
        fail_msg("%s: %s (%s)", status_name(s), text, e->field);
    }
}

static unsigned any(struct world *w, unsigned below) {
    w->seed = w->seed * 1103515245 + 12345;
    return (w->seed >> 12) % below;
}

// ---------------------------------------------------------------- a log by chance

static const char *const modules[] = {"contacts",  "contacts", "contacts",
                                      "companies", "tasks",    "users"};

static void invent(struct world *w, struct known *k, bool disorder) {
    *k = (struct known){.actor = any(w, 20) ? any(w, 4) : 4 + any(w, 9),
                        .kind = any(w, 10) ? 1 + (int)any(w, 3) : 1 + (int)any(w, 13)};
    k->module = model_module(w->model, str_z(modules[any(w, 6)]));
    k->record = 1 + any(w, 50);
    k->at = BEGIN + w->n * MINUTE;
    if (disorder && any(w, 3) == 0)
        k->at = BEGIN - 100 * DAY + (micros)any(w, 200000) * MINUTE;
    for (int n = (int)any(w, 4); k->n < n;) {
        size_t which = any(w, 6) ? any(w, 5) : any(w, (unsigned)k->module->n_fields);
        k->fields[k->n++] =
            any(w, 12) ? k->module->fields[which % k->module->n_fields].key : STR("owner");
    }
}

struct more {
    struct world *w;
    int n;
    bool disorder;
};

static enum status append(struct write *write, void *arg, struct error *e) {
    struct more *more = arg;
    struct world *w = more->w;
    static const struct doc text = {.type = DOC_STRING,
                                    .string = {"{\"field\":\"city\",\"new\"}", 22}};
    enum status s = OK;
    int64_t operation = -1;
    for (int i = 0; i < more->n && !s; i++) {
        struct known *k = &w->known[w->n];
        struct event_item items[4];
        invent(w, k, more->disorder);
        for (int j = 0; j < k->n; j++)
            items[j] = (struct event_item){.field = k->fields[j], .new = &text};
        items[k->n] = (struct event_item){.field = STR("~reason"), .new = &text};
        if (any(w, 40) == 0)
            operation = -1;
        struct event ev = {.at = k->at,
                           .actor = k->actor,
                           .channel = CHANNEL_API,
                           .operation = operation,
                           .cause = -1,
                           .kind = (enum event_kind)k->kind,
                           .module = k->module->key,
                           .module_number = k->module->number,
                           .record = k->record,
                           .items = items,
                           .n_items = (size_t)k->n + 1,
                           .imported_time = true};
        s = history_append(write, &ev, e);
        operation = ev.operation;
        k->operation = operation;
        w->n++;
    }
    return s;
}

static void add(struct world *w, int n, bool disorder) {
    struct error e = {0};
    while (n > 0) {
        struct more more = {w, n < 4096 ? n : 4096, disorder};
        must(writer_run(crm_writer(w->crm), append, &more, NULL, &e), &e);
        n -= more.n;
    }
}

static int set_up(void **state) {
    struct world *w = calloc(1, sizeof *w);
    struct error e = {0};
    if (!new_crm(&w->crm, w->dir))
        return 1;
    w->model = crm_model_hold(w->crm);
    w->admin = (struct viewer){.profile = PROFILE_ADMINISTRATOR};
    w->member = (struct viewer){.user = 2, .profile = PROFILE_MEMBER};
    const char *seed = getenv("LOG_FIND_SEED");
    w->seed = seed ? (unsigned)strtoul(seed, NULL, 10) : 11;
    w->known = calloc(EVENTS_MOST, sizeof *w->known);
    must(store_connect(crm_store(w->crm), STORE_READ, &w->conn, &e), &e);
    add(w, FIRST, false);
    crm_index_wait(w->crm);
    *state = w;
    return 0;
}

static int tear_down(void **state) {
    struct world *w = *state;
    conn_close(w->conn);
    crm_model_release(w->crm, w->model);
    crm_close(w->crm);
    remove_dir(w->dir);
    free(w->known);
    free(w);
    return 0;
}

// ---------------------------------------------------------------- a query by chance, answered plainly

enum { NO_USER = 1, NO_MODULE = 2, NO_KIND = 4, NO_FIELD = 8 };

static bool is_hidden(const struct world *w, const struct known *k) {
    return w->hides && k->record % 2 == 0 && str_is(k->module->key, "tasks");
}

static bool meets(const struct known *k, const struct history_query *h, int but) {
    if ((h->from && k->at < h->from) || (h->to && k->at > h->to))
        return false;
    if (!(but & NO_USER) && h->user >= 0 && k->actor != h->user)
        return false;
    if (!(but & NO_MODULE) && h->of_module && k->module->number != h->of_module)
        return false;
    if (!(but & NO_KIND) && h->kind && k->kind != h->kind)
        return false;
    if (h->operation >= 0 && k->operation != h->operation)
        return false;
    if ((but & NO_FIELD) || !h->field.n)
        return true;
    for (int i = 0; i < k->n; i++)
        if (str_eq(k->fields[i], h->field))
            return true;
    return false;
}

static bool is_kept(const struct world *w, const struct known *k) {
    static const int kinds[] = {KIND_SIGNED_IN, KIND_SIGN_IN_FAILED, KIND_PASSWORD_CHANGED,
                                KIND_KEY_ADDED, KIND_KEY_REVOKED};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && w->keeps; i++)
        if (k->kind == kinds[i])
            return true;
    return false;
}

static bool shown(const struct world *w, const struct known *k, const struct history_query *h) {
    return meets(k, h, 0) && !(h->field.n && is_hidden(w, k)) && !is_kept(w, k);
}

static micros any_time(struct world *w) {
    const struct known *k = &w->known[any(w, (unsigned)w->n)];
    switch (any(w, 3)) {
    case 0:
        return k->at; // just that moment
    case 1:
        return k->at - k->at % DAY;
    default:
        return k->at + (micros)any(w, 100000) * SECOND;
    }
}

static struct history_query any_query(struct world *w) {
    struct history_query h = {.user = -1, .operation = -1, .before = -1};
    unsigned which = 1 + any(w, 63);
    const struct known *like = &w->known[any(w, (unsigned)w->n)]; // so that something is found
    const struct known *other = any(w, 3) ? like : &w->known[any(w, (unsigned)w->n)];
    if (which & 1)
        h.user = like->actor;
    if (which & 2)
        h.of_module = other->module->number;
    if (which & 4)
        h.kind = other->kind;
    if (which & 8 && like->n)
        h.field = like->fields[0];
    if (which & 16)
        h.from = any_time(w);
    if (which & 16 && any(w, 2))
        h.to = h.from + (micros)any(w, 30) * 7 * HOUR;
    else if (which & 32 && any(w, 2))
        h.to = any_time(w);
    if (any(w, 8) == 0)
        h.operation = like->operation;
    return h;
}

static void told(const struct history_query *h, const char *what, int64_t position) {
    fail_msg("%s at %lld: user %lld module %d kind %d field %.*s operation %lld from %lld to %lld",
             what, (long long)position, (long long)h->user, h->of_module, h->kind,
             STR_FMT(h->field), (long long)h->operation, (long long)h->from, (long long)h->to);
}

// Walks all pages. As the documents of a page cost more than finding them, the pages of few have them and others not.
static void compare(struct world *w, struct history_query h) {
    int64_t at = w->n - 1;
    bool documents = any(w, 4) == 0;
    int pages = 0, fewer = 0;
    h.limit = documents ? 1 + (int)any(w, 60) : 1 + (int)any(w, 20000);
    for (bool more = true; more; pages++) {
        struct arena a = ARENA_INIT;
        struct error e = {0};
        struct reader r = {w->crm, w->conn, w->model, &w->admin, &a};
        struct log_found found = {0};
        struct doc *d = NULL;
        if (documents && pages > 30)
            return;
        must(store_begin(w->conn, false, &e), &e);
        if (documents) {
            must(history_list(&r, &h, &d, &e), &e);
            assert_int_equal(e.status, OK); // a key without marks is no trouble to be told of
            found.positions = arena_array(&a, int64_t, 200);
            doc_each(item, doc_get(d, STR("items")))
                found.positions[found.n++] = doc_get_int(item, "position", -1);
            found.next = doc_integer(doc_get(d, STR("next")), 0);
            found.more = !doc_is_null(doc_get(d, STR("next")));
        } else {
            must(log_find(&r, &h, h.before, h.limit, &found, &e), &e);
        }
        store_rollback(w->conn);
        assert_true(found.n <= h.limit);
        for (int i = 0; i < found.n; i++, at--) {
            while (at >= 0 && !shown(w, &w->known[at], &h))
                at--;
            if (at != found.positions[i])
                told(&h, at > found.positions[i] ? "missed" : "too many", found.positions[i]);
        }
        more = found.more;
        if (more && h.before >= 0)
            assert_true(found.next < h.before); // it goes on
        h.before = found.next;
        if (more && found.n < h.limit)
            fewer++;
        arena_release(&a);
    }
    for (; at >= 0; at--)
        if (shown(w, &w->known[at], &h) && (!documents || at > h.before))
            told(&h, "missed", at);
    assert_true(fewer < 6);
}

static void compare_some(struct world *w, int n) {
    static const struct history_query all = {.user = -1, .operation = -1, .before = -1};
    struct history_query h = all;
    for (int i = 0; i < n; i++)
        compare(w, any_query(w));
    h.user = 99; // who did nothing
    compare(w, h);
    h = all;
    h.field = STR("no_such_field");
    compare(w, h);
    h = all;
    h.to = BEGIN - 200 * DAY;
    compare(w, h);
    h = all;
    h.operation = w->n + 5;
    compare(w, h);
}

// ---------------------------------------------------------------- counts

static int64_t counted(const struct doc *counts, const char *of, struct str choice, bool *more) {
    const struct doc *d = doc_get(doc_get(counts, str_z(of)), choice);
    *more = doc_get_true(d, "more");
    return d ? doc_get_int(d, "n", -1) : 0;
}

static int64_t plain_count(struct world *w, const struct history_query *h, int but,
                           const struct history_query *choice) {
    int64_t n = 0;
    for (int64_t i = 0; i < w->n; i++)
        n += meets(&w->known[i], h, but) && meets(&w->known[i], choice, 0) &&
             !is_kept(w, &w->known[i]);
    return n;
}

static void check_count(struct world *w, const struct history_query *h, int but,
                        const struct history_query *choice, const struct doc *counts,
                        const char *of, struct str name) {
    bool more;
    int64_t n = counted(counts, of, name, &more), right = plain_count(w, h, but, choice);
    if (n != (right < LIST_COUNT_MAX ? right : LIST_COUNT_MAX) || more != (right > LIST_COUNT_MAX))
        fail_msg("%s %.*s: %lld%s, not %lld", of, STR_FMT(name), (long long)n, more ? "+" : "",
                 (long long)right);
}

static void compare_counts(struct world *w, const struct history_query *h) {
    static const struct history_query all = {.user = -1, .operation = -1, .before = -1};
    struct arena a = ARENA_INIT;
    struct error e = {0};
    struct reader r = {w->crm, w->conn, w->model, &w->admin, &a};
    struct doc *counts;
    must(store_begin(w->conn, false, &e), &e);
    must(log_count(&r, h, &counts, &e), &e);
    store_rollback(w->conn);
    for (int user = 0; user < 13; user += 3) {
        struct history_query choice = all;
        choice.user = user;
        check_count(w, h, NO_USER, &choice, counts, "user", arena_printf(&a, "%d", user));
    }
    for (int kind = 1; kind < 14; kind += 2) {
        struct history_query choice = all;
        choice.kind = kind;
        check_count(w, h, NO_KIND, &choice, counts, "kind", str_z(event_kind_name(kind)));
    }
    for (size_t i = 2; i < sizeof modules / sizeof *modules; i++) {
        struct history_query choice = all;
        choice.of_module = model_module(w->model, str_z(modules[i]))->number;
        check_count(w, h, NO_MODULE, &choice, counts, "module", str_z(modules[i]));
    }
    const struct module *m = model_module_numbered(w->model, h->of_module);
    for (size_t i = 0; m && i < m->n_fields; i += 2) {
        struct history_query choice = all;
        choice.field = m->fields[i].key;
        check_count(w, h, NO_FIELD, &choice, counts, "field", m->fields[i].key);
    }
    arena_release(&a);
}

// ---------------------------------------------------------------- the tests

static void test_finds_what_is_there(void **state) {
    struct world *w = *state;
    compare_some(w, 60);
    add(w, 900, false); // which have no marks yet
    compare_some(w, 30);
    add(w, 1500, true); // an import with times of the past
    crm_index_wait(w->crm);
    compare_some(w, 60);
    add(w, 700, true);
    compare_some(w, 30);
}

static void test_counts(void **state) {
    struct world *w = *state;
    struct history_query none = {.user = -1, .operation = -1, .before = -1};
    compare_counts(w, &none);
    for (int i = 0; i < 12; i++) {
        struct history_query h = any_query(w);
        compare_counts(w, &h);
    }
}

// A page looks at so much and then says from where to go on.
static void test_without_marks(void **state) {
    struct world *w = *state;
    struct conn *c;
    struct error e = {0};
    bool same = true;
    must(store_connect(crm_store(w->crm), STORE_SEARCH, &c, &e), &e);
    must(marks_check(c, &same, &e), &e);
    assert_true(same);
    must(marks_forget(c, &e), &e);
    compare_some(w, 8);
    struct history_query h = {.user = 12, .operation = -1, .before = -1};
    compare_counts(w, &(struct history_query){.user = -1,
                                              .operation = w->known[w->n - 9].operation,
                                              .before = -1,
                                              .from = BEGIN - 300 * DAY});
    compare(w, h);
    bool done = false;
    for (int64_t position; !done;)
        must(marks_follow(c, &position, &done, &e), &e);
    must(marks_check(c, &same, &e), &e);
    assert_true(same);
    compare_some(w, 8);
    conn_close(c);
}

// What the log does not say is told, and what another log says is forgotten.
static void test_damage(void **state) {
    struct world *w = *state;
    static const char *const damage[] = {
        "UPDATE marks SET bits = (SELECT bits FROM marks WHERE key = 'k2' AND chunk = 0) WHERE key "
        "= 'u3' AND chunk = 0",
        "DELETE FROM marks WHERE key = 'k3' AND chunk = 0",
        "INSERT INTO marks (key, chunk, n, bits) SELECT 'u77', chunk, n, bits FROM marks WHERE key "
        "= 'u3' AND chunk = 0",
        "UPDATE marks_chunks SET ascending = 1 - ascending WHERE chunk = 1"};
    struct conn *c;
    struct error e = {0};
    int64_t position;
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        bool same = true;
        must(store_connect(crm_store(w->crm), STORE_SEARCH, &c, &e), &e);
        must(store_begin(c, true, &e), &e);
        must(store_script(c, str_z(damage[i]), &e), &e);
        must(marks_check(c, &same, &e), &e);
        if (same)
            fail_msg("not told: %s", damage[i]);
        store_rollback(c);
        must(marks_forget_foreign(c, &e), &e);
        must(marks_position(c, &position, &e), &e);
        assert_true(position > FIRST);
        conn_close(c);
    }
    must(store_connect(crm_store(w->crm), STORE_SEARCH, &c, &e), &e);
    must(store_script(c, STR("UPDATE marks_state SET head = 'of another log'"), &e), &e);
    must(marks_forget_foreign(c, &e), &e);
    must(marks_position(c, &position, &e), &e);
    assert_int_equal(0, position);
    conn_close(c);
}

// A field is found only where the viewer may read it: the same field may be closed in one module and open in another.
static void test_closed_fields(void **state) {
    struct world *w = *state;
    struct arena a = ARENA_INIT;
    struct error e = {0};
    struct reader r = {w->crm, w->conn, w->model, &w->member, &a};
    const struct module *users = model_module(w->model, STR("users"));
    size_t closed = 0;
    for (size_t i = 0; i < users->n_fields; i++) {
        struct history_query h = {
            .user = -1, .operation = -1, .before = -1, .field = users->fields[i].key};
        struct log_found found;
        if (may_field(&w->member, users, &users->fields[i], false))
            continue;
        closed++;
        must(log_find(&r, &h, -1, 20000, &found, &e), &e);
        for (int j = 0; j < found.n; j++)
            assert_ptr_not_equal(users, w->known[found.positions[j]].module);
    }
    assert_true(closed > 0);
    arena_release(&a);
}

static enum status hide(struct write *write, void *arg, struct error *e) {
    (void)arg;
    enum status s = OK;
    for (int id = 2; id <= 50 && !s; id += 2) {
        char text[200];
        snprintf(text, sizeof text,
                 "INSERT INTO m_tasks (id,version,created_at,created_by,updated_at,updated_by,"
                 "f_private) VALUES (%d,1,0,9,0,9,1)",
                 id);
        s = store_script(write->conn, str_z(text), e);
    }
    return s;
}

// By a field nothing of what is hidden is found: neither on a page nor by its end, whatever part of the log has marks. In the end
// there is only what is hidden: one page says that there is nothing.
static void test_hidden(void **state) {
    struct world *w = *state;
    struct error e = {0};
    struct arena a = ARENA_INIT;
    struct reader r = {w->crm, w->conn, w->model, &w->admin, &a};
    must(writer_run(crm_writer(w->crm), hide, NULL, NULL, &e), &e);
    w->hides = true;
    w->admin.user = 1;
    compare_some(w, 60);
    add(w, 900, false);
    crm_index_wait(w->crm);
    compare_some(w, 30);
    struct history_query h = {.user = 12, .operation = -1, .before = -1};
    const struct module *m = model_module(w->model, STR("tasks"));
    int alone = 0;
    for (size_t i = 0; i < m->n_fields; i++)
        for (h.user = 0; h.user < 13; h.user++) {
            struct log_found found;
            int64_t all = 0, seen = 0;
            h.field = m->fields[i].key;
            h.of_module = m->number;
            for (int64_t j = 0; j < w->n; j++) {
                all += meets(&w->known[j], &h, 0);
                seen += shown(w, &w->known[j], &h);
            }
            must(log_find(&r, &h, -1, 1, &found, &e), &e);
            assert_int_equal(seen > 0, found.n);
            assert_int_equal(seen > 0, found.more);
            alone += all > 0 && !seen;
        }
    assert_true(alone > 0);
    w->hides = false;
    w->admin.user = 0;
    arena_release(&a);
}

// Who does not manage users is told by the log of no sign-in, whatever part of it has marks.
static void test_sign_ins(void **state) {
    struct world *w = *state;
    struct history_query h = {.user = -1, .operation = -1, .before = -1};
    w->keeps = true;
    w->admin.closed = ALLOW(VERB_USERS);
    for (int i = 0; i < 100; i++) {
        if (i == 30)
            add(w, 900, false);
        if (i == 60)
            crm_index_wait(w->crm);
        if (i % 20 == 0)
            compare_counts(w, &h); // at first without any filter
        h = any_query(w);
        h.field = STR("");
        if (log_finds(&h)) // else only the field was asked for
            compare(w, h);
    }
    h = (struct history_query){
        .user = -1, .operation = -1, .before = -1, .kind = KIND_SIGN_IN_FAILED};
    compare(w, h);
    compare_counts(w, &h);
    w->keeps = false;
    w->admin.closed = 0;
}

// ---------------------------------------------------------------- sets

static void test_sets(void **state) {
    struct world *w = *state;
    char room[BITS_BYTES_MAX], again[BITS_BYTES_MAX];
    struct str bad[] = {STR(""), STR("X"), STR("A\1"), STR("R\1\0\2"), STR("B\1"), STR("Bits")};
    for (int i = 0; i < 300; i++) {
        struct bits set = {{0}}, back = {{0}}, kept, left;
        for (unsigned j = any(w, 40); j--;) {
            unsigned from = any(w, MARKS_CHUNK), n = 1 + any(w, any(w, 4) ? 70 : 6000);
            for (unsigned k = from; k < from + n && k < MARKS_CHUNK;
                 k += 1 + any(w, 1 + (unsigned)i % 3))
                bits_put(&set, k);
        }
        struct str bytes = bits_write(&set, room);
        assert_true(bits_add(&back, bytes));
        assert_memory_equal(&set, &back, sizeof set);
        struct str twice = bits_write(&back, again);
        assert_true(str_eq(bytes, twice));
        struct bits half = {{0}};
        bits_fill(&half, any(w, 30000), 30000 + any(w, 35000));
        kept = left = half;
        bits_keep(&kept, bytes);
        bits_drop(&left, bytes);
        assert_int_equal(bits_count(&half), bits_count(&kept) + bits_count(&left));
        assert_int_equal(bits_count(&kept), bits_common(&half, bytes));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bits none = {{0}};
        assert_false(bits_add(&none, bad[i]));
        assert_int_equal(0, bits_count(&none));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),          cmocka_unit_test(test_finds_what_is_there),
        cmocka_unit_test(test_counts),        cmocka_unit_test(test_closed_fields),
        cmocka_unit_test(test_hidden),        cmocka_unit_test(test_sign_ins),
        cmocka_unit_test(test_without_marks), cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
