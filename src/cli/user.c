// cronista user add, cronista token add: people and programs that may sign in.
#include <stdio.h>
#include <stdlib.h>

#include "actions/breached.h"
#include "actions/second_factor.h"
#include "cli/open.h"

#define USER_TAKES                                                                                 \
    "add EMAIL --name NAME [--profile PROFILE] [--level LEVEL] [--password-stdin] | "              \
    "reset-second-factor EMAIL"

struct adding {
    struct doc *values;
    struct str level;
    const char *hash;
    int64_t id;
};

static enum status add_user(struct action *a, void *arg, struct error *e) {
    struct adding *u = arg;
    if (u->level.n) {
        int64_t level;
        enum status s = user_level(a, u->level, &level, e);
        if (s != OK)
            return s;
        doc_replace(u->values, STR("level"), doc_int(a->write->arena, level));
    }
    return user_add(a, u->values, u->hash, &u->id, e);
}

// The first line of standard input as a password's hash.
static enum status password_read(struct str email, char hash[CRYPTO_PASSWORD], struct error *e) {
    struct buf in = BUF_INIT(4096);
    enum status s = cli_read("-", 4096, &in, e);
    struct str rest = buf_view(&in), line = str_cut(&rest, '\n');
    if (str_ends(line, STR("\r")))
        line.n--;
    if (s == OK)
        s = password_acceptable(line, email, e);
    if (s == OK)
        s = breached_use(getenv("CRONISTA_BREACHED_PASSWORDS"), e);
    if (s == OK)
        s = password_new(line, hash, e);
    buf_release(&in);
    return s;
}

static int add(struct crm *crm, const char *email, const char *name, const char *profile,
               const char *level, const char *language, bool password) {
    struct arena a = ARENA_INIT;
    struct error e = {0};
    char hash[CRYPTO_PASSWORD];
    struct adding u = {.values = doc_object(&a), .level = str_z(level)};
    doc_set_z(&a, u.values, "name", name);
    doc_set_z(&a, u.values, "email", email);
    doc_set_z(&a, u.values, "profile", profile ? profile : "member");
    if (language)
        doc_set_z(&a, u.values, "language", language);
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    struct act act = {.viewer = &system, .channel = CHANNEL_COMMAND, .operation = -1, .cause = -1};
    enum status s = password ? password_read(str_z(email), hash, &e) : OK;
    u.hash = password ? hash : NULL;
    if (s == OK)
        s = action_run(crm, &act, add_user, &u, &e);
    if (s == OK)
        printf("User %lld: %s <%s>%s\n", (long long)u.id, name, email,
               password ? "" : ". No password yet: this user can't sign in.");
    int result = s == OK ? CLI_OK : cli_failed(&e);
    arena_release(&a);
    return result;
}

static enum status reset_factor(struct action *a, void *arg, struct error *e) {
    const struct viewer *owner = arg;
    return second_factor_reset(a, owner->user, e);
}

// For the last administrator, whom nobody else can help.
static int reset(struct crm *crm, const char *email) {
    struct arena a = ARENA_INIT;
    struct error e = {0};
    struct viewer owner;
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    struct act act = {.viewer = &system, .channel = CHANNEL_COMMAND, .operation = -1, .cause = -1};
    enum status s = cli_user_find(crm, email, &owner, &a, &e);
    if (s == OK)
        s = action_run(crm, &act, reset_factor, &owner, &e);
    if (s == OK)
        printf("The second factor of %s is taken away; their sessions are ended.\n", email);
    int result = s == OK ? CLI_OK : cli_failed(&e);
    arena_release(&a);
    return result;
}

int cli_user(int argc, char **argv) {
    if (cli_help(&argc, argv, "user", USER_TAKES,
                 "Adds a user. The profile (member, if none is given) says what the user may do; "
                 "every user has one level, "
                 "which is\nmade when there is none of that name (without --level: the first there "
                 "is). With "
                 "--password-stdin the first line of\nstandard input is the password; without it "
                 "the user can't sign in "
                 "yet. Also makes the installation if there is none.\nreset-second-factor takes "
                 "away the second factor of somebody who lost it."))
        return CLI_OK;
    struct crm *crm;
    const char *name = cli_option(&argc, argv, "name"),
               *profile = cli_option(&argc, argv, "profile");
    const char *level = cli_option(&argc, argv, "level"),
               *language = cli_option(&argc, argv, "language");
    bool password = cli_flag(&argc, argv, "password-stdin");
    struct cli_place where = cli_where(&argc, argv);
    const char *verb = cli_argument(&argc, argv), *email = cli_argument(&argc, argv);
    bool resets = verb && strcmp(verb, "reset-second-factor") == 0;
    if (!verb || (strcmp(verb, "add") != 0 && !resets) || !email ||
        (resets ? name || profile || level || language || password : !name))
        return cli_usage("user", USER_TAKES);
    int left = cli_nothing_left(argc, argv);
    if (left)
        return left;
    struct error e = {0};
    struct crm_options options = {.create = !resets};
    if (cli_open_crm(&crm, where, options, &e) != OK)
        return cli_failed(&e);
    int result =
        resets ? reset(crm, email) : add(crm, email, name, profile, level, language, password);
    crm_close(crm);
    return result;
}

// ---------------------------------------------------------------- keys of programs

struct key {
    int64_t user;
    struct key_wanted wanted;
    char text[KEY_TEXT];
};

static enum status add_key(struct action *a, void *arg, struct error *e) {
    struct key *k = arg;
    return user_key_add(a, k->user, &k->wanted, k->text, e);
}

static int token_add(struct crm *crm, const char *email, const struct key_wanted *wanted) {
    struct arena a = ARENA_INIT;
    struct error e = {0};
    struct viewer owner;
    struct key key = {.wanted = *wanted};
    struct viewer system = {.profile = PROFILE_ADMINISTRATOR};
    struct act act = {.viewer = &system, .channel = CHANNEL_COMMAND, .operation = -1, .cause = -1};
    enum status s = cli_user_find(crm, email, &owner, &a, &e);
    key.user = owner.user;
    if (s == OK)
        s = action_run(crm, &act, add_key, &key, &e);
    if (s == OK)
        printf("%s\n", key.text);
    int result = s == OK ? CLI_OK : cli_failed(&e);
    arena_release(&a);
    return result;
}

#define TOKEN_TAKES                                                                                \
    "add EMAIL [--name WHAT-FOR] [--scope read|write|administer] [--modules KEY,KEY ...] "         \
    "[--expires YYYY-MM-DD | --days N]"

// When it ends: after so many days, or with that day (UTC). False for what is neither.
static bool ends_at(const char *days, const char *day, micros *out) {
    int64_t count;
    *out = 0;
    if (days) {
        if (day || !str_int(str_z(days), &count) || count < 1 || count > 36500)
            return false;
        *out = clock_now() + count * DAY;
    } else if (day) {
        char text[CLOCK_TEXT];
        if (strlen(day) != 10)
            return false;
        snprintf(text, sizeof text, "%sT00:00:00Z", day);
        if (!clock_parse(str_z(text), out))
            return false;
        *out += DAY;
        return *out > clock_now();
    }
    return true;
}

int cli_token(int argc, char **argv) {
    if (cli_help(&argc, argv, "token", TOKEN_TAKES,
                 "Prints a new API key with the rights of that user. It is shown only now. With "
                 "--scope read it changes\nnothing, with write it does not configure anything, "
                 "without --scope it may do all; with --modules only in those. With\n--expires or "
                 "--days it ends by itself."))
        return CLI_OK;
    struct crm *crm;
    const char *name = cli_option(&argc, argv, "name"), *days = cli_option(&argc, argv, "days"),
               *day = cli_option(&argc, argv, "expires"), *scope = cli_option(&argc, argv, "scope"),
               *modules = cli_option(&argc, argv, "modules");
    struct key_wanted wanted = {.name = str_z(name ? name : "command line"),
                                .scope = KEY_ADMINISTER};
    struct cli_place where = cli_where(&argc, argv);
    const char *verb = cli_argument(&argc, argv), *email = cli_argument(&argc, argv);
    if (!verb || strcmp(verb, "add") != 0 || !email || !ends_at(days, day, &wanted.expires) ||
        (scope && !key_scope_find(str_z(scope), &wanted.scope)))
        return cli_usage("token", TOKEN_TAKES);
    int left = cli_nothing_left(argc, argv);
    if (left)
        return left;
    struct error e = {0};
    struct crm_options options = {.create = false};
    if (cli_open_crm(&crm, where, options, &e) != OK)
        return cli_failed(&e);
    struct arena arena = ARENA_INIT;
    struct doc *list = doc_array(&arena);
    for (struct str rest = str_z(modules ? modules : ""); rest.n;)
        doc_add(list, doc_str(&arena, str_trim(str_cut(&rest, ','))));
    wanted.modules = list;
    int result = token_add(crm, email, &wanted);
    arena_release(&arena);
    crm_close(crm);
    return result;
}
