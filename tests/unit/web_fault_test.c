// The whole program over a database whose calls fail, one after another: what is asked for gets an answer that is right
// or a clear 503 or 507, what was answered is there, what was refused is not, and afterwards all goes on by itself.
#include "place_crm.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "actions/user.h"
#include "base/crypto.h"
#include "base/zone.h"
#include "files.h"
#include "formats/json.h"
#include "history/verify.h"
#include "records/crm.h"
#include "web/web.h"

// Under ThreadSanitizer, ten times slower, some of the calls: which one fails matters little to who meets whom. On
// PostgreSQL, where each call is slower, every other one.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define STRIDE 4
#endif
#endif
#ifndef STRIDE
#define STRIDE 1
#endif

struct world {
    char dir[64];
    struct store *fault; // the crm's, which owns it
    struct crm *crm;
    struct web *web;
    int64_t port;
    char key[KEY_TEXT];
    struct arena arena;
};

static struct store *wrapped; // what crm_open() was given

static struct store *wrap(struct store *inner) {
    return wrapped = store_fault(inner);
}

static enum status add_key(struct action *a, void *arg, struct error *e) {
    struct key_wanted wanted = {.name = STR("test"), .scope = KEY_ADMINISTER};
    return user_key_add(a, 1, &wanted, arg, e);
}

static void must(enum status s, const struct error *e) {
    char text[300];
    error_text(e, text, sizeof text);
    if (s != OK)
        fail_msg("%s: %s", status_name(s), text);
}

static int set_up(void **state) {
    struct world *w = calloc(1, sizeof *w);
    struct error e = {0};
    snprintf(w->dir, sizeof w->dir, "/tmp/cronista-test-XXXXXX");
    if (!mkdtemp(w->dir))
        return 1;
    struct crm_options o = {.create = true, .migrate = true, .wrap = wrap};
    must(open_crm(&w->crm, w->dir, o, &e), &e);
    w->fault = wrapped;
    bool made;
    must(user_first(w->crm, STR("a@example.org"), STR("a test's own password"), &made, &e), &e);
    struct viewer admin = {.user = 1, .profile = PROFILE_ADMINISTRATOR};
    struct act act = {.viewer = &admin, .channel = CHANNEL_COMMAND, .operation = -1, .cause = -1};
    must(action_run(w->crm, &act, add_key, w->key, &e), &e);
    struct web_options options = {.listen = "127.0.0.1:0",
                                  .threads = 1,
                                  .workers = 1,
                                  .header_bytes = 16384,
                                  .url_bytes = 8192,
                                  .body_bytes = 1 << 20,
                                  .upload_bytes = 1 << 20,
                                  .connections = 100,
                                  .connections_per_address = 100,
                                  .idle_seconds = 30,
                                  .request_seconds = 30,
                                  .session_idle = 3600,
                                  .session_most = 3600,
                                  .attempts = 100,
                                  .account_attempts = 100,
                                  .streams = 10,
                                  .product = "Cronista",
                                  .language = "en",
                                  .zone = "UTC",
                                  .currency = "EUR",
                                  .region = "ES"};
    must(web_start(&w->web, w->crm, &options, &e), &e);
    assert_true(str_int(str_z(strrchr(web_address(w->web), ':') + 1), &w->port));
    *state = w;
    return 0;
}

static int tear_down(void **state) {
    struct world *w = *state;
    web_stop(w->web);
    crm_close(w->crm);
    arena_release(&w->arena);
    remove_dir(w->dir);
    free(w);
    return 0;
}

// ---------------------------------------------------------------- asking

// The answer's status; its body in *out (may be NULL), which lives in the arena.
static int ask(struct world *w, const char *method, const char *path, const char *body,
               struct str *out) {
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)w->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    struct str request = arena_printf(
        &w->arena,
        "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer %s\r\n"
        "Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: "
        "%zu\r\n\r\n%s",
        method, path, w->key, strlen(body), body);
    assert_int_equal(write(fd, request.p, request.n), (ssize_t)request.n);
    struct buf answer = BUF_INIT(1 << 24);
    char piece[4096];
    for (ssize_t n; (n = read(fd, piece, sizeof piece)) > 0;)
        buf_str(&answer, (struct str){piece, (size_t)n});
    close(fd);
    struct str text = arena_str(&w->arena, buf_view(&answer));
    buf_release(&answer);
    assert_true(str_starts(text, STR("HTTP/1.1 ")));
    ptrdiff_t end = str_find(text, STR("\r\n\r\n"));
    assert_true(end > 0);
    if (out)
        *out = (struct str){text.p + end + 4, text.n - (size_t)end - 4};
    int64_t status = 0;
    assert_true(str_int((struct str){text.p + 9, 3}, &status));
    return (int)status;
}

// ---------------------------------------------------------------- the story

struct told {
    bool saved[4000]; // whether the contact of this number was answered 201
    int n;
    bool gone;     // contact 2 is deleted
    bool troubled; // something was refused
};

static int expect(struct world *w, struct told *t, const char *method, const char *path,
                  const char *body, int good) {
    struct str text;
    int status = ask(w, method, path, body, &text);
    if (status == 503 || status == 507) {
        t->troubled = true;
        // A problem document says so in words.
        assert_true(str_find(text, STR("\"title\"")) >= 0);
    } else if (status != good) {
        fail_msg("%s %s %s: %d %.*s", method, path, body, status, STR_FMT(text));
    }
    return status;
}

static void story(struct world *w, struct told *t) {
    char body[200], path[200];
    int number = t->n++;
    assert_true(number < (int)(sizeof t->saved / sizeof *t->saved));
    snprintf(body, sizeof body, "{\"name\":\"Fault %04d\",\"city\":\"Here\",\"company\":1}",
             number);
    t->saved[number] = expect(w, t, "POST", "/api/contacts", body, 201) == 201;
    snprintf(body, sizeof body, "{\"city\":\"City %d\"}", number);
    expect(w, t, "PATCH", "/api/contacts/1", body, 200);
    expect(w, t, "GET", "/api/contacts/1?history=20", "", 200);
    snprintf(path, sizeof path, "/api/contacts?filter[name][contains]=fault&sort=-name&count=1");
    expect(w, t, "GET", path, "", 200);
    expect(w, t, "GET", "/api/search?q=fault", "", 200);
    expect(w, t, "GET", "/api/history?limit=3", "", 200);
    expect(w, t, "POST", "/api/contacts/1/comments", "{\"text\":\"Well?\"}", 201);
    int deleted = expect(w, t, "DELETE", "/api/contacts/2", "", t->gone ? 404 : 204);
    t->gone = t->gone || deleted == 204;
    if (expect(w, t, "POST", "/api/contacts/2/restore", "", 200) == 200)
        t->gone = false;
    expect(w, t, "GET", "/api/log/checkpoint", "", 200);
    arena_reset(&w->arena);
}

static void check_what_was_said(struct world *w, const struct told *t) {
    struct error e = {0};
    for (int i = 0; i < t->n; i++) {
        char path[200];
        snprintf(path, sizeof path, "/api/contacts?filter[name]=Fault%%20%04d&count=1", i);
        struct str text;
        assert_int_equal(ask(w, "GET", path, "", &text), 200);
        struct doc *d;
        must(json_parse(&w->arena, text, NULL, &d, &e), &e);
        assert_int_equal(doc_get_int(d, "count", -1), t->saved[i]);
        arena_reset(&w->arena);
    }
}

static void check_the_log(struct world *w) {
    struct error e = {0};
    struct conn *conn;
    struct verify_report report = {0};
    must(store_connect(crm_store(w->crm), STORE_READ, &conn, &e), &e);
    must(history_verify(conn, &(struct verify_options){0}, &report, &e), &e);
    conn_close(conn);
    int64_t different = -1;
    must(records_rebuild(w->crm, true, NULL, NULL, &different, &e), &e);
    assert_int_equal(different, 0);
}

static void test_every_call_of_the_database_may_fail(void **state) {
    struct world *w = *state;
    struct told t = {0};
    int64_t slower = on_postgres() ? 2 : 1;
    static const enum status with[] = {UNAVAILABLE, FULL, CONFLICT};
    expect(w, &t, "POST", "/api/companies", "{\"name\":\"Acme\"}", 201);
    expect(w, &t, "POST", "/api/contacts", "{\"name\":\"One\"}", 201);
    expect(w, &t, "POST", "/api/contacts", "{\"name\":\"Two\"}", 201);
    for (size_t i = 0; i < sizeof with / sizeof *with; i++)
        for (int sticky = 0; sticky < 2; sticky++)
            for (int64_t call = 1;; call += (sticky ? 11 : i ? 3 : 1) * STRIDE * slower) {
                store_fault_set(w->fault, call, sticky, with[i]);
                story(w, &t);
                int64_t calls = store_fault_calls(w->fault);
                store_fault_set(w->fault, 0, false, OK);
                if (sticky) { // all goes well again
                    t.troubled = false;
                    story(w, &t);
                    assert_false(t.troubled);
                }
                if (calls < call) {
                    assert_true(call > 50);
                    break;
                }
            }
    check_what_was_said(w, &t);
    check_the_log(w);
}

int main(void) {
    crypto_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_call_of_the_database_may_fail, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
