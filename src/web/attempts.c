// With PostgreSQL a bucket is one number: when it will be full again. A token is there as long as that lies less than all
// but one of them ahead, and taking one moves it on by what one needs to come back (the "generic cell rate algorithm" of
// ATM). No row is a full bucket. The time is the database's: clocks of nodes may differ.
#include "web/attempts.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/log.h"
#include "web/bucket.h"

#define KEYS 8192
#define REST (5 * SECOND) // before a database that did not answer is asked again

#define NOW "CAST(extract(epoch FROM clock_timestamp())*1000000 AS bigint)"

// $2: for one token to come back; $3: for all. excluded.full_at-$2 is the present time.
#define TAKE                                                                                       \
    "INSERT INTO attempts AS a(key,full_at) VALUES($1," NOW "+CAST($2 AS bigint))"                 \
    " ON CONFLICT(key) DO UPDATE SET full_at=greatest(a.full_at+$2,excluded.full_at)"              \
    " WHERE greatest(a.full_at+$2,excluded.full_at)<=excluded.full_at-$2+CAST($3 AS bigint)"
#define WAIT                                                                                       \
    "SELECT full_at+CAST($2 AS bigint)-CAST($3 AS bigint)-" NOW " FROM attempts WHERE key=$1"
#define RETURN "UPDATE attempts SET full_at=full_at-CAST($2 AS bigint) WHERE key=$1"
#define SWEEP "DELETE FROM attempts WHERE full_at<=" NOW

// One of the two ways of counting.
struct count {
    struct buckets *own;
    micros refill, all;
    uint8_t kind; // the hash's: an address is no account
};

enum { BY_ADDRESS, BY_ADDRESS_LONG, BY_ACCOUNT, BY_ACCOUNT_LONG, COUNTS };

struct attempts {
    struct count counts[COUNTS];
    struct store *store; // NULL: no other nodes
    struct hash secret;
    pthread_mutex_t lock; // of what follows
    struct conn *conn;
    micros rests_until; // monotonic
};

static struct count count_new(int64_t burst, micros refill, uint8_t kind) {
    return (struct count){.own = buckets_new((double)burst, refill, KEYS),
                          .refill = refill,
                          .all = burst * refill,
                          .kind = kind};
}

struct attempts *attempts_new(struct store *store, const struct log_key *key, int64_t by_address,
                              int64_t by_account) {
    struct attempts *a = must_alloc(sizeof *a);
    *a = (struct attempts){.store = store && store_kind(store) == STORE_POSTGRES ? store : NULL};
    a->counts[BY_ADDRESS] = count_new(by_address, 10 * SECOND, 1);
    a->counts[BY_ADDRESS_LONG] = count_new(5 * by_address, 5 * MINUTE, 3);
    a->counts[BY_ACCOUNT] = count_new(by_account, MINUTE, 2);
    a->counts[BY_ACCOUNT_LONG] = count_new(3 * by_account, 30 * MINUTE, 4);
    struct hashing h;
    hash_begin(&h);
    hash_more(&h, "attempts\n", 9);
    hash_more(&h, key->seed.b, sizeof key->seed.b);
    a->secret = hash_end(&h);
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

void attempts_free(struct attempts *a) {
    if (!a)
        return;
    conn_close(a->conn);
    pthread_mutex_destroy(&a->lock);
    for (int i = 0; i < COUNTS; i++)
        buckets_free(a->counts[i].own);
    free(a);
}

// ---------------------------------------------------------------- in the database

// The connection, held; NULL, not held, while the database rests or is away.
static struct conn *conn_take(struct attempts *a) {
    pthread_mutex_lock(&a->lock);
    if (clock_monotonic() >= a->rests_until &&
        (a->conn || store_connect(a->store, STORE_WRITE, &a->conn, NULL) == OK))
        return a->conn;
    if (clock_monotonic() >= a->rests_until)
        a->rests_until = clock_monotonic() + REST;
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

static void conn_give(struct attempts *a, enum status s, const struct error *e) {
    if (s != OK) {
        char text[300];
        error_text(e, text, sizeof text);
        log_warning("attempts are counted by this node alone: %s", text);
        a->rests_until = clock_monotonic() + REST;
    }
    pthread_mutex_unlock(&a->lock);
}

static struct hash hash_for(const struct attempts *a, const struct count *c, struct str key) {
    struct hash h = hash_mac(a->secret, key);
    struct hashing more;
    hash_begin(&more);
    hash_more(&more, &c->kind, 1);
    hash_more(&more, h.b, sizeof h.b);
    return hash_end(&more);
}

static enum status take(struct conn *conn, const struct count *c, const struct hash *key,
                        micros *wait, struct error *e) {
    struct param p[] = {P_BLOB(((struct str){(const char *)key->b, sizeof key->b})),
                        P_INT(c->refill), P_INT(c->all)};
    struct stmt *row = NULL;
    int64_t taken = 0;
    bool found = false;
    enum status s = store_run_sql(conn, STR(TAKE), p, 3, &taken, e);
    if (s || taken)
        return s;
    s = store_sql(conn, STR(WAIT), p, 3, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s)
        *wait = found && stmt_int(row, 0) > 0 ? stmt_int(row, 0) : 1;
    store_done(row);
    return s;
}

// ---------------------------------------------------------------- both

static micros take_own(const struct count *c, struct str key, micros now) {
    return key.n ? buckets_take(c->own, key, now) : 0;
}

static micros take_all(struct attempts *a, const struct count *c, struct str key, micros now) {
    struct error e = {0};
    micros wait = 0;
    struct conn *conn = key.n ? conn_take(a) : NULL;
    if (!conn)
        return 0;
    struct hash hashed = hash_for(a, c, key);
    enum status s = take(conn, c, &hashed, &wait, &e);
    conn_give(a, s, &e);
    if (wait)
        buckets_wait(c->own, key, wait, now);
    return wait;
}

static void give_back(struct attempts *a, const struct count *c, struct str key, micros now) {
    struct error e = {0};
    if (!key.n)
        return;
    buckets_return(c->own, key, now);
    struct conn *conn = a->store ? conn_take(a) : NULL;
    if (!conn)
        return;
    struct hash hashed = hash_for(a, c, key);
    struct param p[] = {P_BLOB(((struct str){(const char *)hashed.b, sizeof hashed.b})),
                        P_INT(c->refill)};
    conn_give(a, store_run_sql(conn, STR(RETURN), p, 2, NULL, &e), &e);
}

static struct str key_of(const struct attempt *who, int count) {
    return count == BY_ACCOUNT || count == BY_ACCOUNT_LONG ? who->account : who->address;
}

micros attempts_count(struct attempts *a, const struct attempt *who, micros now) {
    micros wait = 0;
    for (int i = 0; i < COUNTS && !wait; i++)
        wait = take_own(&a->counts[i], key_of(who, i), now);
    return wait;
}

micros attempts_count_all(struct attempts *a, const struct attempt *who, micros now) {
    micros wait = 0;
    if (!a->store)
        return 0;
    for (int i = 0; i < COUNTS && !wait; i++) {
        wait = take_all(a, &a->counts[i], key_of(who, i), now);
        for (int j = i + 1; j < COUNTS && wait; j++) // was no attempt at these
            if (key_of(who, j).n)
                buckets_return(a->counts[j].own, key_of(who, j), now);
    }
    return wait;
}

void attempts_return(struct attempts *a, const struct attempt *who, micros now) {
    for (int i = 0; i < COUNTS; i++)
        give_back(a, &a->counts[i], key_of(who, i), now);
}

// ---------------------------------------------------------------- devices

static void mac_of(const struct attempts *a, struct str kind, struct str what, struct str account,
                   char hex[HASH_HEX]) {
    const struct str parts[] = {kind, what, STR("\n"), account};
    struct hash message = hash_of_parts(parts, 4);
    hash_hex(hash_mac(a->secret, (struct str){(const char *)message.b, sizeof message.b}), hex);
}

// Of the times only what tells whether they are still the same.
static void since_mac(const struct attempts *a, struct str account, struct str since,
                      char hex[DEVICE_SINCE]) {
    char mac[HASH_HEX];
    mac_of(a, STR("since\n"), since, account, mac);
    memcpy(hex, mac, DEVICE_SINCE - 1);
    hex[DEVICE_SINCE - 1] = 0;
}

#define SIGNED (CRYPTO_TOKEN + DEVICE_SINCE - 1) // "NONCE.SINCE"

void attempts_device(const struct attempts *a, struct str account, struct str since,
                     char out[DEVICE_TEXT]) {
    char nonce[CRYPTO_TOKEN], when[DEVICE_SINCE], text[SIGNED + 1], mac[HASH_HEX];
    crypto_token(nonce);
    since_mac(a, account, since, when);
    snprintf(text, sizeof text, "%s.%s", nonce, when);
    mac_of(a, STR("device\n"), str_z(text), account, mac);
    snprintf(out, DEVICE_TEXT, "%s.%s", text, mac);
}

bool attempts_device_ours(const struct attempts *a, struct str account, struct str device) {
    char mac[HASH_HEX];
    if (device.n != DEVICE_TEXT - 1 || device.p[CRYPTO_TOKEN - 1] != '.' || device.p[SIGNED] != '.')
        return false;
    mac_of(a, STR("device\n"), (struct str){device.p, SIGNED}, account, mac);
    return bytes_eq(mac, device.p + SIGNED + 1, HASH_HEX - 1);
}

bool attempts_device_good(const struct attempts *a, struct str account, struct str since,
                          struct str device) {
    char when[DEVICE_SINCE];
    if (!attempts_device_ours(a, account, device))
        return false;
    since_mac(a, account, since, when);
    return bytes_eq(when, device.p + CRYPTO_TOKEN, DEVICE_SINCE - 1);
}

void attempts_sweep(struct attempts *a) {
    struct error e = {0};
    struct conn *conn = a->store ? conn_take(a) : NULL;
    if (conn)
        conn_give(a, store_run_sql(conn, STR(SWEEP), NULL, 0, NULL, &e), &e);
}
