// API keys of one's own: made, listed, ended.
#include "web/handlers.h"
#include "web/present.h"
#include "web/respond.h"
#include "web/settings.h"
#include "store/queries.h"

enum status settings_keys(struct request *r, struct doc *out, struct error *e) {
    struct param p[] = {P_INT(r->viewer.user)};
    struct stmt *row = NULL;
    bool more = true;
    struct doc *list = doc_set_array(r->arena, out, "keys");
    enum status s = store_query(r->place->conn, QUERY_KEYS_OF_USER, p, 1, &row, e);
    while (!s && !(s = store_next(row, &more, e)) && more) {
        struct doc *d = doc_add(list, doc_object(r->arena));
        doc_set_str(r->arena, d, "key", settings_start(r, stmt_blob(row, 0)));
        doc_set_str(r->arena, d, "name", arena_str(r->arena, stmt_text(row, 1)));
        doc_set(d, STR("created_at"), settings_moment(r, row, 2));
        doc_set(d, STR("expires_at"), settings_moment(r, row, 3));
        doc_set(d, STR("used_at"), settings_moment(r, row, 4));
        doc_set_z(r->arena, d, "scope", key_scope_name((enum key_scope)stmt_int(row, 5)));
        struct str modules = stmt_null(row, 6) ? STR("") : stmt_text(row, 6);
        struct doc *of = doc_set_array(r->arena, d, "modules");
        while (modules.n)
            doc_add(of, doc_str(r->arena, arena_str(r->arena, str_cut(&modules, ' '))));
    }
    store_done(row);
    return s;
}

// ---------------------------------------------------------------- the page

static const struct {
    const char *key, *label;
} scope_labels[] = {{"read", N_("Reads only")},
                    {"write", N_("Reads and writes")},
                    {"administer", N_("May do all that you may")}};

static struct str scope_words(struct request *r, struct str scope) {
    for (size_t i = 0; i < sizeof scope_labels / sizeof *scope_labels; i++)
        if (str_is(scope, scope_labels[i].key))
            return translate(r->language, str_z(scope_labels[i].label));
    return scope;
}

static struct doc *scope_options(struct request *r, const struct own *own) {
    struct doc *list = doc_array(r->arena);
    for (size_t i = 0; i < sizeof scope_labels / sizeof *scope_labels; i++)
        option(r, list, str_z(scope_labels[i].key),
               translate(r->language, str_z(scope_labels[i].label)),
               own->wanted.scope ? (int)own->wanted.scope == (int)i + KEY_READ : i == 0);
    return list;
}

static struct doc *days_options(struct request *r) {
    static const int days[] = {30, 90, 365};
    struct doc *list = doc_array(r->arena);
    for (size_t i = 0; i < sizeof days / sizeof *days; i++)
        option(r, list, rprintf(r, "%d", days[i]),
               FILL(r->arena, TN(r->language, "for {0} day", "for {0} days", days[i]),
                    rprintf(r, "%d", days[i])),
               days[i] == 365);
    option(r, list, STR(""), T(r->language, "without an end"), false);
    return list;
}

static struct doc *module_options(struct request *r) {
    struct doc *list = doc_array(r->arena);
    for (size_t i = 0; i < r->model->n_modules; i++) {
        const struct module *m = &r->model->modules[i];
        if (may(&r->viewer, m, VERB_VIEW) && !m->part)
            option(r, list, m->key, translate(r->language, m->label), false);
    }
    return list;
}

static struct str modules_said(struct request *r, const struct doc *keys) {
    struct buf b = BUF_INIT(1 << 16);
    doc_each(key, keys) {
        const struct module *m = model_module(r->model, doc_text(key));
        buf_z(&b, b.n ? ", " : "");
        buf_str(&b, m ? translate(r->language, m->label) : doc_text(key));
    }
    struct str s = arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return s;
}

struct doc *settings_keys_view(struct request *r, const struct own *own, const struct doc *doc) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a), *made = doc_null(a);
    doc_set_str(a, d, "action", STR("/settings/keys"));
    if (own->key[0]) {
        made = doc_object(a);
        doc_set_str(a, made, "name", own->wanted.name);
        doc_set_z(a, made, "secret", own->key);
    }
    doc_set(d, STR("made"), made);
    doc_set(d, STR("problems"), problems_of(r, NULL, &own->key_problem));
    doc_set(d, STR("scopes"), scope_options(r, own));
    doc_set(d, STR("days"), days_options(r));
    doc_set(d, STR("modules"), module_options(r));
    struct doc *items = doc_set_array(a, d, "items");
    doc_each(key, doc_get(doc, STR("keys"))) {
        struct doc *item = doc_add(items, doc_object(a));
        doc_set_str(a, item, "name", doc_get_text(key, "name"));
        doc_set_str(a, item, "start", doc_get_text(key, "key"));
        doc_set(item, STR("created"), runs_of(r, settings_run(r, doc_get(key, STR("created_at")))));
        doc_set_str(a, item, "scope", scope_words(r, doc_get_text(key, "scope")));
        doc_set_str(a, item, "modules", modules_said(r, doc_get(key, STR("modules"))));
        micros ends;
        bool over = false, does = clock_parse(doc_get_text(key, "expires_at"), &ends);
        over = does && ends <= r->now;
        doc_set(item, STR("ends"), runs_of(r, does ? run_moment(r, ends) : NULL));
        doc_set_bool(a, item, "over", over);
        doc_set(item, STR("used"), runs_of(r, settings_run(r, doc_get(key, STR("used_at")))));
        doc_set_str(a, item, "revoke_action",
                    rprintf(r, "/settings/keys/%.*s/revoke", STR_FMT(doc_get_text(key, "key"))));
    }
    return d;
}

// ---------------------------------------------------------------- made and ended

static enum status write_key(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    struct own *own = r->arg;
    return user_key_add(a, r->viewer.user, &own->wanted, own->key, e);
}

static void key_made(struct request *r) {
    struct own *own = r->arg;
    if (r->outcome == INVALID && !r->api) {
        own->key_problem = r->error;
        settings_show(r, 422, own);
    } else if (r->outcome) {
        respond_error(r, &r->error);
    } else if (r->api) {
        struct doc *d = doc_object(r->arena);
        struct hash hash = key_hash(str_z(own->key));
        doc_set_str(r->arena, d, "key",
                    settings_start(r, (struct str){(const char *)hash.b, sizeof hash.b}));
        doc_set_str(r->arena, d, "name", own->wanted.name);
        doc_set_z(r->arena, d, "scope", key_scope_name(own->wanted.scope));
        doc_set_z(r->arena, d, "secret", own->key);
        respond_json(r, 201, d);
    } else {
        settings_show(
            r, 200,
            own); // the one answer to a form that is no redirect: the key is shown only here
    }
}

// What the form or the body says of the key.
static enum status key_asked(struct request *r, struct key_wanted *out, struct error *e) {
    struct str scope = input_text(r, "scope");
    int64_t days = 0;
    *out = (struct key_wanted){.name = str_trim(input_text(r, "name")), .scope = KEY_ADMINISTER};
    if (scope.n && !key_scope_find(scope, &out->scope))
        return error_set(e, INVALID, "scope", N_("This is not one of the possible values."), NULL);
    enum status s = input_int(r, "days", 0, &days, e);
    if (!s && (days < 0 || days > 36500))
        s = error_set(e, INVALID, "days", N_("This number is not possible here."), NULL);
    out->expires = days > 0 ? r->now + days * DAY : 0;
    if (r->body) {
        const struct doc *modules = doc_get(r->body, STR("modules"));
        if (!s && modules && modules->type != DOC_ARRAY && !doc_is_null(modules))
            s = error_set(e, INVALID, "modules", N_("This is not one of the possible values."),
                          NULL);
        out->modules = modules;
        return s;
    }
    struct doc *chosen = doc_array(r->arena);
    for (size_t i = 0; i < r->form.n; i++)
        if (str_is(r->form.p[i].name, "modules") && r->form.p[i].value.n)
            doc_add(chosen, doc_str(r->arena, r->form.p[i].value));
    out->modules = chosen;
    return s;
}

void handle_key_add(struct request *r) {
    struct own *own = arena_new(r->arena, struct own);
    if (key_asked(r, &own->wanted, &r->error) == OK) {
        request_write(r, write_key, own, key_made);
        return;
    }
    r->outcome = r->error.status;
    r->arg = own;
    key_made(r);
}

static enum status write_revoke(struct action *a, void *request, struct error *e) {
    struct request *r = request;
    return user_key_revoke(a, r->viewer.user, r->params[0], e);
}

static void key_revoked(struct request *r) {
    if (r->outcome)
        respond_error(r, &r->error);
    else
        respond_done(r, 204, NULL, STR("/settings#keys"), "key-revoked");
}

void handle_key_revoke(struct request *r) {
    request_write(r, write_revoke, NULL, key_revoked);
}
