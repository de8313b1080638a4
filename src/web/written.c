#include "web/written.h"

#define NAME "form.written"

const struct language *written_language(const struct request *r) {
    return r->written.language ? r->written.language : r->language;
}

const struct zone *written_zone(const struct request *r) {
    return r->written.zone ? r->written.zone : r->zone;
}

struct str written_zone_name(const struct request *r) {
    return r->written.zone ? r->written.zone_name : r->viewer.local.zone;
}

struct str written_text(struct request *r) {
    const struct language *l = written_language(r);
    return rprintf(r, "%s %s %.*s %.*s", date_format_key(l->dates), l->twelve_hours ? "12" : "24",
                   STR_FMT(l->code), STR_FMT(written_zone_name(r)));
}

// Nobody else has to know of it: what goes through all that was sent finds only what was filled in.
static struct str taken_from(struct pairs *pairs) {
    struct str text = {0};
    size_t n = 0;
    for (size_t i = 0; i < pairs->n; i++)
        if (str_is(pairs->p[i].name, NAME))
            text = text.n ? text : pairs->p[i].value;
        else
            pairs->p[n++] = pairs->p[i];
    pairs->n = n;
    return text;
}

enum status written_take(struct request *r, struct error *e) {
    bool asks = str_is(r->method, "GET");
    if (r->api || r->sign != SIGN_SESSION)
        return OK;
    struct str rest = taken_from(asks ? &r->query : &r->form);
    if (!rest.n)
        return OK;
    struct str dates = str_cut(&rest, ' '), clock = str_cut(&rest, ' '), code = str_cut(&rest, ' ');
    const struct language *language = language_find(r->web->languages, code);
    const struct zone *zone = zone_find(rest);
    if (!language || !zone || !date_format_find(dates) ||
        (!str_is(clock, "12") && !str_is(clock, "24")))
        return error_set(e, INVALID, "",
                         N_("This form is too old or was not sent from this site. Please go back, "
                            "load the page anew and try again."),
                         NULL);
    language = language_own(r->web->languages, language, dates, clock, STR(""));
    r->viewer.local.language = language->code;
    r->viewer.local.dates = language->dates;
    r->viewer.local.zone = rest;
    if (!asks) { // what a question finds is told in the present ways, and so is the question
        r->written.language = language;
        r->written.zone = zone;
        r->written.zone_name = rest;
    }
    return OK;
}
