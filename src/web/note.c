#include "web/note.h"
#include "web/card.h"
#include "web/handlers.h"
#include "web/once.h"
#include "web/present.h"
#include "web/present_card.h"
#include "web/respond.h"
#include "web/routes.h"

// The parts of a note as the fields of a module, which forms know how to read.
static const struct module *note_module(struct request *r) {
    struct module *m = arena_new(r->arena, struct module);
    const struct field *fields = note_fields(&m->n_fields);
    m->fields = arena_array(r->arena, struct field, m->n_fields);
    memcpy(m->fields, fields, m->n_fields * sizeof *fields);
    return m;
}

struct doc *note_view(struct request *r, struct form_state *again) {
    struct arena *a = r->arena;
    size_t n;
    const struct field *fields = note_fields(&n);
    struct doc *d = doc_object(a);
    doc_set_str(a, d, "action",
                rprintf(r, "%.*s/notes", STR_FMT(href_of(r, r->module->key, r->id))));
    once_hidden(r, doc_set_array(a, d, "hidden"));
    doc_set_bool(a, d, "open", again != NULL);
    struct doc *controls = doc_set_array(a, d, "controls");
    for (size_t i = 0; i < n; i++) {
        struct control_state state = {
            .typed = again ? &again->typed : NULL,
            .problem = again ? problem_of(r, &again->problems, fields[i].key) : STR(""),
            .found = again && again->found ? doc_get(again->found, fields[i].key) : NULL};
        struct doc *one = doc_add(controls, control(r, NULL, &fields[i], &state));
        doc_replace(one, STR("id"), doc_str(a, rprintf(r, "note-%.*s", STR_FMT(fields[i].key))));
    }
    return d;
}

static enum status write_note(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    const struct form_state *s = r->arg;
    return note_add(a, model_module(a->model, r->module->key), r->id, s->values, &r->result, e);
}

static void show_again(struct request *r, struct form_state *s) {
    struct doc *record;
    r->error = (struct error){0};
    if (card_read(r, &record, &r->error)) {
        respond_error(r, &r->error);
        return;
    }
    struct card_state *card = r->state;
    card->note = s;
    respond_page(r, 422, "card", present_card(r, record), record);
}

static void noted(struct request *r) {
    struct form_state *s = r->arg;
    if (r->outcome == INVALID && !r->api) {
        s->problems = r->error;
        show_again(r, s);
        return;
    }
    if (r->outcome) {
        respond_error(r, &r->error);
        return;
    }
    card_respond_event(r);
}

void handle_note(struct request *r) {
    struct form_state *s = arena_new(r->arena, struct form_state);
    const struct module *m = r->module;
    s->values = r->body;
    if (!s->values) {
        r->module = note_module(r);
        bool good = form_values(r, s);
        r->module = m;
        if (!good) {
            show_again(r, s);
            return;
        }
    }
    request_write(r, write_note, s, noted);
}
