// cronista demo: fills a new installation with a believable company and months of its history.
#include <stdio.h>
#include <stdlib.h>

#include "actions/user.h"
#include "cli/demo_story.h"
#include "cli/open.h"

#define STEPS_IN_PIECE 64
#define PASSWORD "meridiana-demo"

// A piece may run again from its start: then the story goes back to where it was.
struct piece {
    struct story *story, *start;
    struct crm *crm;
    const char *hash; // of the first piece; NULL: steps
    bool ran, ended;
    int64_t told;
};

static enum status one_step(struct telling *t, struct write *w, struct crm *crm,
                            const struct step *step) {
    static const struct {
        int (*user)(const struct story *, const struct step *);
        enum status (*run)(struct telling *, const struct step *);
    } parts[] = {{people_user, people_step}, {sales_user, sales_step}, {care_user, care_step}};
    int part = 0;
    switch (step->kind) {
    case STEP_LEAD:
    case STEP_LEAD_NEXT:
    case STEP_DEAL:
    case STEP_DEAL_NEXT:
    case STEP_DEAL_EDIT:
    case STEP_DEAL_MOVED:
    case STEP_TASK:
    case STEP_TASK_MOVED:
    case STEP_TASK_DONE:
        part = 1;
        break;
    case STEP_CASE:
    case STEP_CASE_NEXT:
    case STEP_SAY:
        part = 2;
        break;
    default:
        break;
    }
    enum status s = tell_as(t, w, crm, parts[part].user(t->story, step), step->at);
    return s ? s : parts[part].run(t, step);
}

static enum status run_piece(struct write *w, void *arg, struct error *e) {
    struct piece *p = arg;
    if (p->ran)
        *p->story = *p->start;
    else
        *p->start = *p->story;
    p->ran = true;
    p->told = 0;
    struct telling t = {.story = p->story, .error = e};
    enum status s = OK;
    if (p->hash) {
        s = tell_as(&t, w, p->crm, -1, p->story->start);
        return s ? s : story_begin(&t, p->hash);
    }
    struct step step;
    for (int i = 0; i < STEPS_IN_PIECE && s == OK; i++) {
        if (!story_next(p->story, &step)) {
            p->ended = true;
            break;
        }
        s = one_step(&t, w, p->crm, &step);
        // What was deleted in the meantime is not for working on.
        if (s == NOT_FOUND)
            s = OK;
        p->told++;
    }
    return s;
}

static enum status tell_all(struct crm *crm, struct story *story, const char *hash,
                            struct error *e) {
    struct piece p = {.story = story, .start = must_alloc(sizeof *story), .crm = crm, .hash = hash};
    enum status s = writer_run(crm_writer(crm), run_piece, &p, NULL, e);
    int64_t told = 0;
    p.hash = NULL;
    while (s == OK && !p.ended) {
        p.ran = false;
        s = writer_run(crm_writer(crm), run_piece, &p, NULL, e);
        told += p.told;
        cli_progress((void *)(intptr_t) "steps", told, 0);
    }
    cli_progress(NULL, -1, 0);
    free(p.start);
    return s;
}

// Only an installation in which nobody has worked yet.
static enum status is_fresh(struct crm *crm, struct error *e) {
    static const char *const modules[] = {"companies", "contacts", "opportunities", "cases", NULL};
    struct conn *conn;
    const struct model *model = crm_model_hold(crm);
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    struct arena a = ARENA_INIT;
    enum status s = store_connect(crm_store(crm), STORE_READ, &conn, e);
    for (const char *const *m = modules; s == OK && *m; m++) {
        struct reader r = {crm, conn, model, &system, &a};
        struct list_query q = {.module = model_module(model, str_z(*m)), .limit = 1};
        struct doc *list;
        s = record_list(&r, &q, &list, e);
        if (s == OK && doc_get(list, STR("items"))->count)
            s = error_set(e, CONFLICT, NULL,
                          N_("There are records here already: demonstration data go into a new "
                             "installation."),
                          NULL);
    }
    if (s == OK || s == CONFLICT)
        conn_close(conn);
    crm_model_release(crm, model);
    arena_release(&a);
    return s;
}

static int demo(struct crm *crm, int64_t seed, micros now) {
    struct error e = {0};
    char hash[CRYPTO_PASSWORD];
    const char *given = getenv("CRONISTA_ADMIN_PASSWORD"),
               *password = given && *given ? given : PASSWORD;
    struct arena names = ARENA_INIT;
    struct story *story = must_alloc(sizeof *story);
    memset(story, 0, sizeof *story);
    story->arena = &names;
    story->random = (uint64_t)seed;
    story->now = now;
    enum status s = is_fresh(crm, &e);
    if (s == OK)
        s = password_acceptable(str_z(password), STR(""), &e);
    if (s == OK && !crypto_password_hash(str_z(password), hash))
        s = error_set(&e, UNAVAILABLE, NULL,
                      N_("There is not enough memory to keep a password safely."), NULL);
    if (s == OK)
        s = tell_all(crm, story, hash, &e);
    if (s == OK) {
        printf("Meridiana, an invented company: %d companies, %d contacts, %d opportunities, %d "
               "cases, %d leads, %d activities;\n"
               "%lld events in %lld days.\n",
               story->n_companies, story->n_contacts, story->n_deals, story->n_cases,
               story->n_leads, story->n_tasks, (long long)writer_position(crm_writer(crm)) + 1,
               (long long)((now - story->start) / DAY));
        struct str email = story_email(story, str_z(demo_users[0].name), STR("meridiana.example"));
        printf("Sign in as %.*s (administrator) with the password %s\n", STR_FMT(email),
               given && *given ? "that was given" : password);
        printf("The other users have the same password: %.*s, %.*s ...\n",
               STR_FMT(story_email(story, str_z(demo_users[1].name), STR("meridiana.example"))),
               STR_FMT(story_email(story, str_z(demo_users[3].name), STR("meridiana.example"))));
    }
    free(story);
    arena_release(&names);
    return s == OK ? CLI_OK : cli_failed(&e);
}

int cli_demo(int argc, char **argv) {
    if (cli_help(&argc, argv, "demo", "[--seed N] [--today YYYY-MM-DD]",
                 "Fills a new installation with an invented company and seven months of its "
                 "history, told through the same "
                 "actions that\npeople use. The same seed and day tell the same story. The "
                 "administrator's password is that of "
                 "CRONISTA_ADMIN_PASSWORD, or\na well-known one: for trying out, not for use."))
        return CLI_OK;
    struct crm *crm;
    const char *seed = cli_option(&argc, argv, "seed"), *today = cli_option(&argc, argv, "today");
    int64_t number = 1;
    micros now = clock_now();
    if ((seed && !str_int(str_z(seed), &number)) || (today && !date_valid(str_z(today))))
        return cli_usage("demo", "[--seed N] [--today YYYY-MM-DD]");
    if (today) {
        clock_parse(str_z(today), &now);
        now += 17 * HOUR;
    }
    struct cli_place where = cli_where(&argc, argv);
    int left = cli_nothing_left(argc, argv);
    if (left)
        return left;
    struct error e = {0};
    struct crm_options options = {.create = true};
    if (cli_open_crm(&crm, where, options, &e) != OK)
        return cli_failed(&e);
    int result = demo(crm, number, now);
    crm_close(crm);
    return result;
}
