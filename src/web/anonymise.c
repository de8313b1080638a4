// Anonymising a person's record: what there is, doing it, and the certificate of it.
#include "actions/anonymise.h"
#include "records/files.h"
#include "records/traces.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/text.h"

#define ELSEWHERE 20 // other records told that have the name, the address or a number of the person

struct anonymise {
    struct anonymising how;
    struct doc *contents, *elsewhere; // of the page that asks
    struct str problem;               // why it asks again
    struct doc *certificate;
    enum status status;
    struct error error;
};

// On a worker: a reading transaction.
static enum status begin(struct place *place, struct anonymise *x) {
    enum status s = place_ready(place, &x->error);
    return s ? s : store_begin(place->conn, false, &x->error);
}

static void end(struct place *place) {
    if (place->conn)
        store_rollback(place->conn);
}

// ---------------------------------------------------------------- what there is

static bool known(const struct doc *list, const struct doc *hit) {
    doc_each(one, list)
        if (doc_get_int(one, "id", 0) == doc_get_int(hit, "id", 0) &&
            str_eq(doc_get_text(one, "module"), doc_get_text(hit, "module")))
            return true;
    return false;
}

static enum status find_elsewhere(struct request *r, struct reader *reader, struct str text,
                                  struct anonymise *x, struct error *e) {
    struct doc *found;
    if (text.n < 3)
        return OK;
    enum status s = record_search(reader, text, NULL, ELSEWHERE, &found, e);
    doc_each(hit, s ? NULL : doc_get(found, STR("items"))) {
        bool itself = doc_get_int(hit, "id", 0) == r->id &&
                      str_eq(doc_get_text(hit, "module"), r->module->key);
        if (!itself && x->elsewhere->count < ELSEWHERE && !known(x->elsewhere, hit))
            doc_add(x->elsewhere, doc_copy(r->arena, hit));
    }
    return s;
}

// By what a person is known elsewhere: the name, addresses, numbers.
static enum status look_elsewhere(struct request *r, struct reader *reader, struct anonymise *x,
                                  struct error *e) {
    enum status s = OK;
    doc_each(one, doc_get(x->contents, STR("fields"))) {
        const struct field *f = module_field(r->module, doc_get_text(one, "field"));
        const struct doc *value = doc_get(one, STR("value"));
        bool tells =
            f && f->personal &&
            (f->type == TYPE_EMAIL || f->type == TYPE_PHONE || str_eq(f->key, r->module->title));
        if (!s && tells && !doc_is_null(value))
            s = find_elsewhere(r, reader, value_text(f, value, r->arena), x, e);
    }
    return s;
}

static void contents_job(struct request *r, struct place *place) {
    struct anonymise *x = r->arg;
    x->status = begin(place, x);
    struct reader reader = {r->web->crm, place->conn, r->model, &r->viewer, r->arena};
    x->elsewhere = doc_array(r->arena);
    if (!x->status)
        x->status = record_contents(&reader, r->module, r->id, &x->contents, &x->error);
    if (!x->status)
        x->status = look_elsewhere(r, &reader, x, &x->error);
    end(place);
}

static struct doc *contents_document(struct request *r, struct anonymise *x) {
    struct doc *d = doc_object(r->arena);
    doc_set_str(r->arena, d, "module", r->module->key);
    doc_set_int(r->arena, d, "id", r->id);
    doc_each(part, x->contents)
        doc_set(d, part->key, doc_copy(r->arena, part));
    doc_set(d, STR("elsewhere"), x->elsewhere);
    return d;
}

static void show(struct request *r) {
    struct anonymise *x = r->arg;
    struct doc *record = NULL;
    enum status s = r->error.status;
    if (!s && x->status) {
        r->error = x->error;
        s = x->status;
    }
    if (!s && !r->api)
        s = record_get(&r->reader, r->module, r->id, &record, &r->error);
    if (s) {
        respond_error(r, &r->error);
        return;
    }
    struct doc *d = contents_document(r, x);
    if (r->api) {
        respond_json(r, 200, d);
        return;
    }
    doc_set_str(r->arena, d, "title", record_title(r, r->module, record));
    doc_set_str(r->arena, d, "problem", x->problem);
    respond_page(r, x->problem.n ? 422 : 200, "anonymise", present_anonymise(r, d), d);
}

// Of a module without personal data there is nothing of this kind.
static bool has_persons(struct request *r) {
    if (module_has_persons(r->module))
        return true;
    error_set(&r->error, NOT_FOUND, NULL, N_("Nothing here is marked as personal data."), NULL);
    respond_error(r, &r->error);
    return false;
}

void handle_anonymise_page(struct request *r) {
    if (has_persons(r))
        request_work(r, contents_job, arena_new(r->arena, struct anonymise), show);
}

// ---------------------------------------------------------------- doing it

static struct doc *sent_list(struct request *r, const char *name) {
    if (r->body)
        return doc_get(r->body, str_z(name));
    struct doc *list = doc_array(r->arena);
    for (size_t i = 0; i < r->form.n; i++)
        if (str_is(r->form.p[i].name, name))
            doc_add(list, doc_str(r->arena, r->form.p[i].value));
    return list;
}

// Other records' events that name this one: looked for before anybody who writes has to wait for it.
static void traces_job(struct request *r, struct place *place) {
    struct anonymise *x = r->arg;
    struct tree_head head;
    int64_t from = 0, *found;
    x->status = begin(place, x);
    if (!x->status)
        x->status = history_tree_head(place->conn, &head, &x->error);
    if (!x->status)
        x->status = record_beginning(place->conn, r->module, r->id, &from, &x->error);
    if (!x->status)
        x->status = record_traces(place->conn, r->module, r->id, from, head.size, r->arena, &found,
                                  &x->how.n_traces, &x->error);
    end(place);
    if (x->status)
        return;
    x->how.traces = found;
    x->how.looked_to = head.size;
}

static enum status write_anonymise(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct anonymise *x = r->arg;
    a->act->reason = str_trim(input_text(r, "reason"));
    return record_anonymise(a, model_module(a->model, r->module->key), r->id, &x->how, &r->result,
                            e);
}

static void certificate_job(struct request *r, struct place *place) {
    struct anonymise *x = r->arg;
    struct buf note = BUF_INIT(4096);
    x->status = begin(place, x);
    struct reader reader = {r->web->crm, place->conn, r->model, &r->viewer, r->arena};
    if (!x->status)
        x->status = record_certificate(&reader, r->module, r->id, &x->certificate, &x->error);
    if (!x->status)
        x->status = checkpoint_of(place->conn, &r->web->log_key, &note, &x->error);
    if (!x->status)
        doc_set_str(r->arena, x->certificate, "checkpoint", arena_str(r->arena, buf_view(&note)));
    end(place);
    buf_release(&note);
}

// What a job left undone. True when that is the answer.
static bool told_why_not(struct request *r) {
    const struct anonymise *x = r->arg;
    if (!r->error.status && x->status)
        r->error = x->error;
    if (!r->error.status)
        return false;
    respond_error(r, &r->error); // with which the request may be over
    return true;
}

static void respond_certificate(struct request *r) {
    const struct anonymise *x = r->arg;
    if (!told_why_not(r))
        respond(r, 200, x->certificate);
}

static void settle_job(struct request *r, struct place *place) {
    struct anonymise *x = r->arg;
    for (size_t i = 0; i < x->how.n_unused; i++)
        file_sweep(r->web->crm, x->how.unused[i]);
    if (r->api)
        certificate_job(r, place);
}

static void settled(struct request *r) {
    if (r->api)
        respond_certificate(r);
    else
        respond_done(r, 200, NULL,
                     JOIN(r->arena, href_of(r, r->module->key, r->id), STR("/certificate")),
                     "anonymised");
}

static void anonymised(struct request *r) {
    if (r->outcome) {
        respond_error(r, &r->error);
        return;
    }
    request_work(r, settle_job, r->arg, settled);
}

static void traced(struct request *r) {
    if (!told_why_not(r))
        request_write(r, write_anonymise, r->arg, anonymised);
}

void handle_anonymise(struct request *r) {
    struct anonymise *x = arena_new(r->arena, struct anonymise);
    // Everybody sees it: it is in the language of the installation.
    const struct language *language =
        language_find(r->web->languages, str_z(r->web->options.language));
    struct str number = rprintf(r, "%lld", (long long)r->id), texts = input_text(r, "texts");
    if (!has_persons(r))
        return;
    if (!r->api && !str_is(input_text(r, "sure"), "1")) {
        x->problem = T(r->language, "Please confirm that you know it can't be undone.");
        request_work(r, contents_job, x, show);
        return;
    }
    x->how.keep = r->arena;
    x->how.fields = sent_list(r, "fields");
    x->how.documents = sent_list(r, "documents");
    x->how.texts = r->body ? doc_get_true(r->body, "texts") : str_is(texts, "1");
    x->how.new_name = FILL(r->arena, T(language, "Anonymised {0}"), number);
    request_work(r, traces_job, x, traced);
}

void handle_certificate(struct request *r) {
    if (has_persons(r))
        request_work(r, certificate_job, arena_new(r->arena, struct anonymise),
                     respond_certificate);
}
