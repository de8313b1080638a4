// Files of records: kept with a form or by themselves. Given out again: documents.c.
#include "records/files.h"
#include <stdlib.h>
#include <unistd.h>
#include "base/utf8.h"
#include "formats/json.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/routes.h"
#include "web/transfer.h"

static struct str sent_name(struct str name) {
    return name.n && utf8_valid(name) ? name : STR("file");
}

// ---------------------------------------------------------------- a file by itself

struct keeping {
    struct doc *value;
    enum status status;
    struct error error;
    void (*then)(struct request *);
    void *arg;
};

static void keep_job(struct request *r, struct place *place) {
    (void)place;
    struct keeping *k = r->arg;
    struct http_upload *u = r->http->upload;
    struct str name = query_text(r, "name");
    if (!name.n)
        name = u->name.n ? u->name : http_header(r->http, "Cronista-File-Name");
    k->status = file_keep(r->web->crm, u->path, r->viewer.user, sent_name(name), STR(""), r->arena,
                          &k->value, &k->error);
}

static void kept(struct request *r) {
    struct keeping *k = r->arg;
    if (k->status || r->error.status)
        respond_error(r, k->status ? &k->error : &r->error);
    else
        respond_json(r, 201, k->value);
}

void handle_file_keep(struct request *r) {
    if (!r->http->upload || r->http->upload->size == 0) {
        error_set(&r->error, INVALID, "file", N_("Send the file as the body."), NULL);
        respond_error(r, &r->error);
        return;
    }
    request_work(r, keep_job, arena_new(r->arena, struct keeping), kept);
}

// ---------------------------------------------------------------- files of a form

static const struct field *file_field(struct request *r, struct str key) {
    const struct field *f = module_field(r->module, key);
    return f && f->type == TYPE_FILE && may_field(&r->viewer, r->module, f, true) ? f : NULL;
}

// Of a comment; everything else has fields.
static bool is_attached(struct request *r, struct str key) {
    return r->route->handle == handle_comment && str_is(key, "files");
}

static bool is_wanted(struct request *r, const struct http_upload *u) {
    return u->name.n && (is_attached(r, u->field) || file_field(r, u->field));
}

// As if the form had named the file: so it comes along when the form is shown again.
static void send_along(struct request *r, struct str key, const struct doc *value) {
    struct pairs all = {.p = arena_array(r->arena, struct pair, r->form.n + 1)};
    struct str name = rprintf(r, "%.*s.kept", STR_FMT(key));
    struct buf b = BUF_INIT(16384);
    json_write(&b, value);
    for (size_t i = 0; i < r->form.n; i++)
        if (is_attached(r, key) || !str_eq(r->form.p[i].name, name))
            all.p[all.n++] = r->form.p[i];
    all.p[all.n++] = (struct pair){name, arena_str(r->arena, buf_view(&b))};
    buf_release(&b);
    r->form = all;
}

static void files_job(struct request *r, struct place *place) {
    (void)place;
    struct error **last = &r->file_problems;
    for (struct http_upload *u = r->http->upload; u; u = u->next) {
        struct error e = {0};
        struct doc *value;
        if (!is_wanted(r, u))
            continue;
        if (file_keep(r->web->crm, u->path, r->viewer.user, sent_name(u->name), STR(""), r->arena,
                      &value, &e) == OK) {
            send_along(r, u->field, value);
            continue;
        }
        struct error *one = *last = arena_new(r->arena, struct error);
        *one = e;
        error_set(one, e.status, arena_dup(r->arena, u->field), e.msgid, NULL);
        memcpy(one->args, e.args, sizeof one->args);
        last = &one->next;
    }
}

static void files_done(struct request *r) {
    struct keeping *k = r->arg;
    struct error *p = r->file_problems;
    r->arg = k->arg;
    if (p && p->status != INVALID)
        r->error = *p;
    if (r->error.status)
        respond_error(r, &r->error);
    else
        k->then(r);
}

bool files_kept_first(struct request *r, void (*then)(struct request *), void *arg) {
    bool any = false;
    for (struct http_upload *u = r->http->upload; u; u = u->next)
        any = any || is_wanted(r, u);
    if (!any || r->files_kept)
        return false;
    struct keeping *k = arena_new(r->arena, struct keeping);
    k->then = then;
    k->arg = arg;
    r->files_kept = true;
    request_work(r, files_job, k, files_done);
    return true;
}

struct doc *files_form_value(struct request *r, const struct field *f) {
    struct doc *parsed;
    struct str remove =
        pairs_get(&r->form, arena_dup(r->arena, rprintf(r, "%.*s.remove", STR_FMT(f->key))));
    struct str before =
        pairs_get(&r->form, arena_dup(r->arena, rprintf(r, "%.*s.kept", STR_FMT(f->key))));
    if (str_is(remove, "1"))
        return doc_null(r->arena);
    if (before.n && json_parse(r->arena, before, NULL, &parsed, NULL) == OK &&
        parsed->type == DOC_OBJECT)
        return parsed; // the action looks at what is really there
    return NULL;
}

struct doc *files_attached(struct request *r) {
    struct doc *list = r->body ? doc_get(r->body, STR("files")) : doc_array(r->arena), *parsed;
    for (size_t i = 0; i < r->form.n; i++)
        if (str_is(r->form.p[i].name, "files.kept") &&
            json_parse(r->arena, r->form.p[i].value, NULL, &parsed, NULL) == OK)
            doc_add(list, parsed);
    return doc_is_null(list) ? NULL : list;
}

bool files_in_form(struct request *r, const struct module *m) {
    for (size_t i = 0; i < m->n_fields; i++)
        if (m->fields[i].type == TYPE_FILE && !m->fields[i].hidden &&
            may_field(&r->viewer, m, &m->fields[i], true))
            return true;
    return false;
}
