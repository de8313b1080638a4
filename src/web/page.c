#include "web/page.h"
#include "base/utf8.h"
#include "records/journey.h"
#include "web/assets.h"
#include "web/present.h"
#include "web/session.h"
#include "web/text.h"
#include "web/written.h"

// What was just done. "=ARGUMENT" of the cookie is a path (label leads there) or a number (in the text).
static const struct {
    const char *key, *tone, *one, *many, *label;
} flashes[] = {
    {"saved", "won", N_("Saved."), NULL, NULL},
    {"created", "won", N_("Created."), NULL, NULL},
    {"deleted", "won", N_("Deleted. It can be restored."), NULL, N_("See it")},
    {"restored", "won", N_("Restored."), NULL, NULL},
    {"erased", "won", N_("The document was deleted for good."), NULL, NULL},
    {"anonymised", "won", N_("The record is anonymised."), NULL, NULL},
    {"comment-deleted", "won", N_("The comment is deleted."), NULL, NULL},
    {"merged", "won", N_("Saved, together with what somebody else changed in the meantime."), NULL,
     NULL},
    {"unchanged", "", N_("Nothing was changed."), NULL, NULL},
    {"bulk", "won", N_("{0} record changed."), N_("{0} records changed."), NULL},
    {"bulk-deleted", "won", N_("{0} record deleted. It can be restored."),
     N_("{0} records deleted. They can be restored."), NULL},
    {"view-saved", "won", N_("The view is saved."), NULL, NULL},
    {"view-deleted", "won", N_("The view is deleted."), NULL, NULL},
    {"password", "won", N_("The password is changed."), NULL, NULL},
    {"key-revoked", "won", N_("The API key is ended."), NULL, NULL},
    {"factor-off", "won", N_("The second factor is switched off."), NULL, NULL},
    {"factor-reset", "won", N_("The second factor is taken away."), NULL, NULL},
    {"confirmed", "won", N_("It is confirmed that it is you, for five minutes."), NULL, NULL},
    {"identity-ended", "won", N_("The provider's word no longer lets in."), NULL, NULL},
    {"deactivated", "won", N_("The user is deactivated. Sessions and keys are ended."), NULL, NULL},
    {"invitation-ended", "won", N_("The link is ended."), NULL, NULL},
    {"activated", "won", N_("The user is active again."), NULL, NULL},
    {"sessions-ended", "won", N_("The sessions are ended."), NULL, NULL},
    {"session-ended", "won", N_("The session is ended."), NULL, NULL},
};

struct str initials(struct arena *a, struct str name) {
    char out[8];
    size_t n = 0;
    struct str first = {0}, last = {0};
    for (struct str rest = str_trim(name); rest.n;) {
        struct str word = str_cut(&rest, ' ');
        if (!word.n)
            continue;
        if (!first.n)
            first = word;
        else
            last = word;
    }
    for (int i = 0; i < 2; i++) {
        struct str word = i ? last : first;
        size_t at = 0;
        if (!word.n)
            continue;
        uint32_t c = utf8_next(word, &at);
        if (c >= 'a' && c <= 'z')
            c -= 'a' - 'A';
        n += utf8_put(c, out + n);
    }
    return arena_str(a, (struct str){out, n});
}

struct str person_color(struct arena *a, int64_t user) {
    return arena_printf(a, "c%d", (int)(user & 7));
}

static struct doc *flash_document(struct request *r) {
    struct arena *a = r->arena;
    struct str argument = r->flash;
    struct str key = str_cut(&argument, '=');
    for (size_t i = 0; i < sizeof flashes / sizeof *flashes; i++) {
        if (!str_is(key, flashes[i].key))
            continue;
        int64_t n = 0;
        bool number = str_int(argument, &n);
        bool path = argument.n && argument.p[0] == '/' && !str_starts(argument, STR("//")) &&
                    flashes[i].label;
        struct str text = flashes[i].many
                              ? catalogue_plural(r->language->catalogue, str_z(flashes[i].one),
                                                 str_z(flashes[i].many), n)
                              : translate(r->language, str_z(flashes[i].one));
        struct doc *d = doc_object(a);
        doc_set_z(a, d, "tone", flashes[i].tone);
        doc_set_str(a, d, "text", number ? FILL(a, text, argument) : text);
        doc_set(d, STR("href"), path ? doc_str(a, argument) : doc_null(a));
        doc_set_str(a, d, "label",
                    path ? translate(r->language, str_z(flashes[i].label)) : STR(""));
        return d;
    }
    return doc_null(a);
}

static struct doc *menu_item(struct request *r, struct doc *items, struct str key, struct str label,
                             struct str icon, struct str href, bool main) {
    struct arena *a = r->arena;
    struct doc *d = doc_add(items, doc_object(a));
    struct str here = r->path;
    bool active =
        str_eq(href, here) || (href.n > 1 && str_starts(here, href) && here.p[href.n] == '/');
    doc_set_str(a, d, "key", key);
    doc_set_str(a, d, "label", label);
    doc_set_str(a, d, "icon", icon);
    doc_set_str(a, d, "href", href);
    doc_set_bool(a, d, "active", active);
    doc_set_str(a, d, "count", STR(""));
    doc_set_bool(a, d, "main", main);
    return d;
}

static struct doc *menu_group(struct request *r, struct doc *menu, struct str title) {
    struct doc *group = doc_object(r->arena);
    doc_set_str(r->arena, group, "title", title);
    doc_add(menu, group);
    return doc_set_array(r->arena, group, "items");
}

// The four at the foot of a phone.
static bool is_main(const struct module *m) {
    return str_is(m->key, "tasks") || str_is(m->key, "contacts") || str_is(m->key, "opportunities");
}

// One's own activities; the module's list is one step further, and under the same item.
static void activities_item(struct request *r, struct doc *items, const struct module *tasks) {
    struct doc *d = menu_item(r, items, tasks->key, translate(r->language, tasks->label),
                              tasks->icon, STR("/activities"), true);
    if (str_is(r->path, "/tasks") || str_starts(r->path, STR("/tasks/")))
        doc_replace(d, STR("active"), doc_bool(r->arena, true));
}

// The first whose way from hand to hand is of use: cases, or what else this viewer may see.
static const struct module *journeys_module(struct request *r) {
    const struct module *m = model_module(r->model, STR("cases"));
    if (m && may(&r->viewer, m, VERB_VIEW))
        return m;
    for (size_t i = 0; i < r->model->n_modules; i++) {
        m = &r->model->modules[i];
        if (journey_module(m) && may(&r->viewer, m, VERB_VIEW))
            return m;
    }
    return NULL;
}

static struct doc *menu_document(struct request *r) {
    struct arena *a = r->arena;
    const struct language *l = r->language;
    struct doc *menu = doc_array(a);
    struct doc *items = menu_group(r, menu, STR(""));
    menu_item(r, items, STR("home"), T(l, "Home"), STR("house"), STR("/"), true);
    const struct module *tasks = model_module(r->model, STR("tasks"));
    if (tasks && may(&r->viewer, tasks, VERB_VIEW))
        activities_item(r, items, tasks);
    items = menu_group(r, menu, T(l, "Modules"));
    bool reports =
        str_find(r->path, STR("/journeys")) >= 0; // of all modules, under an item of its own
    for (size_t i = 0; i < r->model->n_modules; i++) {
        const struct module *m = &r->model->modules[i];
        if (m->system || m->part || m == tasks || !may(&r->viewer, m, VERB_VIEW))
            continue;
        struct doc *d = menu_item(r, items, m->key, translate(l, m->label), m->icon,
                                  JOIN(a, STR("/"), m->key), is_main(m));
        if (reports)
            doc_replace(d, STR("active"), doc_bool(a, false));
    }
    const struct module *journeys = journeys_module(r);
    if (!journeys && !may(&r->viewer, NULL, VERB_AUDIT) && !may(&r->viewer, NULL, VERB_USERS) &&
        !may(&r->viewer, NULL, VERB_DESIGN))
        return menu;
    items = menu_group(r, menu, T(l, "Information"));
    if (journeys) {
        struct doc *d = menu_item(r, items, STR("journeys"), T(l, "Traceability"), STR("route"),
                                  JOIN(a, STR("/"), journeys->key, STR("/journeys")), false);
        doc_replace(d, STR("active"), doc_bool(a, reports));
    }
    if (may(&r->viewer, NULL, VERB_AUDIT))
        menu_item(r, items, STR("history"), T(l, "Change log"), STR("history"), STR("/history"),
                  false);
    if (may(&r->viewer, NULL, VERB_USERS))
        menu_item(r, items, STR("users"), T(l, "Users"), STR("user-cog"), STR("/users"), false);
    if (may(&r->viewer, NULL, VERB_DESIGN))
        menu_item(r, items, STR("settings"), T(l, "Configuration"), STR("settings"),
                  STR("/settings/modules"), false);
    return menu;
}

static struct doc *new_document(struct request *r) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a), *items = doc_set_array(a, d, "items");
    for (size_t i = 0; i < r->model->n_modules; i++) {
        const struct module *m = &r->model->modules[i];
        if (m->system || m->part || !may(&r->viewer, m, VERB_CREATE))
            continue;
        struct doc *item = doc_add(items, doc_object(a));
        doc_set_str(a, item, "label", translate(r->language, m->label_one));
        doc_set_str(a, item, "href", JOIN(a, STR("/"), m->key, STR("/new")));
        doc_set_str(a, item, "icon", m->icon);
        doc_set_str(a, item, "key", m->key);
    }
    return items->count ? d : doc_null(a);
}

static struct doc *user_document(struct request *r, bool whole) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    doc_set_int(a, d, "id", r->viewer.user);
    doc_set_str(a, d, "name", r->viewer.name);
    doc_set_str(a, d, "email", r->person.email);
    doc_set_str(a, d, "mark", initials(a, r->viewer.name));
    doc_set_str(a, d, "color", person_color(a, r->viewer.user));
    doc_set_bool(a, d, "administrator", r->viewer.profile == PROFILE_ADMINISTRATOR);
    doc_set(d, STR("bell"), whole ? bell_document(r) : doc_null(a));
    return d;
}

struct doc *page_document(struct request *r, struct doc *view, bool part) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a);
    bool somebody = r->sign != SIGN_NONE && r->model;
    struct str title = r->title.n ? r->title : doc_get_text(view, "title");
    struct str path = rprintf(r, "%.*s%s%.*s", STR_FMT(r->http->path), r->http->query.n ? "?" : "",
                              STR_FMT(r->http->query));
    bool theme = str_is(r->person.theme, "light") || str_is(r->person.theme, "dark");
    bool density = str_is(r->person.density, "comfortable");
    doc_set_str(a, d, "lang", r->language->code);
    doc_set_z(a, d, "dates", date_format_key(r->language->dates));
    doc_set_bool(a, d, "months", r->language->months_in_words);
    doc_set_z(a, d, "clock", r->language->twelve_hours ? "12" : "24");
    doc_set_str(a, d, "title", title);
    doc_set_bool(a, d, "goes_on", r->goes_on);
    doc_set_str(a, d, "path", path);
    doc_set_str(a, d, "csrf", session_form_token(r));
    doc_set_str(a, d, "written", written_text(r));
    doc_set_z(a, d, "version", CRONISTA_VERSION);
    doc_set_z(a, d, "product", r->web->options.product);
    doc_set(d, STR("theme"), theme ? doc_str(a, r->person.theme) : doc_null(a));
    doc_set(d, STR("density"), density ? doc_str(a, r->person.density) : doc_null(a));
    doc_set(d, STR("flash"), flash_document(r));
    doc_set(d, STR("user"), somebody ? user_document(r, !part) : doc_null(a));
    doc_set(d, STR("menu"), somebody ? menu_document(r) : doc_array(a));
    doc_set(d, STR("new"), somebody ? new_document(r) : doc_null(a));
    doc_set_str(a, d, "q", str_is(r->path, "/search") ? query_text(r, "q") : STR(""));
    doc_set(d, STR("assets"), assets_document(r->web->assets, a));
    return d;
}
