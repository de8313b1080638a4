#include "logs.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "history/verify.h"

// The whole log must be good, whatever happened.
static void expect_good(struct logs *l, int64_t events) {
    struct conn *c;
    struct verify_report r;
    must(store_connect(l->store, STORE_READ, &c, &e));
    must(history_verify(c, NULL, &r, &e));
    conn_close(c);
    if (r.damage) {
        char text[500];
        error_text(&r.what, text, sizeof text);
        fail_msg("%s", text);
    }
    if (events >= 0)
        assert_int_equal(r.head.size, events);
}

// ---------------------------------------------------------------- tasks that can be watched

struct watched {
    struct write_task task;
    struct logs_edit edit;
    int runs;
    sem_t *hold;            // waits for it before anything else
    sem_t *started;         // told when it begins
    struct watched **order; // where it notes that it was answered
    atomic_int *answered;
};

static enum status run_watched(struct write *w, void *arg, struct error *e) {
    struct watched *t = arg;
    t->runs++;
    if (t->started && t->runs == 1)
        sem_post(t->started);
    if (t->hold && t->runs == 1)
        sem_wait(t->hold);
    return t->edit.n ? logs_edit(w, &t->edit, e) : OK;
}

static void done_watched(struct write_task *task) {
    struct watched *t = (struct watched *)task;
    int place = atomic_load(t->answered);
    t->order[place] = t;
    atomic_store(t->answered, place + 1);
}

#define MOST 600

struct scene {
    struct logs l;
    struct watched tasks[MOST];
    int n;
    struct watched *order[MOST];
    atomic_int answered;
    sem_t hold, started;
};

static void scene_begin(struct scene *s) {
    memset(s, 0, sizeof *s);
    logs_start(&s->l);
    sem_init(&s->hold, 0, 0);
    sem_init(&s->started, 0, 0);
}

static struct watched *add(struct scene *s, int events, enum status after) {
    struct watched *t = &s->tasks[s->n++];
    *t = (struct watched){.task = {.run = run_watched, .arg = t, .done = done_watched},
                          .edit = {.n = events, .after = after},
                          .order = s->order,
                          .answered = &s->answered};
    return t;
}

// The writer stands in its first task until scene_go(), so that what is submitted now comes into one batch.
static struct watched *scene_hold(struct scene *s, int events) {
    struct watched *t = add(s, events, OK);
    t->hold = &s->hold;
    t->started = &s->started;
    writer_submit(s->l.writer, &t->task);
    sem_wait(&s->started);
    return t;
}

static void scene_go(struct scene *s) {
    sem_post(&s->hold);
    while (atomic_load(&s->answered) < s->n)
        usleep(200);
}

static void scene_end(struct scene *s) {
    sem_destroy(&s->hold);
    sem_destroy(&s->started);
    logs_end(&s->l);
}

static struct scene *scene(void) {
    static struct scene s;
    return &s;
}

// ---------------------------------------------------------------- one batch

static void test_what_waits_is_committed_once_and_answered_in_order(void **state) {
    (void)state;
    struct scene *s = scene();
    scene_begin(s);
    struct writer_stats before = writer_stats(s->l.writer);
    scene_hold(s, 1);
    for (int i = 0; i < 50; i++)
        writer_submit(s->l.writer, &add(s, 1 + i % 3, OK)->task);
    scene_go(s);
    struct writer_stats after = writer_stats(s->l.writer);
    int64_t next = 0;
    for (int i = 0; i < s->n; i++) {
        struct watched *t = &s->tasks[i];
        assert_ptr_equal(s->order[i], t);
        assert_int_equal(t->task.status, OK);
        assert_int_equal(t->runs, 1);
        assert_int_equal(t->task.first, next);
        assert_int_equal(t->task.last, next + t->edit.n - 1);
        next += t->edit.n;
    }
    // One commit, but where the work takes longer than a batch may last.
    assert_in_range(after.commits - before.commits, 1, 40);
    assert_int_equal(after.events - before.events, next);
    assert_int_equal(after.tasks - before.tasks, 51);
    assert_int_equal(writer_position(s->l.writer), next - 1);
    expect_good(&s->l, next);
    scene_end(s);
}

static void test_who_changed_nothing_is_left_out(void **state) {
    (void)state;
    struct scene *s = scene();
    scene_begin(s);
    struct writer_stats before = writer_stats(s->l.writer);
    scene_hold(s, 1);
    writer_submit(s->l.writer, &add(s, 0, NOT_FOUND)->task);
    writer_submit(s->l.writer, &add(s, 2, OK)->task);
    writer_submit(s->l.writer, &add(s, 0, DENIED)->task);
    scene_go(s);
    for (int i = 0; i < s->n; i++)
        assert_int_equal(s->tasks[i].runs, 1);
    assert_int_equal(s->tasks[1].task.status, NOT_FOUND);
    assert_int_equal(s->tasks[2].task.status, OK);
    assert_int_equal(s->tasks[3].task.status, DENIED);
    assert_int_equal(writer_stats(s->l.writer).commits - before.commits, 1);
    expect_good(&s->l, 3);
    scene_end(s);
}

static void test_a_refused_task_leaves_no_trace(void **state) {
    (void)state;
    struct scene *s = scene();
    scene_begin(s);
    scene_hold(s, 250);
    int64_t expected = 250;
    // Some fill a tile before they are refused; the edge of the tree must come back from that.
    static const struct {
        int events;
        enum status after;
    } tasks[] = {{3, OK},  {2, INVALID}, {1, OK},        {5, CONFLICT},  {300, DENIED},
                 {1, OK},  {1, OK},      {600, INVALID}, {0, NOT_FOUND}, {2, OK},
                 {1, BUG}, {255, OK},    {260, INVALID}, {1, OK}};
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        writer_submit(s->l.writer, &add(s, tasks[i].events, tasks[i].after)->task);
        expected += tasks[i].after ? 0 : tasks[i].events;
    }
    scene_go(s);
    for (int i = 1; i < s->n; i++) {
        struct watched *t = &s->tasks[i];
        assert_int_equal(t->task.status, t->edit.n ? t->edit.after : OK);
        assert_true(t->task.status == OK || t->task.last < t->task.first);
        if (t->task.status)
            assert_string_equal(t->task.error.msgid, "refused by the test");
    }
    expect_good(&s->l, expected);
    logs_add(&s->l, 600);
    expect_good(&s->l, expected + 600);
    scene_end(s);
}

static enum status hide_failure(struct write *w, void *arg, struct error *e) {
    struct watched *t = arg;
    (void)e;
    t->runs++;
    struct logs_edit edit = {.n = 1};
    logs_edit(w, &edit, NULL);
    store_run_sql(w->conn, STR("SELECT nothing FROM nowhere"), NULL, 0, NULL, NULL);
    return OK;
}

// A task that goes on after a failed statement harms itself only.
static void test_one_at_fault_is_told_apart(void **state) {
    (void)state;
    struct scene *s = scene();
    scene_begin(s);
    scene_hold(s, 1);
    for (int i = 0; i < 9; i++) {
        struct watched *t = add(s, 1, OK);
        if (i == 4)
            t->task.run = hide_failure;
        writer_submit(s->l.writer, &t->task);
    }
    scene_go(s);
    for (int i = 0; i < s->n; i++)
        assert_int_equal(s->tasks[i].task.status, i == 5 ? BUG : OK);
    expect_good(&s->l, 9);
    scene_end(s);
}

static void test_alone_and_refused(void **state) {
    (void)state;
    struct logs l;
    logs_start(&l);
    logs_add(&l, 10);
    for (int i = 0; i < 5; i++) {
        struct logs_edit edit = {.n = 300, .after = INVALID};
        int64_t last = 77;
        assert_int_equal(writer_run(l.writer, logs_edit, &edit, &last, NULL), INVALID);
        assert_int_equal(last, 77);
        logs_add(&l, 1);
    }
    expect_good(&l, 15);
    logs_end(&l);
}

static bool background_is_last(struct scene *s) {
    s->n = 0;
    atomic_store(&s->answered, 0);
    scene_hold(s, 1);
    struct watched *slow = add(s, 1, OK);
    slow->task.background = true;
    writer_submit(s->l.writer, &slow->task);
    for (int i = 0; i < 20; i++)
        writer_submit(s->l.writer, &add(s, 1, OK)->task);
    scene_go(s);
    return s->order[s->n - 1] == slow;
}

static void test_background_goes_when_nobody_waits(void **state) {
    (void)state;
    struct scene *s = scene();
    scene_begin(s);
    // A machine so slow that its patience ends meanwhile gets another chance.
    int tries = 1;
    while (!background_is_last(s) && tries < 20)
        tries++;
    assert_in_range(tries, 1, 19);
    expect_good(&s->l, 22 * tries);
    // But not never.
    s->n = 0;
    atomic_store(&s->answered, 0);
    scene_hold(s, 1);
    struct watched *patient = add(s, 1, OK);
    patient->task.background = true;
    writer_submit(s->l.writer, &patient->task);
    for (int i = 0; i < 20; i++)
        writer_submit(s->l.writer, &add(s, 1, OK)->task);
    usleep(250000);
    scene_go(s);
    assert_ptr_equal(s->order[1], patient);
    scene_end(s);
}

struct slices {
    struct write_task task;
    struct writer *writer;
    int left;
    sem_t over;
};

static enum status run_slice(struct write *w, void *arg, struct error *e) {
    (void)arg;
    struct logs_edit edit = {.n = 5};
    return logs_edit(w, &edit, e);
}

static void next_slice(struct write_task *task) {
    struct slices *s = (struct slices *)task;
    if (s->task.status == OK && --s->left > 0)
        writer_submit(s->writer, task);
    else
        sem_post(&s->over);
}

static void test_a_task_may_be_submitted_again_when_it_is_answered(void **state) {
    (void)state;
    struct logs l;
    logs_start(&l);
    struct slices s = {.task = {.run = run_slice, .done = next_slice, .background = true},
                       .writer = l.writer,
                       .left = 40};
    sem_init(&s.over, 0, 0);
    writer_submit(l.writer, &s.task);
    for (int i = 0; i < 20; i++)
        logs_add(&l, 1);
    sem_wait(&s.over);
    sem_destroy(&s.over);
    expect_good(&l, 220);
    logs_end(&l);
}

static void test_stopping_finishes_what_was_submitted(void **state) {
    (void)state;
    struct scene *s = scene();
    scene_begin(s);
    scene_hold(s, 1);
    for (int i = 0; i < 400; i++)
        writer_submit(s->l.writer, &add(s, 1, OK)->task);
    sem_post(&s->hold);
    writer_stop(s->l.writer);
    s->l.writer = NULL;
    assert_int_equal(atomic_load(&s->answered), 401);
    for (int i = 0; i < s->n; i++)
        assert_int_equal(s->tasks[i].task.status, OK);
    expect_good(&s->l, 401);
    scene_end(s);
}

// ---------------------------------------------------------------- many at once

#define THREADS 8
#define EACH 60

struct crowd {
    struct writer *writer;
    int number;
    int64_t positions[EACH];
};

static void *crowd(void *arg) {
    struct crowd *c = arg;
    for (int i = 0; i < EACH; i++) {
        struct logs_edit edit = {.n = 1, .after = (c->number + i) % 7 ? OK : INVALID};
        int64_t last = -1;
        writer_run(c->writer, logs_edit, &edit, &last, NULL);
        c->positions[i] = last;
    }
    return NULL;
}

static void run_crowd(struct crowd *c, struct writer **writers, int n_writers) {
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++) {
        c[i] = (struct crowd){.writer = writers[i % n_writers], .number = i};
        assert_int_equal(pthread_create(&thread[i], NULL, crowd, &c[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
}

// Each answer is another position, and together they are all there are.
static int64_t count_positions(const struct crowd *c) {
    static bool seen[THREADS * EACH];
    int64_t n = 0;
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < THREADS; i++) {
        int64_t before = -1;
        for (int j = 0; j < EACH; j++) {
            int64_t position = c[i].positions[j];
            if (position < 0)
                continue;
            assert_true(position < THREADS * EACH && !seen[position] && position > before);
            seen[position] = true;
            before = position;
            n++;
        }
    }
    for (int64_t i = 0; i < n; i++)
        assert_true(seen[i]);
    return n;
}

static void test_many_threads(void **state) {
    (void)state;
    struct logs l;
    static struct crowd c[THREADS];
    logs_start(&l);
    run_crowd(c, &l.writer, 1);
    expect_good(&l, count_positions(c));
    logs_end(&l);
}

static void test_two_processes_share_the_log(void **state) {
    (void)state;
    struct logs l, other;
    static struct crowd c[THREADS];
    logs_start(&l);
    other = l;
    other.arena = (struct arena)ARENA_INIT;
    logs_open(&other);
    struct writer *writers[] = {l.writer, other.writer};
    run_crowd(c, writers, 2);
    int64_t n = count_positions(c);
    expect_good(&l, n);
    // One follows the other over several tiles.
    logs_add(&other, 700);
    logs_add(&l, 1);
    expect_good(&other, n + 701);
    assert_int_equal(writer_position(l.writer), n + 700);
    logs_close(&other);
    logs_end(&l);
}

struct told {
    _Atomic int64_t next;
    atomic_bool gap;
};

static void tell(void *arg, int64_t first, int64_t last) {
    struct told *t = arg;
    if (first != atomic_load(&t->next) || last < first)
        atomic_store(&t->gap, true);
    atomic_store(&t->next, last + 1);
}

static void test_followers_are_told_of_everything_once(void **state) {
    (void)state;
    struct logs l, other;
    struct told told = {0};
    static struct crowd c[THREADS];
    logs_start(&l);
    writer_stop(l.writer);
    must(writer_start(&l.writer, l.store, tell, &told, &e));
    other = l;
    logs_open(&other);
    struct writer *writers[] = {l.writer, other.writer};
    run_crowd(c, writers, 2);
    logs_add(&other, 3);
    logs_add(&l, 1);
    assert_false(atomic_load(&told.gap));
    assert_int_equal(atomic_load(&told.next), count_positions(c) + 4);
    logs_close(&other);
    logs_end(&l);
}

// ---------------------------------------------------------------- when calls of the store fail

static void open_faulty(struct scene *s) {
    struct logs *l = &s->l;
    struct store *inner;
    logs_directory(l);
    must(open_store(&inner, l->dir, true, &e));
    must(migrate_store(inner, l->dir, &e));
    l->store = store_fault(inner);
    must(writer_start(&l->writer, l->store, NULL, NULL, &e));
    sem_init(&s->hold, 0, 0);
    sem_init(&s->started, 0, 0);
}

static void test_a_start_that_fails(void **state) {
    (void)state;
    struct scene *s = scene();
    memset(s, 0, sizeof *s);
    open_faulty(s);
    logs_add(&s->l, 300);
    writer_stop(s->l.writer);
    enum status status = UNAVAILABLE;
    int n = 0;
    while (status) {
        struct error e = {0};
        store_fault_set(s->l.store, ++n, false, UNAVAILABLE);
        status = writer_start(&s->l.writer, s->l.store, NULL, NULL, &e);
        assert_true(status == OK || status == UNAVAILABLE);
    }
    assert_in_range(n, 5, 1000);
    store_fault_set(s->l.store, 0, false, OK);
    logs_add(&s->l, 1);
    expect_good(&s->l, 301);
    scene_end(s);
}

// What of each task is in the log: an answer of OK is a promise, any other one of the contrary.
static int64_t promised(const struct scene *s) {
    int64_t n = 0;
    for (int i = 0; i < s->n; i++)
        n += s->tasks[i].task.status ? 0 : s->tasks[i].edit.n;
    return n;
}

struct fault_case {
    enum status with;
    bool sticky;
};

static int64_t faulty_batch(struct scene *s, int64_t fail_at, struct fault_case f, int *refused) {
    s->n = 0;
    atomic_store(&s->answered, 0);
    scene_hold(s, 1);
    for (int i = 0; i < 3; i++)
        writer_submit(s->l.writer, &add(s, i == 1 ? 260 : 1, OK)->task);
    writer_submit(s->l.writer, &add(s, 2, DENIED)->task);
    // From here on calls are counted: the held task's own, the others', the commit, and what is done about failures.
    store_fault_set(s->l.store, fail_at, f.sticky, f.with);
    scene_go(s);
    int64_t calls = store_fault_calls(s->l.store);
    store_fault_set(s->l.store, 0, false, OK);
    *refused = 0;
    for (int i = 0; i < s->n - 1; i++)
        *refused += s->tasks[i].task.status != OK;
    assert_true(s->tasks[s->n - 1].task.status != OK);
    return calls;
}

static void run_faults(struct fault_case f) {
    struct scene *s = scene();
    memset(s, 0, sizeof *s);
    open_faulty(s);
    int refused, hurt = 0, rounds = 0;
    int64_t events = 0;
    int64_t calls = faulty_batch(s, 0, f, &refused);
    assert_int_equal(refused, 0);
    events += promised(s);
    // Most calls are the many inserts of the long task: every one at first and at the end, else every 13th.
    for (int64_t n = 1; n <= calls + 4; n += n < 40 || n > calls - 40 ? 1 : 13) {
        faulty_batch(s, n, f, &refused);
        events += promised(s);
        hurt += refused > 0;
        rounds++;
        for (int i = 0; i < s->n - 1; i++) {
            enum status answer = s->tasks[i].task.status;
            if (answer != OK && answer != f.with && answer != UNAVAILABLE)
                fail_msg("call %d: answered %s", (int)n, status_name(answer));
        }
        struct logs_edit edit = {.n = 1};
        int64_t last;
        must(writer_run(s->l.writer, logs_edit, &edit, &last, &e)); // it has recovered by itself
        events++;
        if (last != events - 1)
            fail_msg("call %d: %d events, %d promised", (int)n, (int)last + 1, (int)events);
        if (rounds % 10 == 0)
            expect_good(&s->l, events);
    }
    print_message("%s%s: %d calls in a batch, %d rounds, %d with a refusal\n", status_name(f.with),
                  f.sticky ? ", lasting" : "", (int)calls, rounds, hurt);
    assert_true(!f.sticky || hurt > rounds / 2);
    expect_good(&s->l, events);
    scene_end(s);
}

static void test_every_failing_call(void **state) {
    (void)state;
    run_faults((struct fault_case){UNAVAILABLE, false});
    run_faults((struct fault_case){UNAVAILABLE, true});
}

static void test_a_full_disk(void **state) {
    (void)state;
    run_faults((struct fault_case){FULL, false});
    run_faults((struct fault_case){FULL, true});
}

static void test_conflicts(void **state) {
    (void)state;
    run_faults((struct fault_case){CONFLICT, false});
}

// ---------------------------------------------------------------- commits whose answer is lost

// A batch of which one task is refused meets commits that are not heard of again.
static void lose_commits(int lose, bool made) {
    struct scene *s = scene();
    scene_begin(s);
    writer_stop(s->l.writer);
    s->l.store = store_fault(s->l.store);
    must(writer_start(&s->l.writer, s->l.store, NULL, NULL, &e));
    struct watched *first = scene_hold(s, 1), *refused = add(s, 2, INVALID), *last = add(s, 2, OK);
    writer_submit(s->l.writer, &refused->task);
    writer_submit(s->l.writer, &last->task);
    store_fault_lose(s->l.store, lose, made);
    scene_go(s);
    assert_int_equal(first->task.status, OK);
    assert_int_equal(refused->task.status, INVALID);
    assert_int_equal(last->task.status, OK);
    assert_int_equal(last->task.first, 1);
    assert_int_equal(last->task.last, 2);
    assert_int_equal(writer_position(s->l.writer), 2);
    assert_int_equal(writer_stats(s->l.writer).events, 3);
    int singly =
        on_postgres(); // as the refused one had written, which only a savepoint could undo alone
    assert_int_equal(first->runs, (made ? 1 : lose + 1) + singly);
    expect_good(&s->l, 3); // each once
    scene_end(s);
}

static void test_a_lost_answer_to_a_commit_that_was_made(void **state) {
    (void)state;
    lose_commits(1, true);
    lose_commits(4, true); // also those that ask for it
}

static void test_a_lost_commit_is_made_again(void **state) {
    (void)state;
    lose_commits(1, false);
    lose_commits(5, false); // more often than a conflict is tried again
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_waits_is_committed_once_and_answered_in_order),
        cmocka_unit_test(test_who_changed_nothing_is_left_out),
        cmocka_unit_test(test_a_refused_task_leaves_no_trace),
        cmocka_unit_test(test_one_at_fault_is_told_apart),
        cmocka_unit_test(test_alone_and_refused),
        cmocka_unit_test(test_background_goes_when_nobody_waits),
        cmocka_unit_test(test_a_task_may_be_submitted_again_when_it_is_answered),
        cmocka_unit_test(test_stopping_finishes_what_was_submitted),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_two_processes_share_the_log),
        cmocka_unit_test(test_followers_are_told_of_everything_once),
        cmocka_unit_test(test_a_start_that_fails),
        cmocka_unit_test(test_every_failing_call),
        cmocka_unit_test(test_a_full_disk),
        cmocka_unit_test(test_conflicts),
        cmocka_unit_test(test_a_lost_answer_to_a_commit_that_was_made),
        cmocka_unit_test(test_a_lost_commit_is_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
