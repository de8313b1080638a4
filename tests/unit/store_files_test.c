// Files that nodes on one PostgreSQL share, and what one of them holds at a time. Only with a server (place.h).
#include "store_fixture.h"

#include <sys/resource.h>

#include "base/clock.h"
#include "store/files.h"
#include "store/hold.h"

static void write_file(const char *dir, const char *name, const char *text) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_file(const char *dir, const char *name, const char *text) {
    char path[200], got[100] = "";
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "r");
    if (file) {
        (void)!fgets(got, sizeof got, file);
        fclose(file);
    }
    assert_string_equal(got, text);
}

// The directory may be that of another installation, whose key must not be gone for it.
static void test_a_file_that_gives_way_is_kept(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct store *second;
    char dir[64], url[PLACE_URL];
    make_folder(dir);
    place_url(url, sizeof url, "cronista_application", place_schema(f->dir));
    assert_ok(store_open_at(&second, dir, url, false, &e), &e);
    write_file(f->dir, "log.key", "first");
    assert_ok(store_file_share(f->store, "log.key", &e), &e);
    write_file(dir, "log.key", "another");
    for (int i = 0; i < 2; i++)
        assert_ok(store_file_share(second, "log.key", &e), &e);
    assert_file(dir, "log.key", "first");
    assert_file(dir, "log.key.replaced", "another");
    assert_ok(store_file_share(f->store, "log.key", &e), &e);
    assert_file(f->dir, "log.key", "first");
    assert_file(f->dir, "log.key.replaced", "");
    store_close(second);
    remove_folder(dir);
}

// AddressSanitizer keeps what was freed, 256 MiB of it unless told: the test below would measure that.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
const char *__asan_default_options(void);

const char *__asan_default_options(void) {
    return "quarantine_size_mb=4";
}
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

static long peak_kilobytes(void) {
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

static void test_a_large_file_takes_little_memory(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    char path[200];
    write_file(f->dir, "large", "");
    snprintf(path, sizeof path, "%s/large", f->dir);
    assert_int_equal(truncate(path, 100 << 20), 0);
    long before = peak_kilobytes();
    assert_ok(store_file_share(f->store, "large", &e), &e);
    assert_in_range(peak_kilobytes() - before, 0, 16 << 10);
    struct conn *c = connect_as(f->store, STORE_READ);
    assert_answer(c, "SELECT sum(length(bytes)) FROM files", "104857600");
    conn_close(c);
}

// Another node's store, with a directory of its own.
static struct store *second_node(const struct fixture *f, char dir[64]) {
    struct store *store;
    struct error e = {0};
    char url[PLACE_URL];
    make_folder(dir);
    place_url(url, sizeof url, "cronista_application", place_schema(f->dir));
    assert_ok(store_open_at(&store, dir, url, false, &e), &e);
    return store;
}

static void put(struct store *store, const char *name, const char *text) {
    struct error e = {0};
    char path[200];
    write_file(store_directory(store), "fresh", text);
    snprintf(path, sizeof path, "%s/fresh", store_directory(store));
    assert_ok(store_file_put(store, name, path, &e), &e);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void assert_fresh(struct conn *c, const char *name, const char *text) {
    struct error e = {0};
    bool there = false, found = false;
    assert_ok(store_file_find(c, name, &found, &e), &e);
    assert_ok(store_file_refresh(c, name, &there, &e), &e);
    assert_int_equal(found, text != NULL);
    assert_int_equal(there, text != NULL);
    if (text)
        assert_file(store_directory(conn_store(c)), name, text);
}

static void test_files_that_change(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    char dir[64];
    const char *const note = "waiting/uA-_z/note.json";
    struct store *second = second_node(f, dir);
    struct conn *here = connect_as(f->store, STORE_READ), *there = connect_as(second, STORE_READ);
    assert_fresh(there, note, NULL);
    put(f->store, note, "first");
    assert_file(f->dir, note, "first");
    assert_fresh(there, note, "first");
    put(second, note, "another");
    assert_fresh(here, note, "another");
    char replaced[80];
    snprintf(replaced, sizeof replaced, "%s.replaced", note);
    assert_file(f->dir, replaced, "");
    // Several pieces, and fewer after that.
    char path[200];
    write_file(f->dir, "large", "");
    snprintf(path, sizeof path, "%s/large", f->dir);
    assert_int_equal(truncate(path, 600 << 10), 0);
    assert_ok(store_file_put(f->store, note, path, &e), &e);
    assert_answer(here, "SELECT count(*) || ' ' || sum(length(bytes)) FROM files", "3 614400");
    put(f->store, note, "");
    assert_answer(here, "SELECT count(*) || ' ' || sum(length(bytes)) FROM files", "1 0");
    put(f->store, note, "short");
    assert_fresh(there, note, "short");
    // Gone for all; a directory keeps what only it has.
    assert_ok(store_file_remove(second, note, &e), &e);
    assert_file(dir, note, "");
    assert_fresh(here, note, NULL);
    assert_file(f->dir, note, "short");
    assert_ok(store_file_remove(second, note, &e), &e);
    // A failure leaves everything as it was.
    snprintf(path, sizeof path, "%s/nowhere", f->dir);
    assert_int_equal(store_file_put(f->store, note, path, &e), UNAVAILABLE);
    assert_file(f->dir, note, "short");
    conn_close(here);
    conn_close(there);
    store_close(second);
    remove_folder(dir);
}

static void test_folders_of_files(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct arena a = ARENA_INIT;
    struct str *names = NULL;
    size_t n = 7;
    struct conn *c = connect_as(f->store, STORE_READ);
    put(f->store, "waiting/u1/file", "a");
    micros between = clock_now();
    put(f->store, "waiting/u2/file", "a");
    put(f->store, "waiting0/u3/file", "not of this folder");
    assert_ok(store_folders(c, "waiting", INT64_MAX, &a, &names, &n, &e), &e);
    assert_int_equal(n, 2);
    assert_true(str_is(names[0], "u1") && str_is(names[1], "u2"));
    assert_ok(store_folders(c, "waiting", between + 1, &a, &names, &n, &e), &e);
    assert_int_equal(n, 1);
    put(f->store, "waiting/u1/note", "it is of use");
    assert_ok(store_folders(c, "waiting", between + 1, &a, &names, &n, &e), &e);
    assert_int_equal(n, 0);
    assert_ok(store_file_remove(f->store, "waiting/u1", &e), &e);
    assert_answer(c, "SELECT string_agg(name, ' ' ORDER BY name) FROM files",
                  "waiting/u2/file waiting0/u3/file");
    conn_close(c);
    arena_release(&a);
}

static void assert_held(struct store *store, const char *name, bool expected) {
    struct error e = {0};
    struct conn *c = connect_as(store, STORE_READ);
    bool held = !expected;
    assert_ok(store_held(c, name, &held, &e), &e);
    assert_int_equal(held, expected);
    conn_close(c);
}

static void test_a_hold_is_of_one(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    char dir[64];
    struct store *second = second_node(f, dir);
    struct hold *mine = NULL, *other = NULL;
    assert_held(second, "imports/1.lock", false);
    assert_ok(store_hold(f->store, "imports/1.lock", &mine, &e), &e);
    assert_held(second, "imports/1.lock", true);
    assert_held(f->store, "imports/2.lock", false);
    assert_int_equal(store_hold(second, "imports/1.lock", &other, &e), CONFLICT);
    assert_int_equal(store_hold(f->store, "imports/1.lock", &other, &e), CONFLICT);
    for (int i = 0; i < 3; i++)
        assert_ok(hold_look(mine, &e), &e);
    // A connection that is lost is made again, and the name taken, unless somebody else was faster.
    for (int i = 0; i < 2; i++) {
        struct conn *c = connect_as(f->store, STORE_WRITE);
        struct stmt *row = NULL;
        bool more = false;
        assert_ok(
            store_sql(c,
                      STR("SELECT CAST(pg_terminate_backend(pid, 5000) AS integer) FROM pg_locks"
                          " WHERE locktype = 'advisory' AND CAST(classid AS bigint) << 32"
                          " | CAST(objid AS bigint) = hashtextextended(current_schema()"
                          " || '/imports/1.lock', 0)"),
                      NULL, 0, &row, &e),
            &e);
        assert_ok(store_next(row, &more, &e), &e);
        assert_true(more);
        store_done(row);
        conn_close(c);
        if (i == 1)
            assert_ok(store_hold(second, "imports/1.lock", &other, &e), &e);
        enum status st = hold_look(mine, &e);
        if (st == UNAVAILABLE)
            st = hold_look(mine, &e);
        assert_int_equal(st, i == 1 ? CONFLICT : OK);
    }
    hold_end(other);
    assert_held(second, "imports/1.lock", false);
    hold_end(mine);
    store_close(second);
    remove_folder(dir);
}

int main(void) {
    if (no_postgres())
        return 77;
    crypto_start();
#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_STORE(test_a_file_that_gives_way_is_kept),
        IN_A_STORE(test_a_large_file_takes_little_memory),
        IN_A_STORE(test_files_that_change),
        IN_A_STORE(test_folders_of_files),
        IN_A_STORE(test_a_hold_is_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
