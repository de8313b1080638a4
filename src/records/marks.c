// Here: sets of positions, and making them of the log. Finding by them: log_find.c.
#include "records/marks.h"

#include <endian.h>
#include <stdlib.h>

#include "base/hash.h"
#include "history/payload.h"
#include "store/queries.h"

#define WORDS (MARKS_CHUNK / 64)
#define KEY_MAX 256

// ---------------------------------------------------------------- sets

void bits_fill(struct bits *b, unsigned from, unsigned to) {
    for (unsigned i = from; i < to;) {
        if (i % 64 == 0 && to - i >= 64) {
            b->w[i / 64] = ~UINT64_C(0);
            i += 64;
        } else {
            bits_put(b, i++);
        }
    }
}

// How many bits both have; a processor that counts them by itself is ten times as fast.
static inline __attribute__((always_inline)) unsigned common_words(const uint64_t *a,
                                                                   const uint64_t *b) {
    unsigned n = 0;
    for (size_t i = 0; i < WORDS; i++)
        n += (unsigned)__builtin_popcountll(a[i] & b[i]);
    return n;
}

#ifdef __x86_64__
__attribute__((target("popcnt"))) static unsigned common_fast(const uint64_t *a,
                                                              const uint64_t *b) {
    return common_words(a, b);
}
#endif

static unsigned common(const uint64_t *a, const uint64_t *b) {
#ifdef __x86_64__
    if (__builtin_cpu_supports("popcnt"))
        return common_fast(a, b);
#endif
    return common_words(a, b);
}

unsigned bits_count(const struct bits *b) {
    return common(b->w, b->w);
}

static unsigned runs_count(const struct bits *b) {
    unsigned n = 0;
    uint64_t before = 0; // the bit in front of the word
    for (size_t i = 0; i < WORDS; i++) {
        n += (unsigned)__builtin_popcountll(b->w[i] & ~(b->w[i] << 1 | before));
        before = b->w[i] >> 63;
    }
    return n;
}

static void put_two(char **p, unsigned v) {
    *(*p)++ = (char)(v & 0xff);
    *(*p)++ = (char)(v >> 8);
}

static unsigned get_two(const char *p) {
    return (unsigned)(unsigned char)p[0] | (unsigned)(unsigned char)p[1] << 8;
}

static char *write_members(const struct bits *b, char *p) {
    for (unsigned i = 0; i < WORDS; i++)
        for (uint64_t w = b->w[i]; w; w &= w - 1)
            put_two(&p, i * 64 + (unsigned)__builtin_ctzll(w));
    return p;
}

static char *write_runs(const struct bits *b, char *p) {
    for (unsigned i = 0; i < MARKS_CHUNK;) {
        if (i % 64 == 0 && !b->w[i / 64]) {
            i += 64;
            continue;
        }
        if (!bits_has(b, i)) {
            i++;
            continue;
        }
        put_two(&p, i);
        while (i < MARKS_CHUNK && bits_has(b, i))
            i += i % 64 == 0 && b->w[i / 64] == ~UINT64_C(0) ? 64 : 1;
        put_two(&p, i - 1);
    }
    return p;
}

static char *write_bitmap(const struct bits *b, char *p) {
    for (size_t i = 0; i < WORDS; i++)
        for (unsigned byte = 0; byte < 8; byte++)
            *p++ = (char)(b->w[i] >> 8 * byte & 0xff);
    return p;
}

struct str bits_write(const struct bits *b, char room[BITS_BYTES_MAX]) {
    unsigned members = 2 * bits_count(b), runs = 4 * runs_count(b);
    char *p = room + 1;
    if (members <= runs && members < MARKS_CHUNK / 8) {
        room[0] = 'A';
        p = write_members(b, p);
    } else if (runs < MARKS_CHUNK / 8) {
        room[0] = 'R';
        p = write_runs(b, p);
    } else {
        room[0] = 'B';
        p = write_bitmap(b, p);
    }
    return (struct str){room, (size_t)(p - room)};
}

static uint64_t word_at(struct str s, size_t i) {
    uint64_t w;
    memcpy(&w, s.p + 1 + 8 * i, sizeof w);
    return le64toh(w);
}

static bool well_formed(struct str s) {
    if (!s.n)
        return false;
    switch (s.p[0]) {
    case 'A':
        return s.n % 2 == 1;
    case 'R':
        return s.n % 4 == 1;
    case 'B':
        return s.n == BITS_BYTES_MAX;
    default:
        return false;
    }
}

bool bits_add(struct bits *b, struct str s) {
    if (!well_formed(s))
        return false;
    if (s.p[0] == 'A')
        for (size_t i = 1; i < s.n; i += 2)
            bits_put(b, get_two(s.p + i));
    else if (s.p[0] == 'R')
        for (size_t i = 1; i < s.n; i += 4)
            bits_fill(b, get_two(s.p + i), get_two(s.p + i + 2) + 1);
    else
        for (size_t i = 0; i < WORDS; i++)
            b->w[i] |= word_at(s, i);
    return true;
}

bool bits_keep(struct bits *b, struct str s) {
    struct bits other = {{0}};
    bool good = bits_add(&other, s);
    for (size_t i = 0; i < WORDS; i++)
        b->w[i] &= other.w[i];
    return good;
}

bool bits_drop(struct bits *b, struct str s) {
    struct bits other = {{0}};
    bool good = bits_add(&other, s);
    for (size_t i = 0; i < WORDS; i++)
        b->w[i] &= ~other.w[i];
    return good;
}

unsigned bits_common(const struct bits *b, struct str s) {
    unsigned n = 0;
    if (!well_formed(s))
        return 0;
    if (s.p[0] == 'A') {
        for (size_t i = 1; i < s.n; i += 2)
            n += bits_has(b, get_two(s.p + i));
        return n;
    }
    struct bits other = {{0}};
    bits_add(&other, s);
    return common(b->w, other.w);
}

// ---------------------------------------------------------------- reading events

void marked_read(struct stmt *row, bool body, struct marked *out) {
    *out = (struct marked){.position = stmt_int(row, 0),
                           .at = stmt_int(row, 1),
                           .actor = stmt_int(row, 2),
                           .module = (int)stmt_int(row, 3),
                           .kind = (int)stmt_int(row, 4),
                           .operation = stmt_int(row, 5)};
    if (body)
        out->body = stmt_blob(row, 6);
}

int64_t marks_day(micros at) {
    return at >= 0 ? at / DAY : -((-at + DAY - 1) / DAY);
}

static enum status state_read(struct conn *c, int64_t *position, struct str *head, struct arena *a,
                              struct error *e) {
    struct stmt *row = NULL;
    bool there = false;
    enum status s = store_query(c, QUERY_MARKS_STATE, NULL, 0, &row, e);
    if (!s)
        s = store_next(row, &there, e);
    if (!s) {
        *position = there ? stmt_int(row, 0) : 0;
        if (head)
            *head = there ? arena_str(a, stmt_blob(row, 1)) : STR("");
    }
    store_done(row);
    return s;
}

enum status marks_position(struct conn *c, int64_t *position, struct error *e) {
    return state_read(c, position, NULL, NULL, e);
}

// The head at a position; empty when there is none.
static enum status head_read(struct conn *c, int64_t position, struct str *head, struct arena *a,
                             struct error *e) {
    struct param p[] = {P_INT(position)};
    struct stmt *row = NULL;
    bool there = false;
    enum status s = store_query(c, QUERY_MARKS_HEAD, p, 1, &row, e);
    if (!s)
        s = store_next(row, &there, e);
    if (!s)
        *head = there ? arena_str(a, stmt_blob(row, 0)) : STR("");
    store_done(row);
    return s;
}

// ---------------------------------------------------------------- some events, by key

// The members of one key among the events of a chunk that are being looked at. day: it is one of a day.
struct key {
    struct str name;
    int64_t day;
    bool is_day;
    uint16_t *at;
    unsigned n, room;
    struct key *next; // with the same place in the table
};

#define PLACES 1024

struct gathering {
    struct arena arena;
    struct key *place[PLACES];
    struct key **all;
    size_t n, room;
    unsigned now; // the event's place in the chunk
    micros first_at, last_at, newest_at;
    int64_t events;
    bool ascending;
};

static struct key *key_of(struct gathering *g, struct str name, bool is_day, int64_t day) {
    struct key **place = &g->place[hash_quick(name) % PLACES];
    for (struct key *k = *place; k; k = k->next)
        if (str_eq(k->name, name))
            return k;
    struct key *k = arena_new(&g->arena, struct key);
    *k = (struct key){arena_str(&g->arena, name), day, is_day, NULL, 0, 0, *place};
    *place = k;
    if (g->n == g->room) {
        g->room = g->room ? 2 * g->room : 128;
        g->all = must_realloc(g->all, g->room * sizeof(struct key *));
    }
    g->all[g->n++] = k;
    return k;
}

// A field may stand in an event more than once.
static void mark(struct gathering *g, struct key *k) {
    if (k->n && k->at[k->n - 1] == g->now)
        return;
    if (k->n == k->room) {
        k->room = k->room ? 2 * k->room : 16;
        k->at = must_realloc(k->at, k->room * sizeof *k->at);
    }
    k->at[k->n++] = (uint16_t)g->now;
}

static void mark_number(struct gathering *g, char kind, int64_t number) {
    char name[32] = {kind};
    char digits[24], *p = digits + sizeof digits;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do
        *--p = (char)('0' + left % 10);
    while (left /= 10);
    if (number < 0)
        *--p = '-';
    size_t n = (size_t)(digits + sizeof digits - p);
    memcpy(name + 1, p, n);
    mark(g, key_of(g, (struct str){name, n + 1}, kind == 'd', kind == 'd' ? number : 0));
}

static void mark_field(void *arg, struct str field) {
    struct gathering *g = arg;
    char name[KEY_MAX];
    if (!field.n || field.p[0] == '~' || field.n >= sizeof name)
        return; // what is no field of a module is nothing to filter by
    name[0] = 'f';
    memcpy(name + 1, field.p, field.n);
    mark(g, key_of(g, (struct str){name, field.n + 1}, false, 0));
}

static enum status gather_one(struct gathering *g, const struct marked *m, struct error *e) {
    g->now = (unsigned)(m->position % MARKS_CHUNK);
    mark_number(g, 'u', m->actor);
    mark_number(g, 'm', m->module);
    mark_number(g, 'k', m->kind);
    mark_number(g, 'd', marks_day(m->at));
    g->ascending = g->ascending && (!g->events || m->at >= g->newest_at);
    g->first_at = !g->events || m->at < g->first_at ? m->at : g->first_at;
    g->last_at = !g->events || m->at > g->last_at ? m->at : g->last_at;
    g->newest_at = m->at;
    g->events++;
    return payload_fields(m->body, mark_field, g, e);
}

static enum status gather(struct gathering *g, struct conn *c, int64_t from, int64_t to,
                          struct error *e) {
    struct param p[] = {P_INT(from), P_INT(to)};
    struct stmt *row = NULL;
    bool more = true;
    *g = (struct gathering){.ascending = true};
    enum status s = store_query(c, QUERY_MARKS_SCAN, p, 2, &row, e);
    if (!s && conn_begun(c))
        stmt_many(row);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        struct marked m;
        marked_read(row, true, &m);
        s = gather_one(g, &m, e);
    }
    store_done(row);
    return s;
}

static void gathering_free(struct gathering *g) {
    for (size_t i = 0; i < g->n; i++)
        free(g->all[i]->at);
    free(g->all);
    arena_release(&g->arena);
}

// ---------------------------------------------------------------- putting them away

// What the row of the key has; the empty set when there is none.
static enum status key_get(struct conn *c, const struct key *k, int64_t chunk, struct bits *out,
                           struct error *e) {
    struct param by_key[] = {P_TEXT(k->name), P_INT(chunk)},
                 by_day[] = {P_INT(chunk), P_INT(k->day)};
    struct stmt *row = NULL;
    bool there = false;
    memset(out, 0, sizeof *out);
    enum status s = store_query(c, k->is_day ? QUERY_MARKS_DAY_GET : QUERY_MARKS_GET,
                                k->is_day ? by_day : by_key, 2, &row, e);
    if (!s)
        s = store_next(row, &there, e);
    if (!s && there)
        bits_add(out, stmt_blob(row, 0));
    store_done(row);
    return s;
}

static enum status key_put(struct conn *c, const struct key *k, int64_t chunk, bool begun,
                           struct error *e) {
    struct bits set = {{0}};
    char room[BITS_BYTES_MAX];
    enum status s = begun ? key_get(c, k, chunk, &set, e) : OK;
    for (unsigned i = 0; i < k->n; i++)
        bits_put(&set, k->at[i]);
    struct str bytes = bits_write(&set, room);
    if (!s && k->is_day) {
        struct param p[] = {P_INT(chunk), P_INT(k->day), P_BLOB(bytes)};
        return store_run(c, QUERY_MARKS_DAY_PUT, p, 3, NULL, e);
    }
    struct param p[] = {P_TEXT(k->name), P_INT(chunk), P_INT(bits_count(&set)), P_BLOB(bytes)},
                 more[] = {P_TEXT(k->name), P_INT(k->n)};
    if (!s)
        s = store_run(c, QUERY_MARKS_PUT, p, 4, NULL, e);
    return s ? s : store_run(c, QUERY_MARKS_KEY_ADD, more, 2, NULL, e);
}

// The times of the chunk, with those of the events before which it has already.
static enum status times_put(struct conn *c, const struct gathering *g, int64_t chunk, bool begun,
                             micros before, struct error *e) {
    struct param key[] = {P_INT(chunk)};
    struct stmt *row = NULL;
    bool there = false, ascending = g->ascending;
    micros first = g->first_at, last = g->last_at;
    enum status s = begun ? store_query(c, QUERY_MARKS_CHUNK_GET, key, 1, &row, e) : OK;
    if (!s && begun)
        s = store_next(row, &there, e);
    if (!s && there) {
        first = stmt_int(row, 0) < first ? stmt_int(row, 0) : first;
        last = stmt_int(row, 1) > last ? stmt_int(row, 1) : last;
        ascending = ascending && stmt_int(row, 2) && before <= g->first_at;
    }
    store_done(row);
    struct param p[] = {P_INT(chunk), P_INT(first), P_INT(last), P_INT(ascending)};
    return s ? s : store_run(c, QUERY_MARKS_CHUNK_PUT, p, 4, NULL, e);
}

// What is read for a step: from where to where, and what stands around it.
struct step {
    int64_t from, to;
    struct str head; // of the last event
    micros before;   // the time of the event in front of the first
};

static enum status step_look(struct conn *c, struct step *step, struct arena *a, struct error *e) {
    int64_t newest = -1;
    enum status s = marks_position(c, &step->from, e);
    if (!s)
        s = store_int(c, QUERY_LOG_NEWEST, NULL, 0, &newest, e);
    if (s)
        return s;
    int64_t end = (step->from / MARKS_CHUNK + 1) * MARKS_CHUNK;
    step->to = newest + 1 < end ? newest + 1 : end;
    if (step->to < end && step->to - step->from < MARKS_STEP)
        step->to = step->from;
    if (step->to <= step->from)
        return OK;
    struct param first[] = {P_INT(step->from - 1)};
    s = head_read(c, step->to - 1, &step->head, a, e);
    if (!s && step->from % MARKS_CHUNK)
        s = store_int(c, QUERY_MARKS_AT, first, 1, &step->before, e);
    return s;
}

static enum status step_put(struct conn *c, const struct step *step, const struct gathering *g,
                            struct error *e) {
    int64_t chunk = step->from / MARKS_CHUNK, moved = 0;
    bool begun = step->from % MARKS_CHUNK != 0;
    struct param p[] = {P_INT(step->to), P_BLOB(step->head), P_INT(step->from)};
    enum status s = store_begin(c, false, e); // of this connection it writes the marks all the same
    if (!s)
        s = store_run(c, QUERY_MARKS_MOVE, p, 3, &moved, e);
    for (size_t i = 0; i < g->n && moved && !s; i++)
        s = key_put(c, g->all[i], chunk, begun, e);
    if (!s && moved)
        s = times_put(c, g, chunk, begun, step->before, e);
    if (!s)
        return store_commit(c, e);
    store_rollback(c);
    return s;
}

enum status marks_follow(struct conn *c, int64_t *position, bool *done, struct error *e) {
    struct arena a = ARENA_INIT;
    struct step step = {0};
    struct gathering g = {0};
    enum status s = store_begin(c, false, e);
    if (!s)
        s = step_look(c, &step, &a, e);
    bool work = !s && step.to > step.from;
    if (work)
        s = gather(&g, c, step.from, step.to, e);
    store_rollback(c);
    if (work && !s)
        s = step_put(c, &step, &g, e);
    gathering_free(&g);
    arena_release(&a);
    if (!s) {
        *position = work ? step.to : step.from;
        *done = !work;
    }
    return s;
}

enum status marks_forget(struct conn *c, struct error *e) {
    enum status s = store_begin(c, true, e);
    if (!s)
        s = store_script(c,
                         STR("DELETE FROM marks;DELETE FROM marks_keys;DELETE FROM marks_days;"
                             "DELETE FROM marks_chunks;"
                             "UPDATE marks_state SET position=0,head=''"),
                         e);
    if (!s)
        s = store_commit(c, e);
    if (s)
        store_rollback(c);
    return s;
}

enum status marks_forget_foreign(struct conn *c, struct error *e) {
    struct arena a = ARENA_INIT;
    struct str head = {0}, there = {0};
    int64_t position = 0;
    enum status s = state_read(c, &position, &head, &a, e);
    if (!s && position)
        s = head_read(c, position - 1, &there, &a, e);
    if (!s && position && !str_eq(head, there))
        s = marks_forget(c, e);
    arena_release(&a);
    return s;
}

// ---------------------------------------------------------------- checking

static enum status chunk_check(struct conn *c, int64_t from, int64_t to, int64_t *rows, bool *same,
                               struct error *e) {
    struct gathering g = {0};
    struct param key[] = {P_INT(from / MARKS_CHUNK)};
    struct stmt *row = NULL;
    bool there = false;
    enum status s = gather(&g, c, from, to, e);
    for (size_t i = 0; i < g.n && !s && *same; i++) {
        struct bits made = {{0}}, kept;
        for (unsigned j = 0; j < g.all[i]->n; j++)
            bits_put(&made, g.all[i]->at[j]);
        s = key_get(c, g.all[i], from / MARKS_CHUNK, &kept, e);
        *same = memcmp(&made, &kept, sizeof made) == 0;
    }
    *rows += (int64_t)g.n;
    if (!s && *same)
        s = store_query(c, QUERY_MARKS_CHUNK_GET, key, 1, &row, e);
    if (!s && *same)
        s = store_next(row, &there, e);
    if (!s && *same)
        *same = there && stmt_int(row, 0) == g.first_at && stmt_int(row, 1) == g.last_at &&
                !stmt_int(row, 2) == !g.ascending;
    store_done(row);
    gathering_free(&g);
    return s;
}

enum status marks_check(struct conn *c, bool *same, struct error *e) {
    int64_t position = 0, rows = 0, there = 0;
    enum status s = marks_position(c, &position, e);
    *same = true;
    for (int64_t from = 0; from < position && !s && *same; from += MARKS_CHUNK)
        s = chunk_check(c, from, position - from < MARKS_CHUNK ? position : from + MARKS_CHUNK,
                        &rows, same, e);
    if (!s && *same)
        s = store_int(c, QUERY_MARKS_COUNT, NULL, 0, &there, e);
    if (!s && *same)
        *same = there == rows; // and nothing else
    return s;
}
