#include "actions/second_factor.h"
#include <stdio.h>
#include "records/rows.h"
#include "store/queries.h"

#define RECOVERY_BYTES 10

static struct str bytes(const void *p, size_t n) {
    return (struct str){p, n};
}

static struct param hash_param(const struct hash *h) {
    return P_BLOB(bytes(h->b, sizeof h->b));
}

static enum status tell(struct action *a, enum event_kind kind, int64_t user, const char *field,
                        int64_t number, struct error *e) {
    struct event_item item = {.field = field ? str_z(field) : STR(""),
                              .new = doc_int(a->write->arena, number)};
    struct event event = {.kind = kind,
                          .module = STR("users"),
                          .record = user,
                          .items = &item,
                          .n_items = field ? 1 : 0};
    return record_commit(a->write, a->crm, a->act, &event, e);
}

// ---------------------------------------------------------------- what is kept

struct kept {
    bool there;
    uint8_t secret[OTP_SECRET];
    micros confirmed; // 0: not yet
    int64_t last_step, codes;
    micros made;
    struct hash begun_by; // zeros: nobody may confirm it
};

static enum status read_kept(struct conn *conn, int64_t user, struct kept *out, struct error *e) {
    struct param p[] = {P_INT(user)};
    struct stmt *row = NULL;
    bool found = false;
    *out = (struct kept){0};
    enum status s = store_query(conn, QUERY_SECOND_FACTOR_GET, p, 1, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s && found) {
        struct str secret = stmt_blob(row, 0);
        out->there = secret.n == OTP_SECRET;
        if (out->there)
            memcpy(out->secret, secret.p, OTP_SECRET);
        out->confirmed = stmt_null(row, 1) ? 0 : stmt_int(row, 1);
        out->last_step = stmt_int(row, 2);
        out->codes = stmt_int(row, 3);
        out->made = stmt_int(row, 4);
        struct str by = stmt_null(row, 5) ? STR("") : stmt_blob(row, 5);
        if (by.n == sizeof out->begun_by.b)
            memcpy(out->begun_by.b, by.p, by.n);
    }
    store_done(row);
    return s;
}

enum status second_factor_get(struct conn *conn, int64_t user, struct second_factor *out,
                              struct error *e) {
    struct kept kept;
    enum status s = read_kept(conn, user, &kept, e);
    if (!s)
        *out = (struct second_factor){
            .on = kept.there && kept.confirmed, .since = kept.confirmed, .codes_left = kept.codes};
    return s;
}

// Whether it is being set up, and by whoever asks: somebody else with a session of the same person did not give the password.
static bool waits_for(const struct kept *kept, const struct hash *by, micros now) {
    static const struct hash none;
    return kept->there && !kept->confirmed && !hash_eq(kept->begun_by, none) &&
           hash_eq(kept->begun_by, *by) && now - kept->made < SECOND_FACTOR_WAITS;
}

enum status second_factor_waiting(struct conn *conn, int64_t user, const struct hash *by,
                                  micros now, uint8_t secret[OTP_SECRET], struct error *e) {
    struct kept kept;
    enum status s = read_kept(conn, user, &kept, e);
    if (!s && !waits_for(&kept, by, now))
        s = error_set(e, NOT_FOUND, NULL, N_("There is no such thing any more."), NULL);
    if (!s)
        memcpy(secret, kept.secret, OTP_SECRET);
    return s;
}

// ---------------------------------------------------------------- codes

static enum status wrong_code(struct error *e) {
    return error_set(e, INVALID, "code",
                     N_("This code is not right. Each code is good once, for about a minute."),
                     NULL);
}

// A code of the program, which is used up by it.
static enum status take_code(struct action *a, int64_t user, const struct kept *kept,
                             struct str typed, struct error *e) {
    int64_t step, taken = 0;
    if (!otp_check(bytes(kept->secret, OTP_SECRET), typed, a->write->now, kept->last_step, &step))
        return wrong_code(e);
    struct param p[] = {P_INT(user), P_INT(step)};
    enum status s = store_run(a->write->conn, QUERY_SECOND_FACTOR_TAKE, p, 2, &taken, e);
    return s ? s : taken ? OK : wrong_code(e);
}

// What a recovery code is kept as: whatever blanks, hyphens and capitals it was typed with. False for what is none.
static bool recovery_hash(int64_t user, struct str typed, struct hash *out) {
    char text[32 + RECOVERY_TEXT];
    int n = snprintf(text, sizeof text, "recovery %lld ", (long long)user);
    size_t letters = 0;
    for (size_t i = 0; i < typed.n; i++) {
        char c = typed.p[i];
        if (c == ' ' || c == '-')
            continue;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (!((c >= 'a' && c <= 'z') || (c >= '2' && c <= '7')) ||
            letters == BASE32_TEXT(RECOVERY_BYTES) - 1)
            return false;
        text[(size_t)n + letters++] = c;
    }
    *out = hash_of(bytes(text, (size_t)n + letters));
    return letters == BASE32_TEXT(RECOVERY_BYTES) - 1;
}

static enum status take_recovery(struct action *a, int64_t user, const struct kept *kept,
                                 struct str typed, struct error *e) {
    struct hash hash;
    int64_t taken = 0;
    if (!recovery_hash(user, typed, &hash))
        return wrong_code(e);
    struct param p[] = {P_INT(user), hash_param(&hash)};
    enum status s = store_run(a->write->conn, QUERY_RECOVERY_CODE_TAKE, p, 2, &taken, e);
    if (!s && !taken)
        s = wrong_code(e);
    return s ? s : tell(a, KIND_RECOVERY_CODE_USED, user, "~left", kept->codes - 1, e);
}

enum status second_factor_use(struct action *a, int64_t user, struct str code, struct error *e) {
    struct kept kept;
    enum status s = read_kept(a->write->conn, user, &kept, e);
    if (s || !kept.there || !kept.confirmed)
        return s ? s : wrong_code(e);
    bool digits = str_trim(code).n < BASE32_TEXT(RECOVERY_BYTES) - 1;
    return digits ? take_code(a, user, &kept, code, e) : take_recovery(a, user, &kept, code, e);
}

static void make_code(int64_t user, char out[RECOVERY_TEXT], struct hash *hash) {
    uint8_t random[RECOVERY_BYTES];
    char letters[BASE32_TEXT(RECOVERY_BYTES)];
    crypto_random(random, sizeof random);
    base32(random, sizeof random, letters);
    size_t n = 0;
    for (size_t i = 0; letters[i]; i++) {
        if (i && i % 4 == 0)
            out[n++] = '-';
        out[n++] = letters[i] >= 'A' ? (char)(letters[i] - 'A' + 'a') : letters[i];
    }
    out[n] = 0;
    BUG_ON(!recovery_hash(user, str_z(out), hash));
}

static enum status make_codes(struct action *a, int64_t user, struct recovery_codes *out,
                              struct error *e) {
    struct param of[] = {P_INT(user)};
    enum status s = store_run(a->write->conn, QUERY_RECOVERY_CODES_DELETE, of, 1, NULL, e);
    for (int i = 0; i < RECOVERY_CODES && !s; i++) {
        struct hash hash;
        make_code(user, out->text[i], &hash);
        struct param p[] = {P_INT(user), hash_param(&hash)};
        s = store_run(a->write->conn, QUERY_RECOVERY_CODE_INSERT, p, 2, NULL, e);
    }
    return s;
}

// ---------------------------------------------------------------- on and off

static enum status own_only(struct action *a, int64_t *user, struct error *e) {
    const struct viewer *viewer = a->act->viewer;
    *user = viewer->user;
    return viewer->user > 0 && may(viewer, NULL, VERB_SELF)
               ? OK
               : error_set(e, DENIED, NULL, N_("You may not do this."), NULL);
}

enum status second_factor_begin(struct action *a, const uint8_t secret[OTP_SECRET],
                                const struct hash *by, struct error *e) {
    int64_t user, changed = 0;
    enum status s = own_only(a, &user, e);
    struct param p[] = {P_INT(user), P_BLOB(bytes(secret, OTP_SECRET)), P_INT(a->write->now),
                        hash_param(by)};
    if (!s)
        s = store_run(a->write->conn, QUERY_SECOND_FACTOR_BEGIN, p, 4, &changed, e);
    if (!s && !changed)
        s = error_set(e, CONFLICT, NULL, N_("There is a second factor already."), NULL);
    return s;
}

enum status second_factor_confirm(struct action *a, struct str code, const struct hash *by,
                                  const struct hash *keep, struct recovery_codes *codes,
                                  struct error *e) {
    static const struct hash none;
    struct conn *conn = a->write->conn;
    struct kept kept;
    int64_t user;
    enum status s = own_only(a, &user, e);
    if (!s)
        s = read_kept(conn, user, &kept, e);
    if (!s && !waits_for(&kept, by, a->write->now))
        s = error_set(e, CONFLICT, NULL, N_("Nothing waits to be confirmed."), NULL);
    if (!s)
        s = take_code(a, user, &kept, code, e);
    struct param p[] = {P_INT(user), P_INT(a->write->now)};
    if (!s)
        s = store_run(conn, QUERY_SECOND_FACTOR_CONFIRM, p, 2, NULL, e);
    struct param others[] = {P_INT(user), hash_param(keep ? keep : &none)};
    if (!s)
        s = store_run(conn, QUERY_SESSIONS_DELETE_OTHERS, others, 2, NULL, e);
    if (!s)
        s = make_codes(a, user, codes, e);
    return s ? s : tell(a, KIND_SECOND_FACTOR_ON, user, NULL, 0, e);
}

enum status second_factor_codes(struct action *a, struct str code, struct recovery_codes *codes,
                                struct error *e) {
    int64_t user;
    enum status s = own_only(a, &user, e);
    if (!s)
        s = second_factor_use(a, user, code, e);
    if (!s)
        s = make_codes(a, user, codes, e);
    return s ? s : tell(a, KIND_RECOVERY_CODES_MADE, user, NULL, 0, e);
}

static enum status forget(struct action *a, int64_t user, int64_t *there, struct error *e) {
    struct param p[] = {P_INT(user)};
    enum status s = store_run(a->write->conn, QUERY_SECOND_FACTOR_DELETE, p, 1, there, e);
    return s ? s : store_run(a->write->conn, QUERY_RECOVERY_CODES_DELETE, p, 1, NULL, e);
}

enum status second_factor_off(struct action *a, struct str code, struct error *e) {
    int64_t user, there;
    enum status s = own_only(a, &user, e);
    if (!s)
        s = second_factor_use(a, user, code, e);
    if (!s)
        s = forget(a, user, &there, e);
    return s ? s : tell(a, KIND_SECOND_FACTOR_OFF, user, NULL, 0, e);
}

enum status second_factor_reset(struct action *a, int64_t user, struct error *e) {
    struct account account;
    struct kept kept = {0};
    int64_t there = 0;
    if (!may(a->act->viewer, NULL, VERB_USERS))
        return error_set(e, DENIED, NULL, N_("You may not do this."), NULL);
    enum status s = account_get(a->write->conn, user, a->write->arena, &account, e);
    if (!s)
        s = read_kept(a->write->conn, user, &kept, e);
    if (!s && !kept.confirmed)
        s = error_set(e, NOT_FOUND, NULL, N_("This user has no second factor."), NULL);
    if (!s)
        s = forget(a, user, &there, e);
    struct param p[] = {P_INT(user), P_BLOB(STR(""))};
    if (!s)
        s = store_run(a->write->conn, QUERY_SESSIONS_DELETE_OTHERS, p, 2, NULL, e);
    if (!s)
        s = store_run(a->write->conn, QUERY_SIGN_IN_STEPS_OF_USER, p, 1, NULL, e);
    return s ? s : tell(a, KIND_SECOND_FACTOR_RESET, user, NULL, 0, e);
}

// ---------------------------------------------------------------- between the two steps

enum status sign_in_step_open(struct action *a, const struct sign_in_step *step,
                              char token[CRYPTO_TOKEN], struct error *e) {
    char made[CRYPTO_TOKEN];
    crypto_token(made);
    struct hash id = hash_of(str_z(made));
    struct param p[] = {hash_param(&id), P_INT(step->user), P_INT(a->write->now + SIGN_IN_STEP),
                        step->issuer.n ? P_TEXT(step->issuer) : P_NULL,
                        step->subject.n ? P_TEXT(step->subject) : P_NULL};
    enum status s = store_run(a->write->conn, QUERY_SIGN_IN_STEP_INSERT, p, 5, NULL, e);
    if (!s)
        memcpy(token, made, CRYPTO_TOKEN);
    return s;
}

enum status sign_in_step_find(struct conn *conn, const struct hash *step, micros now,
                              struct arena *a, struct sign_in_step *out, struct error *e) {
    struct param p[] = {hash_param(step), P_INT(now)};
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_query(conn, QUERY_SIGN_IN_STEP_GET, p, 2, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s && found)
        *out = (struct sign_in_step){
            .user = stmt_int(row, 0),
            .issuer = stmt_null(row, 1) ? STR("") : arena_str(a, stmt_text(row, 1)),
            .subject = stmt_null(row, 2) ? STR("") : arena_str(a, stmt_text(row, 2))};
    store_done(row);
    return s || found ? s
                      : error_set(e, NOT_FOUND, NULL, N_("There is no such thing any more."), NULL);
}

enum status sign_in_step_close(struct action *a, const struct hash *step, int64_t user,
                               struct error *e) {
    struct param p[] = {hash_param(step), P_INT(user)};
    int64_t gone = 0;
    enum status s = store_run(a->write->conn, QUERY_SIGN_IN_STEP_TAKE, p, 2, &gone, e);
    return s || gone ? s
                     : error_set(e, NOT_FOUND, NULL, N_("There is no such thing any more."), NULL);
}

// ---------------------------------------------------------------- who needs one

enum status sign_in_rules_set(struct action *a, const struct doc *values, struct error *e) {
    struct arena *arena = a->write->arena;
    const struct module *m = model_module(a->model, STR("sign_in_rules"));
    struct doc *row = NULL;
    int64_t id = 0;
    enum status s = action_allowed(a, m, VERB_EDIT, e);
    if (s)
        return s;
    s = row_get(a->write->conn, m, SIGN_IN_RULES, arena, &row, NULL);
    if (s == NOT_FOUND) {
        struct doc *all = doc_copy(arena, values);
        if (!doc_get(all, m->title))
            doc_set_str(arena, all, "name", m->label_one);
        return record_create(a, m, all, &id, e);
    }
    if (s)
        return error_set(e, s, NULL, N_("The rules can't be read."), NULL);
    if (!doc_is_null(doc_get(row, STR("deleted_at"))))
        s = record_restore(a, m, SIGN_IN_RULES, e);
    return s ? s : record_change(a, m, SIGN_IN_RULES, 0, values, NULL, NULL, e);
}
