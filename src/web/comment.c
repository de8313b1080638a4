// Comments on a record: said with files and mentions, deleted, their files given out; who can be mentioned.
#include "actions/comment.h"
#include <unistd.h>
#include "base/utf8.h"
#include "formats/json.h"
#include "records/files.h"
#include "records/people.h"
#include "web/card.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/present_card.h"
#include "web/respond.h"
#include "web/routes.h"
#include "web/transfer.h"

#define PEOPLE_SHOWN 8

// ---------------------------------------------------------------- what was sent

struct commenting {
    struct comment what;
    struct doc *files;    // of both ways: kept now, and by an earlier try
    struct error trouble; // why one of the files was not kept
};

static struct doc *sent_people(struct request *r) {
    struct doc *list = doc_array(r->arena);
    int64_t id;
    for (size_t i = 0; i < r->form.n; i++)
        if (str_is(r->form.p[i].name, "mentions") && str_int(r->form.p[i].value, &id))
            doc_add(list, doc_int(r->arena, id));
    return list;
}

// Files that were kept when the form was sent before and refused.
static struct doc *sent_files(struct request *r) {
    struct doc *list = doc_array(r->arena), *file;
    for (size_t i = 0; i < r->form.n; i++)
        if (str_is(r->form.p[i].name, "files.kept") &&
            json_parse(r->arena, r->form.p[i].value, NULL, &file, NULL) == OK &&
            file->type == DOC_OBJECT)
            doc_add(list, file); // the action looks at what is really there
    return list;
}

static struct commenting *take(struct request *r) {
    struct commenting *c = arena_new(r->arena, struct commenting);
    c->what.text = input_text(r, "text");
    c->what.mentions = r->body ? doc_get(r->body, STR("mentions")) : sent_people(r);
    c->files = r->body ? doc_get(r->body, STR("files")) : sent_files(r);
    c->what.files = c->files;
    return c;
}

static bool is_attachment(const struct http_upload *u) {
    return u->name.n && str_is(u->field, "files");
}

static void keep_job(struct request *r, struct place *place) {
    (void)place;
    struct commenting *c = r->arg;
    for (struct http_upload *u = r->http->upload; u && !c->trouble.status; u = u->next) {
        struct doc *value;
        struct str name = utf8_valid(u->name) ? u->name : STR("file");
        if (is_attachment(u) && c->files->count < COMMENT_FILES_MAX &&
            file_keep(r->web->crm, u->path, name, r->arena, &value, &c->trouble) == OK)
            doc_add(c->files, value);
    }
}

// ---------------------------------------------------------------- saying it

static enum status write_comment(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const struct commenting *c = r->arg;
    return record_say(a, model_module(a->model, r->module->key), r->id, &c->what, &r->result, e);
}

// The card again, with what was written and why it was refused.
static void show_again(struct request *r, const struct commenting *c) {
    struct doc *record;
    struct error why = r->error;
    r->error = (struct error){0};
    if (card_read(r, &record, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    struct card_state *state = r->state;
    state->comment = c->what.text;
    state->comment_files = c->files;
    state->comment_problem = error_translated(r->arena, r->language, &why);
    bool part = r->part.n && route_has_part(r->route, r->part);
    respond_page(r, 422, part ? arena_dup(r->arena, r->part) : "card", present_card(r, record),
                 record);
}

static void commented(struct request *r) {
    const struct commenting *c = r->arg;
    if (r->outcome && !r->api && r->error.status == INVALID) {
        show_again(r, c);
        return;
    }
    if (r->outcome) {
        respond_error(r, &r->error);
        return;
    }
    if (!r->api && r->part.n && route_has_part(r->route, r->part)) {
        card_respond(r, 200);
        return;
    }
    struct doc *d = doc_object(r->arena);
    doc_set_int(r->arena, d, "position", r->result);
    respond_done(
        r, 201, d,
        rprintf(r, "%.*s#e%lld", STR_FMT(href_of(r, r->module->key, r->id)), (long long)r->result),
        NULL);
}

static void kept(struct request *r) {
    struct commenting *c = r->arg;
    if (c->trouble.status && !r->error.status)
        r->error = c->trouble;
    if (!r->error.status) {
        request_write(r, write_comment, c, commented);
        return;
    }
    r->outcome = r->error.status;
    commented(r);
}

void handle_comment(struct request *r) {
    struct commenting *c = take(r);
    bool any = false;
    for (const struct http_upload *u = r->http->upload; u; u = u->next)
        any = any || is_attachment(u);
    if (any)
        request_work(r, keep_job, c, kept);
    else
        request_write(r, write_comment, c, commented);
}

// ---------------------------------------------------------------- deleting it

static bool position_of_path(struct request *r, int64_t *position) {
    return str_int(r->params[2], position);
}

static enum status write_deletion(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const int64_t *position = r->arg;
    return record_comment_delete(a, model_module(a->model, r->module->key), r->id, *position,
                                 &r->result, e);
}

static void comment_deleted(struct request *r) {
    if (r->outcome) {
        respond_error(r, &r->error);
        return;
    }
    if (!r->api && r->part.n && route_has_part(r->route, r->part)) {
        card_respond(r, 200);
        return;
    }
    respond_done(
        r, 204, NULL,
        rprintf(r, "%.*s#e%lld", STR_FMT(href_of(r, r->module->key, r->id)), (long long)r->result),
        "comment-deleted");
}

void handle_comment_delete(struct request *r) {
    int64_t *position = arena_new(r->arena, int64_t);
    position_of_path(r, position);
    request_write(r, write_deletion, position, comment_deleted);
}

// ---------------------------------------------------------------- its files

static const struct doc *file_of(const struct event *ev, const struct request *r) {
    int64_t number;
    if (ev->kind != KIND_COMMENTED || !str_eq(ev->module, r->module->key) || ev->record != r->id ||
        !str_int(r->params[3], &number) || number < 1)
        return NULL;
    for (size_t i = 0; i < ev->n_items; i++) {
        if (!str_is(ev->items[i].field, "~files"))
            continue;
        doc_each(file, ev->items[i].new)
            if (--number == 0)
                return file;
    }
    return NULL;
}

void handle_comment_file(struct request *r) {
    struct doc *record;
    struct event ev = {0};
    int64_t position = -1;
    position_of_path(r, &position);
    enum status s = record_get(&r->reader, r->module, r->id, &record, &r->error);
    if (!s)
        s = history_get(r->place->conn, position, r->arena, &ev, &r->error);
    const struct doc *file = s ? NULL : file_of(&ev, r);
    if (!s && !file)
        s = error_set(&r->error, NOT_FOUND, NULL, N_("There is no such file."), NULL);
    if (s)
        respond_error(r, &r->error);
    else
        respond_stored(r, file);
}

// ---------------------------------------------------------------- who can be mentioned

void handle_comment_people(struct request *r) {
    struct doc *record, *found;
    enum status s = record_get(&r->reader, r->module, r->id, &record, &r->error);
    if (!s)
        s = people_who_see(&r->reader, r->module, r->id, str_trim(query_text(r, "q")), PEOPLE_SHOWN,
                           &found, &r->error);
    if (s)
        respond_error(r, &r->error);
    else
        respond(r, 200, found);
}

struct doc *present_comment_people(struct request *r, struct doc *found) {
    struct arena *a = r->arena;
    struct doc *view = doc_object(a), *items = doc_set_array(a, view, "items");
    doc_each(person, doc_get(found, STR("items"))) {
        struct doc *d = doc_add(items, doc_object(a));
        int64_t id = doc_get_int(person, "id", 0);
        doc_set_int(a, d, "id", id);
        doc_set_str(a, d, "text", doc_get_text(person, "name"));
        doc_set_str(a, d, "note", STR(""));
        doc_set_str(a, d, "href", href_of(r, STR("users"), id));
    }
    doc_set_str(a, view, "q", query_text(r, "q"));
    doc_set(view, STR("new"), doc_null(a));
    doc_set_str(a, view, "empty_text", T(r->language, "Nobody of that name may see this."));
    return view;
}
