// Stories with events in memory against those of the database alone: the same, whatever is done and erased in between.
#include "both_answers.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/crypto.h"
#include "records/files.h"
#include "records/internal.h"
#include "records/kept.h"
#include "records/story.h"
#include "records/story_kept.h"

// ---------------------------------------------------------------- questions

static void ask_story(struct reader *r, const void *question, struct buf *out) {
    const struct history_query *h = question;
    struct error e = {0};
    struct doc *d = NULL;
    if (history_list(r, h, &d, &e) == OK)
        json_write(out, d);
    else
        write_error(r, &e, out);
}

// As a page does that asks ahead.
static void ask_story_ahead(struct reader *r, const void *question, struct buf *out) {
    history_ahead(r, question);
    ask_story(r, question, out);
}

static int by_what(const void *a, const void *b) {
    const struct story_count *x = a, *y = b;
    int order = x->module->number - y->module->number;
    return order ? order : x->about - y->about;
}

// In whatever order they come, and in however many parts.
static void ask_counts(struct reader *r, const void *question, struct buf *out) {
    const struct history_query *h = question;
    struct story_count *counts;
    struct error e = {0};
    size_t n = 0;
    if (history_counts(r, h->module, h->id, h->limit * 3, &counts, &n, &e) != OK) {
        write_error(r, &e, out);
        return;
    }
    qsort(counts, n, sizeof *counts, by_what);
    for (size_t i = 0; i < n; i++) {
        int64_t sum = counts[i].n;
        while (i + 1 < n && by_what(&counts[i], &counts[i + 1]) == 0)
            sum += counts[++i].n;
        buf_printf(out, "%.*s %d: %lld\n", STR_FMT(counts[i].module->key), counts[i].about,
                   (long long)sum);
    }
}

static _Thread_local micros asked_at; // the same for both

static void ask_ribbon(struct reader *r, const void *question, struct buf *out) {
    const struct history_query *h = question;
    struct error e = {0};
    struct doc *record = NULL, *ribbon = NULL, *at_once = NULL;
    if (record_get(r, h->module, h->id, &record, &e) == OK &&
        record_ribbon(r, h->module, record, 0, asked_at, &ribbon, &e) == OK &&
        record_ribbon_at_once(r, h->module, record, asked_at, &at_once, &e) == OK) {
        json_write(out, ribbon);
        json_write(out, at_once);
    } else {
        write_error(r, &e, out);
    }
}

static struct history_query story_of(const struct reading *rd, const char *module, int64_t id,
                                     int limit) {
    return (struct history_query){.module = model_module(rd->r.model, str_z(module)),
                                  .id = id,
                                  .user = -1,
                                  .operation = -1,
                                  .before = -1,
                                  .limit = limit};
}

static void differ(const struct reading *rd, const struct history_query *h) {
    print_error("viewer %lld, %.*s/%lld limit %d before %lld%s kind %d module %d about %d own %d "
                "field %.*s text %.*s:\n%.*s\nshould be\n%.*s\n",
                (long long)rd->viewer.user, STR_FMT(h->module->key), (long long)h->id, h->limit,
                (long long)h->before, h->after ? " (after)" : "", h->kind, h->of_module, h->about,
                h->own_only, STR_FMT(h->field), STR_FMT(h->text), STR_FMT(buf_view(&rd->with)),
                STR_FMT(buf_view(&rd->without)));
}

static void assert_both(struct reading *rd, asking *ask, const struct history_query *h) {
    if (both(rd, ask, h))
        return;
    differ(rd, h);
    fail();
}

// What somebody is told of a card's newest events, whoever remembers them.
static void read_story(struct reading *rd, const char *module, int64_t id, int limit) {
    struct history_query h = story_of(rd, module, id, limit);
    assert_both(rd, ask_story, &h);
}

static bool tells(struct world *w, int64_t viewer, const char *module, int64_t id,
                  const char *text) {
    struct reading rd;
    bool told = false;
    reading_begin(&rd, w->crm, viewer);
    for (int i = 0; i < 2; i++) { // the second time of what the first one kept
        read_story(&rd, module, id, 50);
        told = told || answered(&rd.with, text);
    }
    reading_end(&rd);
    return told;
}

// How many of the card's newest events are in memory, where it is behind the newest that is known of it there.
static int in_memory(struct reading *rd, const char *module, int64_t id) {
    struct history_query h = story_of(rd, module, id, 50);
    struct kept *kept = crm_kept(rd->r.crm);
    struct reader without = rd->r;
    struct doc *d = NULL;
    struct kept_story story;
    struct story_rows rows;
    struct str head, body;
    struct sql q;
    int n = 0;
    without.crm = NULL;
    BUG_ON(history_list(&without, &h, &d, NULL) != OK);
    const struct doc *events = doc_get(d, STR("items"));
    if (!kept || !events->count || !kept_story(kept, h.module->number, id, &story) ||
        story.newest != doc_get_int(events->first, "position", -1))
        return 0;
    // The number by which they are there comes with any event.
    sql_begin(&q, &rd->arena, STORE_POSTGRES);
    sql_z(&q, "SELECT ");
    story_bytes_sql(&q, -1);
    sql_z(&q, ",0");
    story_last_sql(&q);
    sql_z(&q, " FROM timeline t ORDER BY t.position LIMIT 1");
    BUG_ON(story_rows(&rd->r, sql_done(&q), q.params, q.n, 1, &rows, NULL) != OK);
    doc_each(event, events)
        n += kept_get(kept, rows.of, doc_get_int(event, "position", -1), KEPT_EVENT, &rd->arena,
                      &head, &body);
    return n;
}

// ---------------------------------------------------------------- chance

#define SPOKEN 200 // comments, and documents, that are remembered

struct said {
    const char *module;
    int64_t id, position;
    char digest[65];
};

enum what {
    CREATES_CONTACT,
    CREATES_COMPANY,
    CREATES_TASK,
    EDITS,
    COMMENTS,
    DELETES,
    RESTORES,
    ASSIGNS,
    MOVES, // to another card
    CLOSES,
    REOPENS,
    NOTES,
    ATTACHES,
    MAKES_PRIVATE,
    MAKES_PUBLIC,
    ERASES_COMMENT,
    ERASES_DOCUMENT,
    ANONYMISES,
    WHATS,
};

struct chance {
    struct world *w;
    int64_t contacts, companies, tasks;
    struct said comments[SPOKEN], documents[SPOKEN];
    int n_comments, n_documents, done[WHATS];
    bool private; // there may be something private
};

static unsigned of(struct chance *c, unsigned below) {
    return any(&c->w->seed, below);
}

static const char *any_card(struct chance *c, int64_t *id) {
    static const char *const modules[] = {"contacts", "contacts", "companies", "tasks"};
    const char *module = modules[of(c, 4)];
    int64_t n = *module == 't' ? c->tasks : module[2] == 'n' ? c->contacts : c->companies;
    *id = 1 + of(c, (unsigned)n + 1);
    return module;
}

// A link, or none.
static void add_link(struct chance *c, struct buf *json, const char *key, int64_t among) {
    int64_t id = of(c, (unsigned)among + 1);
    if (id && of(c, 4))
        buf_printf(json, ",\"%s\":%lld", key, (long long)id);
}

static void make_json(struct chance *c, const char *module, bool created, struct buf *json) {
    static const char *const texts[] = {"Ana", "Żółć", "", "quetzal 😀", "long long long text"};
    if (*module == 't') {
        buf_printf(json, "{\"subject\":\"T%u\"", of(c, 1000));
        if (created)
            buf_z(json, ",\"kind\":\"call\"");
        add_link(c, json, "contact", c->contacts);
        add_link(c, json, "company", c->companies);
        if (of(c, 3) == 0)
            buf_printf(json, ",\"participants\":[%u]", 1 + of(c, PEOPLE - 1));
        if (of(c, 3) == 0 && c->contacts)
            buf_printf(json, ",\"guests\":[%u]", 1 + of(c, (unsigned)c->contacts));
        if (created && c->private && of(c, 3) == 0)
            buf_z(json, ",\"private\":true");
    } else {
        buf_printf(json, "{\"name\":\"N%u %s\",\"city\":\"%s\"", of(c, 1000), texts[of(c, 5)],
                   texts[of(c, 5)]);
        if (module[2] == 'n')
            add_link(c, json, "company", c->companies);
        if (module[2] == 'n' && of(c, 3) == 0)
            buf_printf(json, ",\"phone\":\"+34 912 34 %02u %02u\"", of(c, 100), of(c, 100));
    }
    if (created && of(c, 2))
        buf_printf(json, ",\"owner\":%u", 1 + of(c, PEOPLE - 1));
    buf_char(json, '}');
    buf_char(json, '\0');
}

// A new document for a contact.
static void document_json(struct chance *c, struct buf *json, char digest[65]) {
    char path[100], text[40];
    struct arena a = ARENA_INIT;
    struct doc *value = NULL;
    struct error e = {0};
    snprintf(path, sizeof path, "%s/document", c->w->dir);
    snprintf(text, sizeof text, "Dear %u, number %d", of(c, 1000), c->n_documents);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    must(file_keep(c->w->crm, path, 0, STR("letter.txt"), STR(""), &a, &value, &e), &e);
    buf_z(json, "{\"photo\":");
    json_write(json, value);
    buf_z(json, "}");
    buf_char(json, '\0');
    snprintf(digest, 65, "%.*s", STR_FMT(doc_get_text(value, "digest")));
    arena_release(&a);
}

static void remember(struct said *list, int *n, const struct deed *d, const char *digest) {
    struct said *one = &list[*n % SPOKEN];
    *one = (struct said){.module = d->module, .id = d->id, .position = d->position};
    if (digest)
        memcpy(one->digest, digest, sizeof one->digest);
    ++*n;
}

static struct said *recalled(struct chance *c, struct said *list, int n) {
    return n ? &list[of(c, (unsigned)(n < SPOKEN ? n : SPOKEN))] : NULL;
}

// What is done, where it needs no more than a record.
static const struct {
    enum status (*act)(struct action *, const struct module *, struct deed *, struct error *);
    const char *json, *module; // NULL: of any
} acts[WHATS] = {
    [CREATES_CONTACT] = {save, NULL, "contacts"},
    [CREATES_COMPANY] = {save, NULL, "companies"},
    [CREATES_TASK] = {save, NULL, "tasks"},
    [EDITS] = {save, NULL, NULL},
    [COMMENTS] = {say, "@User 3 said that all is well", NULL},
    [DELETES] = {delete_it, NULL, NULL},
    [RESTORES] = {restore_it, NULL, NULL},
    [ASSIGNS] = {assign_it, NULL, NULL},
    [MOVES] = {save, NULL, "tasks"},
    [CLOSES] = {close_task, NULL, "tasks"},
    [REOPENS] = {reopen_task, NULL, "tasks"},
    [NOTES] = {take_note, "{\"way\":\"call\",\"text\":\"They rang about the quetzal\"}",
               "contacts"},
    [ATTACHES] = {save, NULL, "contacts"},
    [MAKES_PRIVATE] = {save, "{\"private\":true}", "tasks"},
    [MAKES_PUBLIC] = {save, "{\"private\":false}", "tasks"},
    [ERASES_COMMENT] = {erase_comment, NULL, NULL},
    [ERASES_DOCUMENT] = {erase_document, NULL, NULL},
    [ANONYMISES] = {anonymise, NULL, "contacts"},
};

static bool refused(enum status s) {
    return s == NOT_FOUND || s == CONFLICT || s == DENIED || s == INVALID;
}

static enum what rarest(const struct chance *c) {
    enum what what = 0;
    for (int i = 1; i < WHATS; i++)
        if (c->done[i] < c->done[what] && (c->private || i != MAKES_PRIVATE))
            what = i;
    return what;
}

// One thing by anybody, who may be refused it.
static void do_something(struct chance *c, struct crm *crm) {
    unsigned often = of(c, 6);
    enum what what = often > 2    ? of(c, NOTES)
                     : often == 2 ? rarest(c)
                                  : ATTACHES + of(c, WHATS - ATTACHES);
    struct deed d = {.act = acts[what].act, .json = acts[what].json, .user = 1 + of(c, PEOPLE - 1)};
    struct buf json = BUF_INIT(10000);
    struct said *said = NULL;
    struct error e = {0};
    char digest[65] = "";
    d.module = any_card(c, &d.id);
    if (acts[what].module && strcmp(acts[what].module, d.module) != 0) {
        d.module = acts[what].module;
        d.id = 1 + of(c, (unsigned)(*d.module == 't' ? c->tasks : c->contacts) + 1);
    }
    if (what <= CREATES_TASK)
        d.id = 0;
    if (what == ERASES_COMMENT || what == ERASES_DOCUMENT) {
        said = what == ERASES_COMMENT ? recalled(c, c->comments, c->n_comments)
                                      : recalled(c, c->documents, c->n_documents);
        if (!said)
            return;
        d.module = said->module;
        d.id = said->id;
        d.position = said->position;
        d.digest = str_z(said->digest);
    }
    if (what == ATTACHES)
        document_json(c, &json, digest);
    else if (!d.json)
        make_json(c, d.module, !d.id, &json);
    if (!d.json)
        d.json = json.p;
    // What needs much is done by the program itself, else hardly anything would be left of it.
    bool needs_much = what == CLOSES || what == REOPENS || what >= ATTACHES;
    int64_t by = needs_much && what != MAKES_PRIVATE ? SYSTEM : of(c, PEOPLE);
    bool hides = what == MAKES_PRIVATE && !c->private;
    enum status s = hides ? NOT_FOUND : try_deed(crm, by, &d, &e);
    if (s && !refused(s))
        must(s, &e);
    if (!s) {
        c->done[what]++;
        c->contacts += what == CREATES_CONTACT;
        c->companies += what == CREATES_COMPANY;
        c->tasks += what == CREATES_TASK;
        if (what == COMMENTS)
            remember(c->comments, &c->n_comments, &d, NULL);
        if (what == ATTACHES)
            remember(c->documents, &c->n_documents, &d, digest);
    }
    buf_release(&json);
}

static void any_question(struct chance *c, struct reading *rd, struct history_query *h) {
    static const int limits[] = {1, 2, 3, 5, 10, 50, 200};
    static const int kinds[] = {KIND_CREATED, KIND_EDITED, KIND_COMMENTED, KIND_ASSIGNED};
    static const char *const modules[] = {"contacts", "companies", "tasks"};
    int64_t id;
    const char *module = any_card(c, &id);
    if (of(c, 15) == 0) { // their stories tell how they sign in
        module = "users";
        id = 1 + of(c, PEOPLE - 1);
    }
    *h = story_of(rd, module, id, limits[of(c, 7)]);
    if (of(c, 3) == 0) {
        h->before = 30 + of(c, 400);
        h->after = of(c, 2);
    }
    if (of(c, 5) == 0)
        h->kind = kinds[of(c, 4)];
    if (of(c, 5) == 0)
        h->of_module = model_module(rd->r.model, str_z(modules[of(c, 3)]))->number;
    h->own_only = of(c, 8) == 0;
    if (of(c, 10) == 0)
        h->about = 1 + (int)of(c, 511);
    if (of(c, 10) == 0)
        h->text = STR("quetzal");
    if (of(c, 20) == 0)
        h->user = of(c, PEOPLE);
}

static void check_stories(struct chance *c, struct reading readings[PEOPLE], int questions) {
    for (int i = 0; i < questions; i++) {
        struct reading *rd = &readings[of(c, PEOPLE)];
        struct history_query h;
        any_question(c, rd, &h);
        for (unsigned again = of(c, 3); again < 3; again++)
            assert_both(rd, of(c, 3) ? ask_story : ask_story_ahead, &h);
        if (of(c, 3) == 0)
            assert_both(rd, ask_counts, &h);
        asked_at = clock_now();
        for (unsigned again = of(c, 4); again < 2; again++)
            assert_both(rd, ask_ribbon, &h);
        arena_reset(&rd->arena);
    }
}

// ---------------------------------------------------------------- tests

#define ROUNDS 220

static void test_stories_are_the_databases(void **state) {
    struct world *w = *state;
    struct chance c = {.w = w};
    struct reading readings[PEOPLE];
    make_people(w->crm, "[\"phone\",\"photo\"]");
    for (int i = 0; i < 40; i++)
        do_something(&c, w->crm);
    for (int64_t u = 0; u < PEOPLE; u++)
        reading_begin(&readings[u], w->crm, u);
    int remembered = 0;
    for (int round = 0; round < ROUNDS; round++) {
        c.private = round > ROUNDS / 2;
        for (unsigned n = 1 + of(&c, 4); n--;)
            do_something(&c, w->crm);
        check_stories(&c, readings, 12);
        int64_t id = 1 + of(&c, 5);
        read_story(&readings[MEMBER], "contacts", id, 50);
        remembered += in_memory(&readings[MEMBER], "contacts", id);
    }
    for (int i = 0; i < WHATS; i++)
        if (!c.done[i])
            fail_msg("nothing was done of %d", i);
    assert_int_equal(conn_server(readings[0].conn) != 0, on_postgres());
    assert_int_equal(crm_kept(w->crm) && kept_bytes(crm_kept(w->crm)) > 0, on_postgres());
    assert_int_equal(remembered > ROUNDS, on_postgres());
    assert_true(crm_private(w->crm));
    for (int u = 0; u < PEOPLE; u++)
        reading_end(&readings[u]);
}

// ---------------------------------------------------------------- what there is to be seen of memory

// A word of an event is another one in the database, and nobody is told: whoever is answered the old one has it from memory.
static void rewrite(struct world *w, int64_t position, const char *from, const char *to) {
    char sql[600];
    snprintf(
        sql, sizeof sql,
        "ALTER TABLE payloads DISABLE TRIGGER USER;"
        "UPDATE payloads SET body = CAST(replace(convert_from(body,'UTF8'),'%s','%s') AS bytea)"
        " WHERE position = %lld; ALTER TABLE payloads ENABLE TRIGGER USER",
        from, to, (long long)position);
    place_script(place_schema(w->dir), sql);
}

static void test_events_come_from_memory(void **state) {
    struct world *w = *state;
    struct reading rd;
    struct history_query h;
    if (!on_postgres())
        return; // nothing is kept
    make_people(w->crm, "[]");
    create(w->crm, SYSTEM, "contacts", "{\"name\":\"Ana\"}");
    int64_t spoken = comment(w->crm, "contacts", 1, "a zebra");
    reading_begin(&rd, w->crm, MEMBER);
    read_story(&rd, "contacts", 1, 50);
    int64_t unread = comment(w->crm, "contacts", 1, "a camel");
    rewrite(w, spoken, "zebra", "okapi");
    rewrite(w, unread, "camel", "llama");
    h = story_of(&rd, "contacts", 1, 50);
    for (int i = 0; i < 2; i++) {
        assert_false(both(&rd, ask_story, &h));
        // What memory had stands as it was; what it had not was read then.
        assert_true(answered(&rd.with, "zebra") && answered(&rd.with, "llama"));
        assert_true(answered(&rd.without, "okapi") && answered(&rd.without, "llama"));
    }
    reading_end(&rd);
    // Once anything at all was erased nothing is told from memory.
    int64_t said = comment(w->crm, "contacts", 1, "nothing");
    do_deed(w->crm,
            (struct deed){.module = "contacts", .id = 1, .act = erase_comment, .position = said});
    assert_true(tells(w, MEMBER, "contacts", 1, "okapi"));
    assert_false(tells(w, MEMBER, "contacts", 1, "zebra"));
}

// ---------------------------------------------------------------- another process

static void read_everywhere(struct world *w, const char *module, int64_t id) {
    for (int64_t u = 0; u < PEOPLE; u++)
        tells(w, u, module, id, "");
}

static bool anybody_is_told(struct world *w, const char *text) {
    static const struct {
        const char *module;
        int64_t id;
    } cards[] = {{"contacts", 1}, {"contacts", 2}, {"companies", 1}, {"tasks", 1}};
    bool told = false;
    for (int64_t u = 0; u < PEOPLE; u++)
        for (int i = 0; i < 4; i++)
            told = tells(w, u, cards[i].module, cards[i].id, text) || told;
    return told;
}

static void erasing_world(struct world *w) {
    make_people(w->crm, "[]");
    create(w->crm, SYSTEM, "companies", "{\"name\":\"Acme\"}");
    create(w->crm, SYSTEM, "contacts",
           "{\"name\":\"Quetzalina\",\"company\":1,\"city\":\"Xanadu\"}");
    create(w->crm, SYSTEM, "contacts", "{\"name\":\"Ana\",\"company\":1}");
    create(w->crm, SYSTEM, "tasks",
           "{\"kind\":\"call\",\"subject\":\"Talk\",\"contact\":1,\"company\":1}");
    read_everywhere(w, "contacts", 1);
    read_everywhere(w, "companies", 1);
}

static void test_what_another_process_erases_is_told_by_nobody(void **state) {
    struct world *w = *state;
    erasing_world(w);
    struct crm *other = open_again(w);
    struct chance c = {.w = w};
    struct buf json = BUF_INIT(10000);
    char digest[65];
    int64_t said = comment(w->crm, "contacts", 1, "unspeakable");
    int64_t more = comment(w->crm, "tasks", 1, "unmentionable");
    document_json(&c, &json, digest);
    change(w->crm, SYSTEM, "contacts", 2, json.p);
    change(w->crm, SYSTEM, "contacts", 1, "{\"city\":\"Ys\"}");
    static const char *const told[] = {"unspeakable", "unmentionable", "letter.txt",
                                       "Quetzalina",  "Xanadu",        "Ys"};
    for (int i = 0; i < 6; i++)
        assert_true(anybody_is_told(w, told[i]));
    do_deed(other,
            (struct deed){.module = "contacts", .id = 1, .act = erase_comment, .position = said});
    assert_false(anybody_is_told(w, "unspeakable"));
    assert_true(anybody_is_told(w, "unmentionable"));
    do_deed(other,
            (struct deed){.module = "tasks", .id = 1, .act = erase_comment, .position = more});
    assert_false(anybody_is_told(w, "unmentionable"));
    assert_true(anybody_is_told(w, digest));
    do_deed(other, (struct deed){.module = "contacts",
                                 .id = 2,
                                 .act = erase_document,
                                 .user = NARROW,
                                 .digest = str_z(digest)});
    assert_false(anybody_is_told(w, digest) || anybody_is_told(w, "letter.txt"));
    do_deed(other, (struct deed){.module = "contacts", .id = 1, .act = anonymise});
    assert_false(anybody_is_told(w, "Quetzalina") || anybody_is_told(w, "Xanadu") ||
                 anybody_is_told(w, "Ys"));
    assert_true(anybody_is_told(w, "Ana"));
    crm_close(other);
    buf_release(&json);
}

// A node of an earlier version, a move that goes on, somebody by hand: whoever erases, it is the database that tells.
static void test_whoever_erases_is_noticed(void **state) {
    struct world *w = *state;
    char sql[600];
    if (!on_postgres())
        return; // nothing is kept
    make_people(w->crm, "[]");
    create(w->crm, SYSTEM, "contacts", "{\"name\":\"Ana\"}");
    for (int i = 0; i < 2; i++) { // the first that was ever erased, and another
        int64_t spoken = comment(w->crm, "contacts", 1, "a zebra");
        assert_true(tells(w, MEMBER, "contacts", 1, "zebra"));
        snprintf(sql, sizeof sql,
                 "BEGIN; SELECT set_config('cronista.gates','2',true); UPDATE payloads SET "
                 "secret=NULL,body=CAST(replace(convert_from(body,'UTF8'),'zebra','okapi') AS "
                 "bytea) WHERE position=%lld; COMMIT",
                 (long long)spoken);
        place_script_by("cronista_application", place_schema(w->dir), sql);
        assert_true(tells(w, MEMBER, "contacts", 1, "okapi"));
        assert_false(tells(w, MEMBER, "contacts", 1, "zebra"));
    }
}

static enum status sign_in(struct action *a, const struct module *m, struct deed *d,
                           struct error *e) {
    struct event ev = {.kind = KIND_SIGNED_IN, .module = m->key, .record = d->id};
    return record_commit(a->write, a->crm, a->act, &ev, e);
}

// Signing in is marked in stories, too: that makes nobody ask for each event whether it is private.
static void test_signing_in_is_nothing_private(void **state) {
    struct world *w = *state;
    make_people(w->crm, "[]");
    do_deed(w->crm, (struct deed){.module = "users", .id = 1, .act = sign_in});
    read_everywhere(w, "users", 1);
    assert_false(crm_private(w->crm));
    create(w->crm, MEMBER, "tasks", "{\"kind\":\"call\",\"subject\":\"Talk\",\"private\":true}");
    read_everywhere(w, "tasks", 1);
    assert_true(crm_private(w->crm));
}

// A reader whose moment is before the erasing is told what was there then; what it reads is of no use to the others, whoever
// reads first and last.
static void test_readers_of_two_moments(void **state) {
    struct world *w = *state;
    struct crm *other;
    struct reading before, after;
    struct history_query h;
    erasing_world(w);
    other = open_again(w);
    for (int order = 0; order < 4; order++) {
        int64_t said = comment(w->crm, "contacts", 1, "unspeakable");
        reading_begin(&before, w->crm, MEMBER);
        reading_begin(&after, w->crm, MEMBER);
        h = story_of(&before, "contacts", 1, 10);
        if (order & 1) // both have it in memory
            assert_both(&after, ask_story, &h);
        assert_int_equal(store_begin(before.conn, false, NULL), OK);
        assert_both(&before, ask_counts, &h); // its moment is now
        if (order & 2)
            assert_both(&before, ask_story, &h);
        do_deed(other, (struct deed){
                           .module = "contacts", .id = 1, .act = erase_comment, .position = said});
        for (int i = 0; i < 3; i++) {
            assert_both(&after, ask_story, &h);
            assert_false(answered(&after.with, "unspeakable"));
            assert_both(&before, ask_story, &h);
            assert_true(answered(&before.with, "unspeakable"));
        }
        store_rollback(before.conn);
        assert_both(&before, ask_story, &h);
        assert_false(answered(&before.with, "unspeakable"));
        reading_end(&before);
        reading_end(&after);
    }
    crm_close(other);
}

// What is undone before it was for good was never said: its position is another event's then.
static enum status say_and_give_up(struct action *a, const struct module *m, struct deed *d,
                                   struct error *e) {
    struct history_query h = {
        .module = m, .id = d->id, .user = -1, .operation = -1, .before = -1, .limit = 10};
    struct doc *story = NULL;
    enum status s = say(a, m, d, e);
    if (!s)
        s = history_list(&a->reader, &h, &story, e);
    return s ? s : error_set(e, CONFLICT, NULL, "given up", NULL);
}

static void test_what_was_given_up_is_not_kept(void **state) {
    struct world *w = *state;
    struct error e = {0};
    erasing_world(w);
    struct deed d = {.module = "contacts", .id = 1, .act = say_and_give_up, .json = "ungesagt"};
    assert_int_equal(try_deed(w->crm, SYSTEM, &d, &e), CONFLICT);
    assert_int_equal(comment(w->crm, "contacts", 1, "said"), d.position);
    assert_true(anybody_is_told(w, "said"));
    assert_false(anybody_is_told(w, "ungesagt"));
}

// Nobody has met anything private here when another process makes it so.
static void test_what_another_process_makes_private_is_hidden_at_once(void **state) {
    struct world *w = *state;
    struct reading rd;
    erasing_world(w);
    struct crm *other = open_again(w);
    comment(w->crm, "tasks", 1, "overheard");
    assert_true(tells(w, MEMBER, "contacts", 1, "overheard"));
    reading_begin(&rd, w->crm, MEMBER);
    struct history_query h = story_of(&rd, "contacts", 1, 50);
    assert_both(&rd, ask_counts, &h);
    assert_true(answered(&rd.with, "tasks"));
    assert_int_equal(crm_private(w->crm), false);
    change(other, OTHER_MEMBER, "tasks", 1, "{\"private\":true,\"participants\":[3]}");
    assert_both(&rd, ask_counts, &h);
    assert_false(answered(&rd.with, "tasks"));
    assert_int_equal(crm_private(w->crm), true);
    for (int64_t u = 1; u < PEOPLE; u++)
        assert_int_equal(tells(w, u, "contacts", 1, "overheard"), u == OTHER_MEMBER);
    change(other, OTHER_MEMBER, "tasks", 1, "{\"private\":false}");
    assert_true(tells(w, MEMBER, "contacts", 1, "overheard"));
    assert_both(&rd, ask_counts, &h);
    assert_true(answered(&rd.with, "tasks"));
    reading_end(&rd);
    crm_close(other);
}

// The same where a story is the first that is asked for then.
static void test_a_story_is_the_first_to_meet_what_is_private(void **state) {
    struct world *w = *state;
    erasing_world(w);
    struct crm *other = open_again(w);
    create(other, OTHER_MEMBER, "tasks",
           "{\"kind\":\"call\",\"subject\":\"Conspiracy\",\"contact\":1,\"private\":true}");
    assert_int_equal(crm_private(w->crm), false);
    assert_false(tells(w, MEMBER, "contacts", 1, "Conspiracy"));
    assert_int_equal(crm_private(w->crm), true);
    assert_true(tells(w, OTHER_MEMBER, "contacts", 1, "Conspiracy"));
    crm_close(other);
}

// ---------------------------------------------------------------- at once

struct asking_on {
    struct world *w;
    int64_t user;
    atomic_bool *over;
    long asked, differs;
};

static void *ask_on(void *arg) {
    struct asking_on *k = arg;
    struct reading rd;
    reading_begin(&rd, k->w->crm, k->user);
    for (unsigned i = 0; !atomic_load(k->over) || i < 10; i++) {
        struct history_query h =
            story_of(&rd, i % 3 ? "contacts" : "companies", 1 + i / 3 % 4, i % 2 ? 10 : 50);
        asked_at = clock_now();
        if (!both(&rd, i % 5 > 1 ? ask_story : i % 5 ? ask_ribbon : ask_counts, &h)) {
            differ(&rd, &h);
            k->differs++;
        }
        k->asked++;
        arena_reset(&rd.arena);
    }
    reading_end(&rd);
    return NULL;
}

static void test_readers_while_much_is_done(void **state) {
    struct world *w = *state;
    struct chance c = {.w = w, .private = true};
    struct asking_on asked[4];
    pthread_t threads[4];
    atomic_bool over = false;
    make_people(w->crm, "[\"phone\"]");
    struct crm *other = open_again(w);
    for (int i = 0; i < 50; i++)
        do_something(&c, w->crm);
    for (int i = 0; i < 4; i++) {
        asked[i] = (struct asking_on){.w = w, .user = 1 + i, .over = &over};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_on, &asked[i]), 0);
    }
    for (int i = 0; i < 300; i++)
        do_something(&c, i % 3 ? w->crm : other);
    atomic_store(&over, true);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(asked[i].differs, 0);
    }
    crm_close(other);
}

int main(void) {
    crypto_start();
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_stories_are_the_databases),
        TEST(test_events_come_from_memory),
        TEST(test_what_another_process_erases_is_told_by_nobody),
        TEST(test_whoever_erases_is_noticed),
        TEST(test_signing_in_is_nothing_private),
        TEST(test_readers_of_two_moments),
        TEST(test_what_was_given_up_is_not_kept),
        TEST(test_what_another_process_makes_private_is_hidden_at_once),
        TEST(test_a_story_is_the_first_to_meet_what_is_private),
        TEST(test_readers_while_much_is_done),
    };
    return cmocka_run_group_tests_name("story_kept", tests, NULL, NULL);
}
