// What belongs to deals and contacts: processes and their ticks, product lines, groups, consents.
#include "actions/consent.h"
#include "actions/process.h"
#include "cli/demo_story.h"

static const struct {
    const char *name, *text, *name_pl, *text_pl, *name_ro, *text_ro;
    bool needed;
} consent_kinds[STORY_CONSENTS] = {
    {"Tratamiento de datos",
     "Meridiana guarda sus datos de contacto para atenderle y cumplir el contrato. Puede verlos, "
     "corregirlos y pedir que se borren.",
     "Przetwarzanie danych",
     "Meridiana przechowuje Państwa dane kontaktowe, aby Państwa obsłużyć i wykonać umowę. Można "
     "je zobaczyć, poprawić i żądać ich usunięcia.",
     "Prelucrarea datelor",
     "Meridiana păstrează datele dumneavoastră de contact pentru a vă deservi și a îndeplini "
     "contractul. Le puteți vedea, corecta și puteți cere ștergerea lor.",
     true},
    {"Boletín mensual",
     "Una vez al mes le escribimos sobre cadenas de frío: normas, casos, productos.",
     "Biuletyn miesięczny",
     "Raz w miesiącu piszemy o łańcuchach chłodniczych: normy, przypadki, produkty.",
     "Buletin lunar",
     "O dată pe lună vă scriem despre lanțuri frigorifice: norme, cazuri, produse.", false},
    {"Llamadas comerciales", "Podemos llamarle para presentarle productos, en horario de oficina.",
     "Telefony handlowe", "Możemy zadzwonić, aby przedstawić produkty, w godzinach pracy biura.",
     "Apeluri comerciale", "Vă putem suna pentru a vă prezenta produse, în programul de birou.",
     false},
};

// Of Madrid; 1 November and 6 December of 2026 are Sundays, whose holidays move to the Mondays.
static enum status working_calendar(struct telling *t) {
    static const char *const days[] = {"monday", "tuesday", "wednesday", "thursday"};
    struct doc *v = doc_object(t->arena);
    int64_t id;
    doc_set_z(t->arena, v, "name", "Madrid");
    doc_set_bool(t->arena, v, "standard", true);
    doc_set_z(t->arena, v, "zone", "Europe/Madrid");
    for (size_t i = 0; i < sizeof days / sizeof *days; i++)
        doc_set(v, str_z(days[i]), doc_str(t->arena, STR("9:00-14:00, 15:30-18:30")));
    doc_set_z(t->arena, v, "friday", "8:00-15:00");
    doc_set_z(t->arena, v, "holidays",
              "01-01 Año Nuevo\n01-06 Reyes\n05-01 Fiesta del Trabajo\n08-15 Asunción\n"
              "10-12 Fiesta Nacional\n12-08 Inmaculada\n12-25 Navidad\n"
              "2026-04-02 Jueves Santo\n2026-04-03 Viernes Santo\n"
              "2026-05-02 Comunidad de Madrid\n2026-05-15 San Isidro\n"
              "2026-11-02 Todos los Santos\n2026-11-09 La Almudena\n2026-12-07 Constitución\n"
              "2026-12-24 9:00-14:00 Nochebuena\n2026-12-31 9:00-14:00 Nochevieja");
    return tell_create(t, "calendars", v, &id);
}

enum status parts_begin(struct telling *t) {
    struct story *s = t->story;
    struct doc *v = doc_object(t->arena);
    doc_set_z(t->arena, v, "name", "Venta a cliente nuevo");
    doc_set_z(
        t->arena, v, "steps",
        "Primera llamada\nVisita a las cámaras\nPrueba de dos semanas\nOferta enviada\nContrato "
        "firmado");
    enum status st = tell_create(t, "processes", v, &s->process);
    for (int i = 0; i < STORY_CONSENTS && st == OK; i++) {
        v = doc_object(t->arena);
        doc_set_z(t->arena, v, "name", consent_kinds[i].name);
        doc_set_z(t->arena, v, "text", consent_kinds[i].text);
        doc_set_z(t->arena, v, "name_pl", consent_kinds[i].name_pl);
        doc_set_z(t->arena, v, "text_pl", consent_kinds[i].text_pl);
        doc_set_z(t->arena, v, "name_ro", consent_kinds[i].name_ro);
        doc_set_z(t->arena, v, "text_ro", consent_kinds[i].text_ro);
        doc_set_bool(t->arena, v, "needed", consent_kinds[i].needed);
        doc_set_int(t->arena, v, "place", i + 1);
        st = tell_create(t, "consent_kinds", v, &s->consents[i]);
    }
    v = doc_object(t->arena);
    doc_set_z(t->arena, v, "name", "Invitados a la feria");
    if (!st)
        st = tell_create(t, "contact_groups", v, &s->group);
    return st ? st : working_calendar(t);
}

// ---------------------------------------------------------------- deals

bool deal_has_parts(int i) {
    return i % 2 == 0;
}

// At each phase a step of the process is done.
enum status deal_step(struct telling *t, int i) {
    static const char *const steps[] = {"s1", "s1", "s2", "s3", "s4", "s5"};
    struct story_deal *d = &t->story->deals[i];
    size_t done = (size_t)d->stage < sizeof steps / sizeof *steps ? (size_t)d->stage : 0;
    if (!deal_has_parts(i) || !done || done <= (size_t)d->ticked)
        return OK;
    d->ticked = (int)done;
    return step_turn(&t->action, model_module(t->action.model, STR("opportunities")), d->id,
                     str_z(steps[done]), true, NULL, t->error);
}

static enum status line(struct telling *t, const struct story_deal *d, int product, int quantity,
                        int64_t *sum) {
    struct story *s = t->story;
    const struct demo_place *place = &demo_places[s->companies[d->company].data->country];
    int64_t price = ((int64_t)demo_products[product].price * place->rate / 100 / place->round + 1) *
                    place->round,
            id = 0;
    struct doc *v = doc_object(t->arena), *money = doc_object(t->arena);
    doc_set_str(t->arena, money, "amount", arena_printf(t->arena, "%lld", (long long)price));
    doc_set_z(t->arena, money, "currency", place->currency);
    doc_set_int(t->arena, v, "opportunity", d->id);
    doc_set_int(t->arena, v, "product", s->products[product]);
    doc_set_int(t->arena, v, "quantity", quantity);
    doc_set(v, STR("price"), money);
    *sum += price * quantity;
    return tell_create(t, "lines", v, &id);
}

enum status deal_lines(struct telling *t, int i) {
    struct story_deal *d = &t->story->deals[i];
    int64_t sum = 0;
    if (!deal_has_parts(i) || d->lines)
        return OK;
    d->lines = true;
    enum status st = line(t, d, d->product, d->quantity, &sum);
    if (st == OK)
        st = line(t, d, (d->product + 3) % (int)demo_n_products, 1 + i % 3, &sum);
    struct doc *v = doc_object(t->arena);
    doc_set_bool(t->arena, v, "amount_from_lines", true);
    d->amount = sum;
    return st ? st : tell_change(t, "opportunities", d->id, v);
}

// ---------------------------------------------------------------- contacts

static enum status consent(struct telling *t, int i, int kind, const char *state,
                           const struct consent_link *link) {
    struct story *s = t->story;
    return consent_set(&t->action, model_module(t->action.model, STR("contacts")),
                       s->contacts[i].id, s->consents[kind], str_z(state), STR(""), link, NULL,
                       t->error);
}

enum status contact_parts(struct telling *t, int i) {
    struct story *s = t->story;
    enum status st = consent(t, i, 0, "given", NULL);
    if (st == OK && i % 2 == 0)
        st = consent(t, i, 1, "given", NULL);
    if (st || i % 5)
        return st;
    struct doc *v = doc_object(t->arena);
    doc_add(doc_set_array(t->arena, v, "groups"), doc_int(t->arena, s->group));
    return tell_change(t, "contacts", s->contacts[i].id, v);
}

// A customer is sent a link to the consents,
enum status contact_consents(struct telling *t, int i) {
    const struct module *m = model_module(t->action.model, STR("contacts"));
    struct story_contact *p = &t->story->contacts[i];
    struct story *s = t->story;
    char token[CRYPTO_TOKEN];
    if (p->away || !p->id)
        return OK;
    s->sharer = t->viewer.user;
    s->sharer_name = t->viewer.name;
    story_plan(s, t->act.at + 3 * HOUR, STEP_CONSENTS_OPEN, i);
    return consents_share(&t->action, m, p->id, t->act.at + 30 * DAY, token, &s->shared, t->error);
}

// and thinks again about one.
enum status contact_consents_opened(struct telling *t, int i) {
    static const struct viewer nobody = {.profile = PROFILE_ADMINISTRATOR};
    struct story *s = t->story;
    struct consent_link link = {.module = model_module(t->action.model, STR("contacts"))->number,
                                .record = s->contacts[i].id,
                                .user = s->sharer,
                                .user_name = s->sharer_name,
                                .position = s->shared};
    t->act.viewer = t->action.reader.viewer = &nobody;
    enum status st = consents_opened(&t->action, &link, t->error);
    t->act.operation = -1;
    if (st == OK)
        st = consent(t, i, 1, "withdrawn", &link);
    return st ? st : consent(t, i, 2, "given", &link);
}
