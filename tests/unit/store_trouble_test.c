// When things go wrong or happen at once: failing calls, a full disk, many threads, a backup meanwhile.
#include "store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"

// Everything a caller may do, in one story: two requests, one of them undone, one event each.
static enum status story(struct conn *c, int64_t next, struct error *e) {
    enum status st = store_begin(c, true, e);
    if (st != OK)
        return st;
    char name[32];
    snprintf(name, sizeof name, "n%lld", (long long)next);
    struct param add[] = {P_INT(next + 100), P_TEXT(str_z(name))};
    struct str insert = STR("INSERT INTO contacts (id, name) VALUES ($1, $2)");
    if ((st = store_savepoint(c, e)) != OK ||
        (st = store_run_sql(c, insert, add, 2, NULL, e)) != OK ||
        (st = add_event(c, next, e)) != OK || (st = store_release(c, e)) != OK)
        return st;
    if ((st = store_savepoint(c, e)) != OK)
        return st;
    if ((st = store_run_sql(c, insert, add, 2, NULL, e)) != INVALID) // the name is taken
        return st == OK ? BUG : st;
    if ((st = store_rollback_to(c, e)) != OK)
        return st;
    struct stmt *s;
    bool row = true;
    int64_t rows = 0;
    if ((st = store_query(c, QUERY_HISTORY_HEADS, (struct param[]){P_INT(0), P_INT(next + 1)}, 2,
                          &s, e)) != OK)
        return st;
    while ((st = store_next(s, &row, e)) == OK && row)
        rows++;
    store_done(s);
    if (st != OK)
        return st;
    return rows == next + 1 ? store_commit(c, e) : BUG;
}

static const char whole[] =
    "SELECT (SELECT count(*) FROM events) || ' ' || (SELECT count(*) FROM payloads) || ' ' ||"
    " (SELECT size FROM log_state) || ' ' || (SELECT count(*) + 2 FROM contacts)";

static void assert_whole(struct store *store, int64_t events) {
    char expected[100];
    snprintf(expected, sizeof expected, "%lld %lld %lld %lld", (long long)events, (long long)events,
             (long long)events, (long long)events);
    struct conn *c = connect_as(store, STORE_READ);
    assert_answer(c, whole, expected);
    assert_answer(c, "PRAGMA quick_check", "ok");
    conn_close(c);
}

static void test_every_call_may_fail(void **state) {
    struct fixture *f = *state;
    f->store = store_fault(f->store);
    static const enum status with[] = {UNAVAILABLE, FULL, CONFLICT};
    struct conn *c = connect_as(f->store, STORE_HISTORY);
    int64_t events = 3;
    for (size_t w = 0; w < sizeof with / sizeof *with; w++)
        for (int sticky = 0; sticky < 2; sticky++)
            for (int64_t call = 1;; call++) {
                struct error e = {0};
                store_fault_set(f->store, call, sticky, with[w]);
                enum status st = story(c, events, &e);
                int64_t calls = store_fault_calls(f->store);
                store_rollback(c);
                store_fault_set(f->store, 0, false, OK);
                if (calls < call) { // it came to its end before the call that was to fail
                    assert_int_equal(st, OK);
                    assert_true(call > 15);
                    assert_whole(f->store, ++events);
                    break;
                }
                assert_int_equal(st, with[w]);
                assert_whole(f->store, events);
            }
    conn_close(c);
    struct conn *none;
    struct error e = {0};
    store_fault_set(f->store, 1, false, UNAVAILABLE);
    assert_int_equal(store_connect(f->store, STORE_READ, &none, &e), UNAVAILABLE);
}

static void collect(void *lines, struct str line) {
    buf_str(lines, line);
    buf_char(lines, '\n');
}

static void test_trace_tells_every_call(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct buf lines = BUF_INIT(1 << 20);
    f->store = store_trace(store_fault(f->store), collect, &lines);
    struct conn *c = connect_as(f->store, STORE_HISTORY);
    assert_ok(story(c, 3, &e), &e);
    conn_close(c);
    static const char *const said[] = {
        "connect history ok",
        "begin write ok",
        "savepoint ok",
        "run INSERT INTO contacts (id, name) VALUES ($1, $2) rows=1 ok",
        "gate open append ok",
        "run INSERT INTO payloads VALUES ($1, $2, $3) rows=1 ok",
        "gate close append ok",
        "release ok",
        "rows=0 invalid",
        "rollback to ok",
        "query history_heads rows=4 ok",
        "commit ok",
        "close ok"};
    const char *at = lines.p ? lines.p : "";
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        const char *found = strstr(at, said[i]);
        if (!found)
            fail_msg("not told, or not then: %s in\n%s", said[i], at);
        else
            at = found;
    }
    assert_whole(f->store, 4);
    buf_release(&lines);
}

// Threads

struct crowd {
    struct store *store;
    atomic_bool stop;
    atomic_long reads, torn, failed;
};

static void *read_on(void *arg) {
    struct crowd *crowd = arg;
    struct error e = {0};
    struct conn *c;
    if (store_connect(crowd->store, STORE_READ, &c, &e) != OK)
        return NULL;
    while (!atomic_load(&crowd->stop)) {
        char a[40], b[40], d[40];
        if (store_begin(c, false, &e) != OK ||
            ask(c, "SELECT count(*) FROM events", a, 40, &e) != OK ||
            ask(c, "SELECT size FROM log_state", b, 40, &e) != OK ||
            ask(c, "SELECT count(*) + 2 FROM contacts", d, 40, &e) != OK ||
            store_commit(c, &e) != OK) {
            atomic_fetch_add(&crowd->failed, 1);
            store_rollback(c);
        } else if (strcmp(a, b) != 0 || strcmp(a, d) != 0) {
            atomic_fetch_add(&crowd->torn, 1);
        }
        atomic_fetch_add(&crowd->reads, 1);
    }
    conn_close(c);
    return NULL;
}

static void test_one_writer_and_many_readers(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct crowd crowd = {.store = f->store};
    pthread_t readers[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, &crowd), 0);
    struct conn *c = connect_as(f->store, STORE_HISTORY);
    int64_t events = 3;
    while (events < 400 || atomic_load(&crowd.reads) < 400)
        assert_ok(story(c, events++, &e), &e);
    conn_close(c);
    atomic_store(&crowd.stop, true);
    for (int i = 0; i < 4; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(atomic_load(&crowd.torn), 0);
    assert_int_equal(atomic_load(&crowd.failed), 0);
    assert_whole(f->store, events);
}

static void *write_on(void *arg) {
    struct crowd *crowd = arg;
    struct error e = {0};
    struct conn *c;
    if (store_connect(crowd->store, STORE_HISTORY, &c, &e) != OK)
        return NULL;
    for (int64_t next = 3; !atomic_load(&crowd->stop); next++) {
        if (story(c, next, &e) != OK)
            atomic_fetch_add(&crowd->failed, 1);
        atomic_fetch_add(&crowd->reads, 1);
    }
    conn_close(c);
    return NULL;
}

static void test_backup_while_others_write(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct crowd crowd = {.store = f->store};
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_on, &crowd), 0);
    for (int round = 0; round < 5; round++) {
        long seen = atomic_load(&crowd.reads);
        while (atomic_load(&crowd.reads) < seen + 20)
            sched_yield();
        char dir[64], file[128];
        make_folder(dir);
        snprintf(file, sizeof file, "%s/cronista.db", dir);
        assert_ok(store_backup(f->store, file, &e), &e);
        assert_int_equal(store_backup(f->store, file, &e), INVALID); // it is there already
        struct store *copy;
        assert_ok(store_open(&copy, dir, false, &e), &e);
        struct conn *c = connect_as(copy, STORE_READ);
        char events[40];
        assert_ok(ask(c, "SELECT count(*) FROM events", events, sizeof events, &e), &e);
        conn_close(c);
        assert_true(strtoll(events, NULL, 10) >= 20 * (round + 1));
        assert_whole(copy, strtoll(events, NULL, 10));
        c = connect_as(copy, STORE_HISTORY);
        assert_ok(story(c, strtoll(events, NULL, 10), &e), &e); // life goes on in the copy
        conn_close(c);
        store_close(copy);
        remove_folder(dir);
    }
    atomic_store(&crowd.stop, true);
    pthread_join(writer, NULL);
    assert_int_equal(atomic_load(&crowd.failed), 0);
    assert_int_equal(store_backup(f->store, "/nonexistent/file", &e), UNAVAILABLE);
}

// A failing disk. These stand before the C library's own for the database's library too.

static atomic_long disk_calls, disk_fails_at; // 0: none fails
static atomic_bool disk_stays_broken;

static bool disk_fails(void) {
    long call = atomic_fetch_add(&disk_calls, 1) + 1, at = atomic_load(&disk_fails_at);
    if (at == 0 || call < at || (call > at && !atomic_load(&disk_stays_broken)))
        return false;
    errno = EIO;
    return true;
}

int fdatasync(int fd) {
    return disk_fails() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd) {
    return disk_fails() ? -1 : (int)syscall(SYS_fsync, fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) {
    return disk_fails() ? -1 : syscall(SYS_pwrite64, fd, bytes, n, at);
}

static void break_disk(long at, bool stays) {
    atomic_store(&disk_calls, 0);
    atomic_store(&disk_stays_broken, stays);
    atomic_store(&disk_fails_at, at);
}

static void copy_file(const char *from_dir, const char *to_dir, const char *name) {
    char from[128], to[128], piece[65536];
    snprintf(from, sizeof from, "%s/%s", from_dir, name);
    snprintf(to, sizeof to, "%s/%s", to_dir, name);
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT, 0600);
    assert_true(in >= 0 && out >= 0);
    for (ssize_t n; (n = read(in, piece, sizeof piece)) > 0;)
        assert_int_equal(write(out, piece, (size_t)n), n);
    close(in);
    close(out);
}

// What the next start would find if the machine stopped now: the last save is wholly there or not at all.
static void assert_whole_after_a_crash(const char *dir, int64_t events, bool answered) {
    struct error e = {0};
    struct store *store;
    char image[64], found[40];
    make_folder(image);
    copy_file(dir, image, "cronista.db");
    copy_file(dir, image, "cronista.db-wal");
    assert_ok(store_open(&store, image, false, &e), &e);
    struct conn *c = connect_as(store, STORE_READ);
    assert_ok(ask(c, "SELECT count(*) FROM events", found, sizeof found, &e), &e);
    conn_close(c);
    int64_t has = strtoll(found, NULL, 10);
    assert_true(has == events || (!answered && has == events + 1));
    assert_whole(store, has);
    store_close(store);
    remove_folder(image);
}

static void test_every_write_to_the_disk_may_fail(void **state) {
    struct fixture *f = *state;
    struct conn *c = connect_as(f->store, STORE_HISTORY);
    int64_t events = 3;
    for (int stays = 0; stays < 2; stays++)
        for (long call = 1;; call++) {
            struct error e = {0};
            break_disk(call, stays);
            enum status st = story(c, events, &e);
            long calls = atomic_load(&disk_calls);
            store_rollback(c);
            break_disk(0, false);
            if (st == OK)
                events++;
            else
                assert_int_equal(st, UNAVAILABLE);
            assert_whole(f->store, events);
            assert_whole_after_a_crash(f->dir, events, st == OK);
            if (calls < call) {
                assert_int_equal(st, OK);
                assert_true(call > 3);
                break;
            }
        }
    conn_close(c);
}

static void test_log_of_writes_stays_bounded(void **state) {
    struct fixture *f = *state;
    struct error e = {0};
    struct crowd crowd = {.store = f->store};
    pthread_t reader;
    assert_int_equal(pthread_create(&reader, NULL, read_on, &crowd), 0);
    struct conn *c = connect_as(f->store, STORE_WRITE);
    static char large[1 << 16];
    struct stat st;
    char name[128];
    snprintf(name, sizeof name, "%s/cronista.db-wal", f->dir);
    for (int i = 0; i < 1500; i++) { // 96 MiB
        struct param params[] = {P_TEXT(STR("large")), P_BLOB(((struct str){large, sizeof large}))};
        memset(large, i, sizeof large);
        assert_ok(store_run(c, QUERY_STATE_SET, params, 2, NULL, &e), &e);
        assert_int_equal(stat(name, &st), 0);
        assert_true(st.st_size < 48 << 20);
    }
    assert_true(st.st_size > 15 << 20);
    conn_close(c);
    atomic_store(&crowd.stop, true);
    pthread_join(reader, NULL);
    assert_int_equal(atomic_load(&crowd.failed), 0);
}

// A full disk: each in a child, which tells by its exit where it went wrong.

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static int in_child(int (*run)(void *), void *arg) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(run(arg));
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    return WIFEXITED(result) ? WEXITSTATUS(result) : 100 + WTERMSIG(result);
}

// Saves until there is no room, checks, calls make_room, and saves again.
static void run_full(const char *dir, void (*make_room)(const char *dir)) {
    struct error e = {0};
    struct store *store;
    MUST(store_open(&store, dir, true, &e) == OK);
    fill(store, dir);
    struct conn *c = connect_as(store, STORE_HISTORY);
    int64_t events = 3;
    enum status st;
    while ((st = story(c, events, &e)) == OK && events < 100000)
        events++;
    store_rollback(c);
    MUST(st == FULL);
    assert_whole(store, events);
    // Still full: the same answer, and reading goes on.
    MUST(story(c, events, &e) == FULL);
    store_rollback(c);
    assert_whole(store, events);
    make_room(dir);
    for (int i = 0; i < 50; i++)
        MUST(story(c, events++, &e) == OK);
    conn_close(c);
    assert_whole(store, events);
    store_close(store);
    MUST(store_open(&store, dir, false, &e) == OK);
    assert_whole(store, events);
    store_close(store);
}

static void lift_limit(const char *dir) {
    (void)dir;
    struct rlimit limit;
    MUST(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static int full_by_limit(void *dir) {
    struct rlimit limit;
    MUST(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = 1 << 20;
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    signal(SIGXFSZ, SIG_IGN);
    run_full(dir, lift_limit);
    return 0;
}

static void drop_ballast(const char *dir) {
    char name[128];
    snprintf(name, sizeof name, "%s/ballast", dir);
    MUST(unlink(name) == 0);
}

static int full_by_disk(void *dir) {
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", dir, "tmpfs", 0, "size=4m") != 0)
        return 77;
    char name[128], kilobyte[1024] = {1};
    snprintf(name, sizeof name, "%s/ballast", (char *)dir);
    int fd = open(name, O_WRONLY | O_CREAT, 0600);
    for (int i = 0; i < 2048; i++)
        MUST(write(fd, kilobyte, sizeof kilobyte) == sizeof kilobyte);
    close(fd);
    run_full(dir, drop_ballast);
    return 0;
}

static void test_file_may_not_grow(void **state) {
    (void)state;
    char dir[64];
    make_folder(dir);
    assert_int_equal(in_child(full_by_limit, dir), 0);
    remove_folder(dir);
}

static void test_disk_is_full(void **state) {
    (void)state;
    char dir[64];
    make_folder(dir);
    int result = in_child(full_by_disk, dir);
    remove_folder(dir);
    if (result == 77) {
        print_message("skipped: may not mount a small disk\n");
        skip();
    }
    assert_int_equal(result, 0);
}

int main(void) {
    crypto_start();
#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_STORE(test_every_call_may_fail),
        IN_A_STORE(test_trace_tells_every_call),
        IN_A_STORE(test_one_writer_and_many_readers),
        IN_A_STORE(test_backup_while_others_write),
        IN_A_STORE(test_every_write_to_the_disk_may_fail),
        IN_A_STORE(test_log_of_writes_stays_bounded),
        cmocka_unit_test(test_file_may_not_grow),
        cmocka_unit_test(test_disk_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
