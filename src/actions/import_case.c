// The case of a history that is being told, row by row: which rows are known, which come too late, what a row changes. The same
// for a run and for a dry run.
#include "actions/import_private.h"

#include <stdlib.h>

#include "records/rows.h"

#define ROW_DIGITS 16
// 1685-01-01: before it microseconds are no longer exact in every reader of the log's heads (history/head.c).
#define EARLIEST (-INT64_C(8993635200000000))

struct str told_digest(uint64_t digest, struct arena *a) {
    return arena_printf(a, "%016llx", (unsigned long long)digest);
}

static bool digest_read(struct str text, uint64_t *digest) {
    uint64_t v = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        v = v << 4 | (uint64_t)digit;
    }
    *digest = v;
    return text.n == ROW_DIGITS;
}

// ---------------------------------------------------------------- rows that are known

static uint64_t *slot_of(uint64_t *known, size_t cap, uint64_t digest) {
    size_t i = digest & (cap - 1);
    while (known[i] && known[i] != digest)
        i = (i + 1) & (cap - 1);
    return &known[i];
}

static bool is_known(const struct telling *t, uint64_t digest) {
    return t->cap && *slot_of(t->known, t->cap, digest + !digest);
}

static void know(struct telling *t, uint64_t digest) {
    digest += !digest; // 0 is a free place
    if ((t->n_known + 1) * 2 > t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 64;
        uint64_t *known = must_alloc(cap * sizeof *known);
        memset(known, 0, cap * sizeof *known);
        for (size_t i = 0; i < t->cap; i++)
            if (t->known[i])
                *slot_of(known, cap, t->known[i]) = t->known[i];
        free(t->known);
        t->known = known;
        t->cap = cap;
    }
    uint64_t *slot = slot_of(t->known, t->cap, digest);
    t->n_known += *slot == 0;
    *slot = digest;
}

// ---------------------------------------------------------------- the state

static void forget(struct telling *t) {
    if (t->known)
        memset(t->known, 0, t->cap * sizeof *t->known);
    t->n_known = 0;
    t->id = t->version = t->stopped = t->group = 0;
    t->newest = INT64_MIN;
    t->texts = NULL;
}

// map NULL: as they are. Else where the row says nothing, what was said before stays.
static void keep_texts(struct telling *t, const struct import_mapping *map, const struct str *texts,
                       size_t n) {
    t->turn = !t->turn;
    struct arena *a = &t->of_texts[t->turn];
    arena_reset(a);
    struct str *kept = arena_array(a, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        bool before = map && !texts[i].n && t->texts && !case_empties(map, i);
        kept[i] = arena_str(a, before ? t->texts[i] : texts[i]);
    }
    t->texts = kept;
    t->n_texts = n;
}

void case_copy(struct telling *to, const struct telling *from) {
    forget(to);
    to->group = from->group;
    to->id = from->id;
    to->version = from->version;
    to->newest = from->newest;
    to->stopped = from->stopped;
    if (from->texts)
        keep_texts(to, NULL, from->texts, from->n_texts);
    for (size_t i = 0; i < from->cap; i++)
        if (from->known[i])
            know(to, from->known[i]);
}

void case_release(struct telling *t) {
    free(t->known);
    arena_release(&t->of_texts[0]);
    arena_release(&t->of_texts[1]);
    *t = (struct telling){0};
}

// What the record's own history says: which rows it was told by, and when the newest thing happened.
static enum status recall(struct telling *t, const struct import *job, struct conn *conn,
                          struct error *e) {
    struct arena a = ARENA_INIT;
    struct row_events *events;
    struct event ev;
    bool more = true;
    enum status s = row_events_open(conn, job->module, t->id, &a, &events, e);
    if (s != OK) {
        arena_release(&a);
        return s;
    }
    while ((s = row_events_next(events, &ev, &more, e)) == OK && more) {
        uint64_t digest;
        t->newest = ev.at > t->newest ? ev.at : t->newest;
        for (size_t i = 0; i < ev.n_items; i++)
            if (str_is(ev.items[i].field, "~row") &&
                digest_read(doc_text(ev.items[i].new), &digest))
                know(t, digest);
    }
    row_events_close(events);
    arena_release(&a);
    return s;
}

static enum status begin(struct telling *t, const struct import *job, struct conn *conn,
                         const struct row *row, struct error *e) {
    forget(t);
    t->group = row->told->group;
    if (row->duplicate.kind != REF_RECORD)
        return OK;
    t->id = row->duplicate.n;
    return recall(t, job, conn, e);
}

// ---------------------------------------------------------------- one row

const struct rule *rule_at(const struct import_mapping *map, size_t place) {
    return place < map->n_rules ? &map->rules[place] : map->set[place - map->n_rules].rule;
}

bool case_empties(const struct import_mapping *map, size_t place) {
    const struct field *f = rule_at(map, place)->field;
    return map->history->states && f && !f->required;
}

bool case_differs(const struct telling *t, const struct import_mapping *map,
                  const struct told_row *told, size_t place) {
    if (!told->texts[place].n && !case_empties(map, place))
        return false;
    return !t->texts || !str_eq(t->texts[place], told->texts[place]);
}

static bool changes(const struct telling *t, const struct import_mapping *map,
                    const struct told_row *told) {
    if (told->activity.n)
        return true;
    for (size_t i = 0; i < map->n_rules + map->n_set; i++)
        if (case_differs(t, map, told, i))
            return true;
    return false;
}

enum status case_too_late(const struct telling *t, struct error *why) {
    char at[CLOCK_TEXT];
    clock_text(t->newest, at);
    return error_set(
        why, INVALID, "",
        N_("Something newer is known of this case here, of {0}: what is older can't be "
           "put before it."),
        at, NULL);
}

static enum tell refusal(const struct telling *t, const struct row *row, micros now,
                         struct error *why) {
    char number[24];
    if (row->problems)
        return TELL_REFUSE;
    if (row->told->at > now) {
        error_set(why, INVALID, "", N_("This would be in the future: it is no history."), NULL);
        return TELL_REFUSE;
    }
    if (row->told->at < EARLIEST) {
        error_set(why, INVALID, "", N_("This would be before 1685: nothing can be told of then."),
                  NULL);
        return TELL_REFUSE;
    }
    if (!t->stopped)
        return TELL_NOTHING;
    snprintf(number, sizeof number, "%lld", (long long)t->stopped);
    error_set(why, INVALID, "",
              N_("An earlier row of this case was refused ({0}); what came after it can't be told "
                 "without it."),
              number, NULL);
    return TELL_REFUSE;
}

enum status case_decide(struct telling *t, const struct import *job, struct conn *conn,
                        const struct row *row, micros now, enum tell *out, struct error *why,
                        struct error *e) {
    const struct told_row *told = row->told;
    enum status s = told->group == t->group ? OK : begin(t, job, conn, row, e);
    if (s != OK)
        return s;
    if (!row->problems && is_known(t, told->digest))
        *out = TELL_KNOWN;
    else if (refusal(t, row, now, why) == TELL_REFUSE)
        *out = TELL_REFUSE;
    else if (!t->id)
        *out = TELL_CREATE;
    else if (!changes(t, &job->mapping, told))
        *out = TELL_NOTHING;
    else if (told->at < t->newest && case_too_late(t, why))
        *out = TELL_LATE;
    else
        *out = TELL_CHANGE;
    return OK;
}

void case_behind(struct telling *t, const struct import *job, const struct row *row,
                 enum tell how) {
    const struct told_row *told = row->told;
    // A row that comes too late is one that something else was told after; what it says is where the next one begins.
    bool late =
        how == TELL_REFUSE && !row->problems && !t->stopped && t->id && told->at < t->newest;
    if (how == TELL_REFUSE && !late && !t->stopped)
        t->stopped = row->number;
    if (how == TELL_REFUSE && !late)
        return;
    if (!late) {
        know(t, told->digest);
        t->newest = told->at > t->newest ? told->at : t->newest;
    }
    keep_texts(t, &job->mapping, told->texts, t->n_texts);
    if (how == TELL_CREATE && !t->id)
        t->id = -1;
}

enum status case_take_up(struct telling *t, const struct import *job, const struct row *row,
                         int64_t stopped, struct error *e) {
    enum status s = begin(t, job, job->conn, row, e);
    t->stopped = stopped;
    keep_texts(t, &job->mapping, row->told->texts, t->n_texts);
    return s;
}
