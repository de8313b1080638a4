#include "actions/export.h"

#include "actions/actions.h"
#include "actions/export_private.h"
#include "formats/catalogue.h"
#include "formats/json.h"
#include "records/replica.h"
#include "records/rows.h"
#include "records/story.h"

static const char *const formats[] = {
    [EXPORT_CSV] = "csv", [EXPORT_XLSX] = "xlsx", [EXPORT_JSONL] = "jsonl"};

bool export_format_find(struct str name, enum export_format *out) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct str end = str_z(formats[i]);
        if (name.n > end.n && name.p[name.n - end.n - 1] == '.' && str_ends(name, end)) {
            *out = (enum export_format)i;
            return true;
        }
    }
    return false;
}

const char *export_format_name(enum export_format format) {
    return formats[format];
}

struct exporting {
    const struct export_request *request;
    struct crm *crm;
    const struct model *model;
    struct conn *conn;
    struct arena arena; // as long as the export
    struct arena row;
    struct export_file *file;
    struct export_column *columns;
    size_t n_columns;
    struct xlsx_cell *cells;
    struct error *error;
    int64_t rows;
};

// ---------------------------------------------------------------- records

// The value of a key, looked for from `last` on and then from the start: columns mostly come in the document's order.
static const struct doc *next_value(const struct doc *d, const struct doc *last, struct str key) {
    for (const struct doc *v = last; v; v = v->next)
        if (str_eq(v->key, key))
            return v;
    for (const struct doc *v = d->first; v != last; v = v->next)
        if (str_eq(v->key, key))
            return v;
    return NULL;
}

static enum status record_out(void *arg, const struct doc *d) {
    struct exporting *x = arg;
    enum status s;
    if (x->request->format == EXPORT_JSONL) {
        s = export_file_doc(x->file, d, x->error);
    } else {
        const struct doc *last = d->first, *value;
        for (size_t i = 0; i < x->n_columns; i++) {
            value = next_value(d, last, x->columns[i].field->key);
            last = value ? value : last;
            x->cells[i] = export_cell(x->request, &x->columns[i], value, &x->row);
        }
        s = export_file_row(x->file, x->cells, x->n_columns, x->error);
        arena_reset(&x->row);
    }
    x->rows += s == OK;
    return s;
}

// Everything a record has, in the order of its form.
static void all_columns(struct exporting *x, const struct module *m, struct list_query *query) {
    static const char *const around[] = {"owner", "created_at", "created_by", "updated_at",
                                         "updated_by"};
    struct str *keys = arena_array(&x->arena, struct str, m->n_fields + 8);
    size_t n = 0;
    keys[n++] = STR("id");
    for (size_t i = 0; i < m->n_fields; i++)
        if (!m->fields[i].removed && may_field(x->request->viewer, m, &m->fields[i], false))
            keys[n++] = m->fields[i].key;
    for (size_t i = 0; i < sizeof around / sizeof *around; i++)
        keys[n++] = str_z(around[i]);
    query->columns = keys;
    query->n_columns = n;
}

static enum status records_out(struct exporting *x, struct error *e) {
    const struct module *m = model_module(x->model, x->request->list->module->key);
    struct list_query query = *x->request->list;
    query.module = m;
    query.after = (struct str){0};
    query.limit = 0;
    query.count = false;
    if (!query.n_columns)
        all_columns(x, m, &query);
    x->n_columns =
        export_columns(x->request, m, query.columns, query.n_columns, &x->arena, &x->columns);
    x->cells = arena_array(&x->arena, struct xlsx_cell, x->n_columns + 1);
    struct str sheet = catalogue_text(x->request->viewer->local.words, m->label);
    enum status s = export_file_open(&x->file, x->request, sheet, x->columns, x->n_columns, e);
    if (s != OK)
        return s;
    struct arena work = ARENA_INIT;
    struct reader reader = {x->crm, x->conn, x->model, x->request->viewer, &work};
    s = record_each(&reader, &query, record_out, x, e);
    arena_release(&work);
    return s;
}

// ---------------------------------------------------------------- history

enum {
    AT_POSITION,
    AT_AT,
    AT_USER,
    AT_USER_ID,
    AT_FOR,
    AT_CHANNEL,
    AT_OPERATION,
    AT_KIND,
    AT_MODULE,
    AT_RECORD,
    AT_NAME,
    AT_FIELD,
    AT_OLD,
    AT_NEW,
    AT_REASON,
    AT_TEXT,
    AT_ACTIVITY,
    AT_PERSON,
    AT_IMPORTED,
    AT_TOLD_AT,
    AT_TOLD_BY,
    HISTORY_COLUMNS
};

static const struct {
    const char *key, *label;
} history_columns[HISTORY_COLUMNS] = {
    [AT_POSITION] = {"position", N_("Event number")},
    [AT_AT] = {"at", N_("Date")},
    [AT_USER] = {"user", N_("User")},
    [AT_USER_ID] = {"user.id", N_("User number")},
    [AT_FOR] = {"on_behalf_of", N_("On behalf of")},
    [AT_CHANNEL] = {"channel", N_("Way")},
    [AT_OPERATION] = {"operation", N_("Operation number")},
    [AT_KIND] = {"kind", N_("Operation")},
    [AT_MODULE] = {"module", N_("Module")},
    [AT_RECORD] = {"record", N_("Record")},
    [AT_NAME] = {"name", N_("Name")},
    [AT_FIELD] = {"field", N_("Field")},
    [AT_OLD] = {"old", N_("Before")},
    [AT_NEW] = {"new", N_("After")},
    [AT_REASON] = {"reason", N_("Reason")},
    [AT_TEXT] = {"text", N_("Text")},
    // Of what another system tells: what it calls the activity, a person who is no user here, and by whose import it is told,
    // from when on it is proven.
    [AT_ACTIVITY] = {"activity", N_("What was done")},
    [AT_PERSON] = {"person", N_("Person who is no user")},
    [AT_IMPORTED] = {"imported", N_("Its time is told by another system")},
    [AT_TOLD_AT] = {"told_at", N_("Told by an import on")},
    [AT_TOLD_BY] = {"told_by", N_("Told by an import of")},
};

static struct xlsx_cell text_at(struct str s) {
    return (struct xlsx_cell){.type = s.n ? XLSX_TEXT : XLSX_EMPTY, .text = s};
}

static struct xlsx_cell number_at(const struct doc *d) {
    return (struct xlsx_cell){.type = doc_is_null(d) ? XLSX_EMPTY : XLSX_INTEGER,
                              .integer = doc_integer(d, 0)};
}

static void event_cells(struct exporting *x, const struct doc *d, const struct module *m) {
    struct xlsx_cell *c = x->cells;
    const struct catalogue *words = x->request->viewer->local.words;
    bool labels = x->request->labels;
    struct str module = doc_get_text(d, "module");
    c[AT_POSITION] = number_at(doc_get(d, STR("position")));
    c[AT_AT] = export_moment(x->request, doc_get_text(d, "at"), &x->row);
    c[AT_USER] = text_at(doc_get_text(doc_get(d, STR("actor")), "name"));
    c[AT_USER_ID] = number_at(doc_get(doc_get(d, STR("actor")), STR("id")));
    c[AT_FOR] = text_at(doc_get_text(doc_get(d, STR("on_behalf_of")), "name"));
    struct str channel = doc_get_text(d, "channel"), kind = doc_get_text(d, "kind");
    c[AT_CHANNEL] =
        text_at(labels ? catalogue_text(words, str_z(event_channel_word(channel))) : channel);
    c[AT_OPERATION] = number_at(doc_get(d, STR("operation")));
    const char *word = event_kind_word(event_kind_of(kind));
    c[AT_KIND] = text_at(labels && *word ? catalogue_text(words, str_z(word)) : kind);
    c[AT_MODULE] = text_at(labels && m ? catalogue_text(words, m->label) : module);
    c[AT_RECORD] = number_at(doc_get(d, STR("record")));
    c[AT_NAME] = text_at(doc_get_text(d, "name"));
    c[AT_REASON] = text_at(doc_get_text(d, "reason"));
    c[AT_TEXT] = text_at(doc_get_text(d, "text"));
    const struct doc *told = doc_get(d, STR("told_by"));
    c[AT_ACTIVITY] = text_at(doc_get_text(d, "activity"));
    c[AT_PERSON] = text_at(doc_get_text(d, "person"));
    if (doc_get_true(d, "imported"))
        c[AT_IMPORTED] = text_at(labels ? catalogue_text(words, STR("Yes")) : STR("true"));
    c[AT_TOLD_AT] = export_moment(x->request, doc_get_text(told, "at"), &x->row);
    c[AT_TOLD_BY] = text_at(doc_get_text(doc_get(told, STR("person")), "name"));
}

static void change_cells(struct exporting *x, const struct doc *event, const struct doc *change,
                         const struct module *m, const struct doc *names) {
    struct xlsx_cell *c = x->cells;
    const struct catalogue *words = x->request->viewer->local.words;
    const struct doc *old = doc_get(change, STR("old")), *new = doc_get(change, STR("new"));
    struct str key = doc_get_text(change, "field");
    const struct field *f = m && x->request->labels ? any_field(m, key) : NULL;
    bool emptied = event_kind_of(doc_get_text(event, "kind")) == KIND_ANONYMISED &&
                   doc_is_null(old) &&
                   doc_is_null(new); // what the field held is not told there either
    bool erased = doc_get_true(change, "erased") || emptied;
    c[AT_FIELD] = text_at(!f ? key : field_called(&x->row, words, f));
    struct str gone = STR(N_("(erased)"));
    if (x->request->labels)
        gone = catalogue_text(words, gone);
    c[AT_OLD] = text_at(erased ? gone : export_old_value(m, key, old, names, &x->row));
    c[AT_NEW] = text_at(erased ? gone : export_old_value(m, key, new, names, &x->row));
}

static enum status event_out(void *arg, const struct doc *d) {
    struct exporting *x = arg;
    enum status s = OK;
    if (x->request->format == EXPORT_JSONL) {
        s = export_file_doc(x->file, d, x->error);
        x->rows += s == OK;
        return s;
    }
    const struct module *m = model_module(x->model, doc_get_text(d, "module"));
    memset(x->cells, 0, HISTORY_COLUMNS * sizeof *x->cells);
    event_cells(x, d, m);
    const struct doc *changes = doc_opened(&x->row, doc_get(d, STR("changes")));
    const struct doc *names = doc_opened(&x->row, doc_get(d, STR("names")));
    bool any = false;
    doc_each(change, changes) {
        if (s != OK)
            break;
        any = true;
        change_cells(x, d, change, m, names);
        s = export_file_row(x->file, x->cells, HISTORY_COLUMNS, x->error);
        x->rows += s == OK;
    }
    if (!any) {
        s = export_file_row(x->file, x->cells, HISTORY_COLUMNS, x->error);
        x->rows += s == OK;
    }
    arena_reset(&x->row);
    return s;
}

static enum status history_out(struct exporting *x, struct error *e) {
    const struct catalogue *words = x->request->viewer->local.words;
    x->columns = arena_array(&x->arena, struct export_column, HISTORY_COLUMNS);
    for (size_t i = 0; i < HISTORY_COLUMNS; i++) {
        struct str key = str_z(history_columns[i].key);
        struct str label = catalogue_text(words, str_z(history_columns[i].label));
        x->columns[i] =
            (struct export_column){.key = key, .heading = x->request->labels ? label : key};
    }
    x->n_columns = HISTORY_COLUMNS;
    x->cells = arena_array(&x->arena, struct xlsx_cell, HISTORY_COLUMNS);
    struct str sheet = catalogue_text(words, STR("History"));
    enum status s = export_file_open(&x->file, x->request, sheet, x->columns, x->n_columns, e);
    if (s != OK)
        return s;
    struct history_query query = *x->request->history;
    query.before = -1;
    query.limit = 0;
    struct arena work = ARENA_INIT;
    struct reader reader = {x->crm, x->conn, x->model, x->request->viewer, &work};
    s = history_each(&reader, &query, event_out, x, e);
    arena_release(&work);
    return s;
}

// ---------------------------------------------------------------- journeys

enum {
    STAY_RECORD,
    STAY_NAME,
    STAY_BEFORE,
    STAY_BEFORE_ID,
    STAY_VALUE,
    STAY_VALUE_ID,
    STAY_SINCE,
    STAY_UNTIL,
    STAY_SECONDS,
    STAY_POSITION,
    STAY_COLUMNS
};

static const struct {
    const char *key, *label;
} stay_columns[STAY_COLUMNS] = {
    [STAY_RECORD] = {"id", N_("Record")},
    [STAY_NAME] = {"name", N_("Name")},
    [STAY_BEFORE] = {"before", N_("Before")},
    [STAY_BEFORE_ID] = {"before.id", N_("Number of the one before")},
    [STAY_VALUE] = {"value", N_("After")},
    [STAY_VALUE_ID] = {"value.id", N_("Number of it")},
    [STAY_SINCE] = {"since", N_("Since")},
    [STAY_UNTIL] = {"until", N_("Until")},
    [STAY_SECONDS] = {"seconds", N_("Seconds that count")},
    [STAY_POSITION] = {"position", N_("Event number")},
};

static struct xlsx_cell stay_value(const struct exporting *x, const struct doc *value) {
    const struct field *f = x->request->journeys->field;
    struct str word = doc_get_text(value, "word");
    const struct choice *c = f && x->request->labels ? field_choice(f, word) : NULL;
    if (c)
        word = catalogue_text(x->request->viewer->local.words, c->label);
    return text_at(word.n ? word : doc_get_text(value, "name"));
}

static enum status stay_out(void *arg, const struct doc *d) {
    struct exporting *x = arg;
    enum status s;
    if (x->request->format == EXPORT_JSONL) {
        s = export_file_doc(x->file, d, x->error);
    } else {
        struct xlsx_cell *c = x->cells;
        const struct doc *before = doc_get(d, STR("before")), *value = doc_get(d, STR("value"));
        c[STAY_RECORD] = number_at(doc_get(d, STR("id")));
        c[STAY_NAME] = text_at(doc_get_text(d, "name"));
        c[STAY_BEFORE] = stay_value(x, before);
        c[STAY_BEFORE_ID] = number_at(doc_get(before, STR("id")));
        c[STAY_VALUE] = stay_value(x, value);
        c[STAY_VALUE_ID] = number_at(doc_get(value, STR("id")));
        c[STAY_SINCE] = export_moment(x->request, doc_get_text(d, "since"), &x->row);
        c[STAY_UNTIL] = export_moment(x->request, doc_get_text(d, "until"), &x->row);
        c[STAY_SECONDS] = number_at(doc_get(d, STR("time")));
        c[STAY_POSITION] = number_at(doc_get(d, STR("position")));
        s = export_file_row(x->file, c, STAY_COLUMNS, x->error);
        arena_reset(&x->row);
    }
    x->rows += s == OK;
    return s;
}

static enum status journeys_out(struct exporting *x, struct error *e) {
    const struct catalogue *words = x->request->viewer->local.words;
    x->columns = arena_array(&x->arena, struct export_column, STAY_COLUMNS);
    for (size_t i = 0; i < STAY_COLUMNS; i++) {
        struct str key = str_z(stay_columns[i].key);
        struct str label = catalogue_text(words, str_z(stay_columns[i].label));
        x->columns[i] =
            (struct export_column){.key = key, .heading = x->request->labels ? label : key};
    }
    x->n_columns = STAY_COLUMNS;
    x->cells = arena_array(&x->arena, struct xlsx_cell, STAY_COLUMNS);
    struct str sheet = catalogue_text(words, STR("Traceability"));
    enum status s = export_file_open(&x->file, x->request, sheet, x->columns, x->n_columns, e);
    if (s != OK)
        return s;
    struct arena work = ARENA_INIT;
    struct reader reader = {x->crm, x->conn, x->model, x->request->viewer, &work};
    s = journey_each(&reader, x->request->journeys, x->request->stays, stay_out, x, e);
    arena_release(&work);
    return s;
}

// ---------------------------------------------------------------- the trace

// "me" is whoever reads it; in the log it is who that was.
static struct str not_me(const struct list_query *list, const struct list_filter *filter,
                         int64_t user, struct arena *a) {
    const struct field *f = any_field(list->module, filter->field);
    struct buf b = BUF_INIT(1 << 16);
    if (f && f->type != TYPE_USER)
        return filter->value;
    for (struct str rest = filter->value; rest.n;) {
        struct str one = str_cut(&rest, ',');
        if (b.n)
            buf_char(&b, ',');
        if (str_is(str_trim(one), "me"))
            buf_int(&b, user);
        else
            buf_str(&b, one);
    }
    struct str value = arena_str(a, buf_view(&b));
    buf_release(&b);
    return value;
}

static struct doc *filters_doc(const struct list_query *list, int64_t user, struct arena *a) {
    struct doc *filters = doc_array(a);
    for (size_t i = 0; i < list->n_filters; i++) {
        struct doc *one = doc_add(filters, doc_object(a));
        doc_set_str(a, one, "field", list->filters[i].field);
        doc_set_z(a, one, "operator", list_operator_name(list->filters[i].op));
        doc_set_str(a, one, "value", not_me(list, &list->filters[i], user, a));
    }
    return filters;
}

static struct doc *scope_doc(const struct history_query *h, const struct model *model,
                             struct arena *a) {
    struct doc *scope = doc_object(a);
    char text[CLOCK_TEXT];
    if (h->module && h->id)
        doc_set_str(a, scope, "record",
                    arena_printf(a, "%.*s/%lld", STR_FMT(h->module->key), (long long)h->id));
    if (h->from) {
        clock_text(h->from, text);
        doc_set_str(a, scope, "from", arena_str(a, str_z(text)));
    }
    if (h->to) {
        clock_text(h->to, text);
        doc_set_str(a, scope, "to", arena_str(a, str_z(text)));
    }
    if (h->user >= 0)
        doc_set_int(a, scope, "user", h->user);
    const struct module *of = h->of_module ? model_module_numbered(model, h->of_module) : NULL;
    if (of)
        doc_set_str(a, scope, "module", of->key);
    if (h->kind)
        doc_set_z(a, scope, "kind", event_kind_name(h->kind));
    if (h->operation >= 0)
        doc_set_int(a, scope, "operation", h->operation);
    if (h->field.n)
        doc_set_str(a, scope, "field", h->field);
    return scope;
}

static void journeys_scope(struct doc *what, const struct journey_query *q, struct arena *a) {
    const struct history_query period = {.from = q->from, .to = q->to, .user = -1, .operation = -1};
    doc_set_str(a, what, "by", q->field ? q->field->key : STR("level"));
    doc_set(what, STR("scope"), scope_doc(&period, NULL, a));
}

// Before anything leaves the house it stands in the log that it does: the file is only given out once this is durable.
static enum status leave_trace(struct action *action, void *arg, struct error *e) {
    struct exporting *x = arg;
    struct arena *a = action->write->arena;
    const struct export_request *q = x->request;
    struct doc *what = doc_object(a);
    const struct list_query *list = q->journeys ? q->journeys->only : q->list;
    doc_set_z(a, what, "what", q->journeys ? "journeys" : q->list ? "records" : "history");
    doc_set_z(a, what, "format", formats[q->format]);
    doc_set_int(a, what, "rows", x->rows);
    if (q->journeys)
        journeys_scope(what, q->journeys, a);
    if (list)
        doc_set(what, STR("filters"), filters_doc(list, q->viewer->user, a));
    else
        doc_set(what, STR("scope"), scope_doc(q->history, x->model, a));
    if (q->list && q->list->deleted)
        doc_set_bool(a, what, "deleted", true);
    struct doc *columns = doc_set_array(a, what, "columns");
    for (size_t i = 0; i < x->n_columns && list; i++)
        doc_add(columns, doc_str(a, x->columns[i].key));
    struct event_item item = {.field = STR("~export"), .new = what};
    struct event ev = {.kind = KIND_EXPORTED, .items = &item, .n_items = 1};
    // About no single record; of the whole history: it is the users' doings.
    ev.module = list                 ? list->module->key
                : q->history->module ? q->history->module->key
                                     : STR("users");
    return record_commit(action->write, action->crm, action->act, &ev, e);
}

static enum status read_out(struct exporting *x, struct conn *conn, struct error *e) {
    x->conn = conn;
    x->rows = 0;
    return x->request->journeys ? journeys_out(x, e)
           : x->request->list   ? records_out(x, e)
                                : history_out(x, e);
}

static enum status read_from_itself(struct exporting *x, struct conn *primary, struct error *e) {
    enum status s = store_begin(primary, false, e); // all of one moment
    if (s == OK)
        s = read_out(x, primary, e);
    store_rollback(primary);
    return s;
}

// False when it has to be read from the database itself; what was written of the file is gone then.
static bool read_from_replica(struct exporting *x, struct conn *primary, enum status *s,
                              struct error *e) {
    struct conn *replica = NULL;
    if (!x->request->replica ||
        !replica_begin(x->crm, &replica, primary, x->model, x->request->see, NULL)) {
        conn_close(replica);
        return false;
    }
    *s = read_out(x, replica, e);
    bool read = replica_end(x->crm, &replica);
    conn_close(replica);
    if (!read && x->file)
        export_file_close(x->file, false, NULL, NULL);
    if (!read) {
        x->file = NULL;
        *e = (struct error){0};
    }
    return read;
}

enum status export_run(struct crm *crm, const struct export_request *q, struct export_result *out,
                       struct error *e) {
    const struct module *m = q->journeys ? q->journeys->module
                             : q->list   ? q->list->module
                                         : q->history->module;
    // A record's own history is for whoever may see the record.
    if (!may(q->viewer, m, VERB_EXPORT) ||
        (!q->list && !may(q->viewer, m, m ? VERB_VIEW : VERB_AUDIT)))
        return error_set(e, DENIED, NULL, N_("You may not export this."), NULL);
    struct exporting x = {.request = q, .crm = crm, .error = e};
    struct export_result result = {.position = -1};
    x.model = crm_model_hold(crm);
    struct conn *primary = NULL;
    enum status s = store_connect(crm_store(crm), STORE_SCAN, &primary, e);
    if (s == OK && !read_from_replica(&x, primary, &s, e))
        s = read_from_itself(&x, primary, e);
    conn_close(primary);
    if (x.file) {
        enum status closed = export_file_close(x.file, s == OK, &result.bytes, e);
        s = s == OK ? closed : s;
    }
    struct act act = {.viewer = q->viewer, .channel = q->channel, .operation = -1, .cause = -1};
    if (s == OK) {
        s = action_run(crm, &act, leave_trace, &x, e);
        if (s != OK)
            export_file_remove(q->path);
    }
    crm_model_release(crm, x.model);
    arena_release(&x.row);
    arena_release(&x.arena);
    if (s != OK)
        return s;
    result.rows = x.rows;
    result.position = act.operation;
    *out = result;
    return OK;
}
