// Comments on a record: said with files and mentions, deleted; who can be mentioned.
#include "actions/comment.h"
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

static struct doc *sent_people(struct request *r) {
    struct doc *list = doc_array(r->arena);
    int64_t id;
    for (size_t i = 0; i < r->form.n; i++)
        if (str_is(r->form.p[i].name, "mentions") && str_int(r->form.p[i].value, &id))
            doc_add(list, doc_int(r->arena, id));
    return list;
}

// ---------------------------------------------------------------- saying it

static enum status write_comment(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const struct comment *c = r->arg;
    return record_say(a, model_module(a->model, r->module->key), r->id, c, &r->result, e);
}

// The card again, with what was written and why it was refused.
static void show_again(struct request *r, const struct comment *c) {
    struct doc *record;
    struct error why = r->error;
    r->error = (struct error){0};
    if (card_read(r, &record, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    struct card_state *state = r->state;
    state->comment = c->text;
    state->comment_files = c->files;
    state->comment_problem = error_translated(r->arena, r->language, &why);
    bool part = r->part.n && route_has_part(r->route, r->part);
    respond_page(r, 422, part ? arena_dup(r->arena, r->part) : "card", present_card(r, record),
                 record);
}

static void commented(struct request *r) {
    const struct comment *c = r->arg;
    if (r->outcome && !r->api && r->error.status == INVALID) {
        show_again(r, c);
        return;
    }
    if (r->outcome) {
        respond_error(r, &r->error);
        return;
    }
    card_respond_event(r);
}

void handle_comment(struct request *r) {
    if (files_kept_first(r, handle_comment, NULL))
        return;
    struct comment *c = arena_new(r->arena, struct comment);
    c->text = input_text(r, "text");
    c->mentions = r->body ? doc_get(r->body, STR("mentions")) : sent_people(r);
    c->files = files_attached(r);
    r->arg = c;
    if (!r->file_problems) {
        request_write(r, write_comment, c, commented);
        return;
    }
    r->error = *r->file_problems;
    r->outcome = r->error.status;
    commented(r);
}

// ---------------------------------------------------------------- deleting it

struct unsaying {
    int64_t position;
    struct comment_unused unused;
};

static enum status write_deletion(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct unsaying *u = r->arg;
    return record_comment_delete(a, model_module(a->model, r->module->key), r->id, u->position,
                                 &u->unused, &r->result, e);
}

static void sweep_job(struct request *r, struct place *place) {
    (void)place;
    const struct unsaying *u = r->arg;
    for (size_t i = 0; i < u->unused.n; i++)
        file_sweep(r->web->crm, str_z(u->unused.digests[i]));
}

static void swept(struct request *r) {
    if (!r->api && r->part.n && route_has_part(r->route, r->part)) {
        card_respond(r, 200);
        return;
    }
    respond_done(
        r, 204, NULL,
        rprintf(r, "%.*s#e%lld", STR_FMT(href_of(r, r->module->key, r->id)), (long long)r->result),
        "comment-deleted");
}

static void comment_deleted(struct request *r) {
    struct unsaying *u = r->arg;
    if (r->outcome)
        respond_error(r, &r->error);
    else if (u->unused.n)
        request_work(r, sweep_job, u, swept);
    else
        swept(r);
}

void handle_comment_delete(struct request *r) {
    struct unsaying *u = arena_new(r->arena, struct unsaying);
    if (str_int(r->params[2], &u->position)) {
        request_write(r, write_deletion, u, comment_deleted);
        return;
    }
    error_set(&r->error, NOT_FOUND, NULL, N_("There is no such comment."), NULL);
    respond_error(r, &r->error);
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
