// Decoding of what came in, and waiting for the writer or a worker.
#include "web/once.h"
#include "web/request.h"
#include "base/utf8.h"
#include "records/rows.h"
#include "web/respond.h"

#define PAIRS_MAX 1000

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool percent_decode(struct arena *a, struct str in, bool plus, struct str *out) {
    char *p = arena_bytes(a, in.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (c == '%') {
            int high = i + 2 < in.n ? hex_digit(in.p[i + 1]) : -1;
            int low = i + 2 < in.n ? hex_digit(in.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        if (c == 0)
            return false;
        p[n++] = c;
    }
    p[n] = 0;
    *out = (struct str){p, n};
    return utf8_valid(*out);
}

void percent_encode(struct buf *b, struct str s) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            strchr("-_.~", c)) {
            buf_char(b, (char)c);
        } else {
            buf_char(b, '%');
            buf_char(b, digits[c >> 4]);
            buf_char(b, digits[c & 15]);
        }
    }
}

bool pairs_parse(struct arena *a, struct str text, struct pairs *out) {
    size_t n = 0;
    for (struct str rest = text; rest.n;)
        n += str_cut(&rest, '&').n > 0;
    if (n > PAIRS_MAX)
        return false;
    struct pairs found = {.p = arena_array(a, struct pair, n + 1)};
    for (struct str rest = text; rest.n;) {
        struct str value = str_cut(&rest, '&');
        if (!value.n)
            continue;
        struct str name = str_cut(&value, '=');
        struct pair *pair = &found.p[found.n++];
        if (!percent_decode(a, name, true, &pair->name) ||
            !percent_decode(a, value, true, &pair->value))
            return false;
    }
    *out = found;
    return true;
}

struct str pairs_get(const struct pairs *pairs, const char *name) {
    for (size_t i = 0; i < pairs->n; i++)
        if (str_is(pairs->p[i].name, name))
            return pairs->p[i].value;
    return STR("");
}

bool pairs_has(const struct pairs *pairs, const char *name) {
    for (size_t i = 0; i < pairs->n; i++)
        if (str_is(pairs->p[i].name, name))
            return true;
    return false;
}

bool request_knows_access(const struct request *r) {
    return !viewer_narrowed(&r->viewer);
}

struct str query_text(struct request *r, const char *name) {
    return pairs_get(&r->query, name);
}

bool says_yes(struct str text) {
    return str_is(text, "1") || str_is(text, "true") || str_is(text, "yes");
}

struct str input_text(struct request *r, const char *name) {
    return r->body ? doc_text(doc_get(r->body, str_z(name))) : pairs_get(&r->form, name);
}

bool input_has(struct request *r, const char *name) {
    return r->body ? doc_get(r->body, str_z(name)) != NULL : pairs_has(&r->form, name);
}

enum status query_number(struct request *r, const char *name, int64_t least, int64_t most,
                         int64_t *out, struct error *e) {
    struct str text = query_text(r, name);
    if (text.n && (!str_int(text, out) || *out < least || *out > most))
        return error_set(e, INVALID, name, N_("This number is not possible here."), NULL);
    return OK;
}

enum status input_int(struct request *r, const char *name, int64_t otherwise, int64_t *out,
                      struct error *e) {
    int64_t value = otherwise;
    const struct doc *member = r->body ? doc_get(r->body, str_z(name)) : NULL;
    struct str text = input_text(r, name);
    bool fine = true;
    if (member && member->type == DOC_INT)
        value = member->integer;
    else if (text.n)
        fine = str_int(text, &value);
    else if (member && !doc_is_null(member))
        fine = false;
    if (!fine)
        return error_set(e, INVALID, name, N_("This is not a whole number."), NULL);
    *out = value;
    return OK;
}

// ---------------------------------------------------------------- waiting

struct act request_act(struct request *r) {
    return (struct act){.viewer = &r->viewer,
                        .channel = r->api ? CHANNEL_API : CHANNEL_PAGE,
                        .operation = -1,
                        .cause = -1};
}

static enum status run_action(struct write *w, void *arg, struct error *e) {
    struct request *r = arg;
    r->act = request_act(r); // afresh: a piece of writing may run again
    struct action action;
    enum status s = action_begin(&action, w, r->web->crm, &r->act, e);
    if (!s)
        s = once_look(r, w, e);
    if (!s && !r->replayed)
        s = r->act_fn(&action, r, e);
    if (!s && !r->replayed)
        s = once_keep(r, w, e);
    r->wrote = w->next - 1; // also when nothing had to be changed, for somebody else had
    // The writer's arena goes before the answer is made.
    for (struct error **at = &e->next; s && *at; at = &(*at)->next) {
        struct error *kept = arena_new(r->arena, struct error);
        *kept = **at;
        *at = kept;
    }
    return s;
}

// Most actions on a record begin with reading it.
static void action_ahead(struct conn *conn, void *arg) {
    const struct request *r = arg;
    if (r->module && r->id > 0)
        row_ahead(conn, r->module, r->id);
}

static void write_done(struct write_task *task) {
    struct request *r = task->arg;
    r->outcome = task->status;
    r->committed = task->status == OK;
    if (r->committed)
        r->position = r->wrote;
    r->error = task->error;
    http_wake(r->http);
}

void request_write(struct request *r,
                   enum status (*fn)(struct action *, void *request, struct error *), void *arg,
                   void (*then)(struct request *)) {
    r->act_fn = fn;
    r->arg = arg;
    r->then = then;
    if (once_read(r, &r->error)) {
        r->outcome = r->error.status;
        then(r);
        return;
    }
    r->task =
        (struct write_task){.run = run_action, .arg = r, .ahead = action_ahead, .done = write_done};
    http_wait(r->http);
    writer_submit(crm_writer(r->web->crm), &r->task);
}

static void work_run(void *arg, void *thread) {
    struct request *r = arg;
    r->job(r, thread);
    http_wake(r->http);
}

static void work_on(struct workers *workers, struct request *r,
                    void (*job)(struct request *, struct place *), void *arg,
                    void (*then)(struct request *)) {
    r->job = job;
    r->arg = arg;
    r->then = then;
    r->work = (struct work){.run = work_run, .arg = r};
    http_wait(r->http);
    if (!workers_submit(workers, &r->work)) {
        r->then = NULL;
        error_set(&r->error, UNAVAILABLE, "",
                  N_("The server has too much to do. Please try again in a moment."), NULL);
        http_wake(r->http);
    }
}

void request_work(struct request *r, void (*job)(struct request *, struct place *), void *arg,
                  void (*then)(struct request *)) {
    work_on(r->web->workers, r, job, arg, then);
}

void request_ask(struct request *r, void (*job)(struct request *, struct place *), void *arg,
                 void (*then)(struct request *)) {
    work_on(r->web->askers, r, job, arg, then);
}
