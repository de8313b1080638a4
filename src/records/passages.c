#include "records/passages.h"

#include "history/payload.h"

// ---------------------------------------------------------------- the text

#define DIGIT PASSAGES_DIGIT
#define MORE PASSAGES_MORE

static void number_add(struct buf *b, uint64_t n) {
    for (; n >= MORE; n >>= 5)
        buf_char(b, (char)(DIGIT + MORE + (n & (MORE - 1))));
    buf_char(b, (char)(DIGIT + n));
}

static void time_add(struct buf *b, micros at) {
    for (int i = 0; i < PASSAGES_TIME; i++)
        buf_char(b, (char)(DIGIT + ((uint64_t)at >> (6 * i) & 63)));
}

enum status passages_damaged(struct error *e) {
    return error_set(
        e, CORRUPT, NULL,
        N_("Where records stood can't be read. 'cronista rebuild' makes it again from the log."),
        NULL);
}

void passages_event(struct buf *steps, int64_t position, micros at, int64_t values) {
    number_add(steps, (uint64_t)position);
    time_add(steps, at);
    number_add(steps, (uint64_t)values);
}

void passages_value(struct buf *steps, struct str field, enum passage_kind kind, int64_t id,
                    struct str word) {
    number_add(steps, (uint64_t)field.n << 2 | kind);
    buf_str(steps, field);
    if (kind == PASSAGE_ID)
        number_add(steps, (uint64_t)id);
    if (kind == PASSAGE_WORD) {
        number_add(steps, word.n);
        buf_str(steps, word);
    }
}

void passages_without(struct str steps, int64_t position, struct str field, struct buf *out) {
    struct passages p = PASSAGES_OF(steps);
    struct passage one;
    while (p.p < p.end && !p.damaged) {
        struct passages event = p;
        int64_t left = 0;
        // An event without values has to stay one, so the heads are read here.
        int64_t at_position = (int64_t)passages_number(&event);
        micros at = passages_time(&event);
        int64_t values = (int64_t)passages_number(&event);
        p = event;
        p.position = at_position;
        p.left = values;
        for (struct passages look = p; look.left && passages_next(&look, &one);)
            left += at_position != position || !str_eq(one.field, field);
        passages_event(out, at_position, at, left);
        while (p.left && passages_next(&p, &one))
            if (at_position != position || !str_eq(one.field, field))
                passages_value(out, one.field, one.kind, one.id, one.word);
    }
}

// ---------------------------------------------------------------- keeping it

bool field_has_passages(const struct field *f) {
    return f->type == TYPE_CHOICE || f->type == TYPE_YES_NO || f->type == TYPE_USER ||
           (f->type == TYPE_LINK && (str_is(f->target, "groups") || str_is(f->target, "levels")));
}

// The field that the item is of, if its values are kept; NULL otherwise. *owner: it is who is in charge, which is no field.
static const struct field *kept_field(const struct module *m, const struct event_item *item,
                                      bool *owner) {
    const struct field *f =
        item->field.n && item->field.p[0] == '~' ? NULL : module_field(m, item->field);
    *owner = !f && str_is(item->field, "owner");
    return f && field_has_passages(f) ? f : NULL;
}

static void value_add(struct buf *b, struct str field, bool is_word, const struct doc *value) {
    if (doc_is_null(value))
        passages_value(b, field, PASSAGE_NONE, 0, STR(""));
    else if (is_word)
        passages_value(b, field, PASSAGE_WORD, 0, doc_text(value));
    else
        passages_value(b, field, PASSAGE_ID, doc_integer(value, doc_true(value)), STR(""));
}

#define EVENT_MOST PAYLOAD_MAX // bytes of what one event brings, which takes less than its payload

// Values that were erased are known no more: a rebuild does not find them either.
static enum status forget(struct conn *conn, int64_t position, struct str field, struct error *e) {
    struct buf less = BUF_INIT(0);
    struct stmt *row = NULL;
    bool more = false;
    int64_t module = 0, record = 0, first = 0;
    struct param where[] = {P_INT(position)};
    enum status s = store_query(conn, QUERY_PASSAGES_AT, where, 1, &row, e);
    if (!s)
        s = store_next(row, &more, e);
    if (!s && more) {
        module = stmt_int(row, 0);
        record = stmt_int(row, 1);
        first = stmt_int(row, 2);
        less.max = stmt_text(row, 3).n; // there is never more of it afterwards
        passages_without(stmt_text(row, 3), position, field, &less);
    }
    store_done(row);
    if (!s && less.overflow)
        s = passages_damaged(e);
    if (!s && more) {
        struct param p[] = {P_INT(module), P_INT(record), P_INT(first), P_TEXT(buf_view(&less))};
        s = store_run(conn, QUERY_PASSAGES_WRITE, p, 4, NULL, e);
    }
    buf_release(&less);
    return s;
}

static enum status forget_all(struct conn *conn, const struct doc *erased, struct error *e) {
    enum status s = OK;
    doc_each(told, erased) {
        const struct doc *position = doc_first(told);
        doc_each(field, told) {
            if (!s && field != position)
                s = forget(conn, doc_integer(position, -1), doc_text(field), e);
        }
    }
    return s;
}

// What was erased counts as an event all the same, so that rows hold the same events after a rebuild.
static enum status keep(struct conn *conn, const struct module *m, const struct event *ev,
                        struct error *e) {
    struct buf values = BUF_INIT(EVENT_MOST), steps = BUF_INIT(EVENT_MOST);
    bool created = ev->kind == KIND_CREATED, kept = created, owned = false, owner;
    int64_t n = 0;
    for (size_t i = 0; i < ev->n_items; i++) {
        const struct event_item *item = &ev->items[i];
        const struct field *f = kept_field(m, item, &owner);
        kept = kept || f || owner;
        owned = owned || owner;
        if ((!f && !owner) || item->erased || (f && created && doc_is_null(item->new)))
            continue;
        value_add(&values, item->field, f && f->type == TYPE_CHOICE, item->new);
        n++;
    }
    if (created && !owned) {
        value_add(&values, STR("owner"), false, NULL);
        n++;
    }
    passages_event(&steps, ev->position, ev->at, n);
    buf_str(&steps, buf_view(&values));
    struct param p[] = {P_INT(m->number), P_INT(ev->record), P_INT(ev->position),
                        P_TEXT(buf_view(&steps)), P_INT(PASSAGES_IN_ROW)};
    enum status s = OK;
    if (values.overflow || steps.overflow)
        s = error_set(e, TOO_LARGE, NULL, N_("This change is too large to be recorded."), NULL);
    else if (kept)
        s = store_insert(conn, QUERY_PASSAGES_ADD, p, 5, e);
    buf_release(&values);
    buf_release(&steps);
    return s;
}

enum status passages_follow(struct conn *conn, const struct module *m, const struct event *ev,
                            struct error *e) {
    enum status s = keep(conn, m, ev, e);
    for (size_t i = 0; i < ev->n_items && ev->kind == KIND_ANONYMISED && !s; i++)
        if (str_is(ev->items[i].field, "~erased"))
            s = forget_all(conn, ev->items[i].new, e);
    return s;
}
