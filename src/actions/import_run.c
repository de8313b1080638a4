// A way through the whole file: dry, or writing.
//
// The calling thread reads and prepares rows while the writer takes the slice before: two slices are on their way at
// any time. Slices are background work, so that a person's save goes before them.
#include "actions/import_private.h"

#include <unistd.h>

#include "actions/values.h"
#include "formats/json.h"
#include "records/rows.h"

void progress_set(struct import *job, const struct totals *t) {
    job->row = t->row;
    job->created = t->created;
    job->changed = t->changed + t->unchanged;
    job->skipped = t->skipped;
    job->refused = t->refused;
}

void import_cancel(struct import *job) {
    job->cancel = true;
}

void import_progress(const struct import *job, struct import_progress *out) {
    *out = (struct import_progress){
        .id = job->id,
        .row = job->row,
        .created = job->created,
        .changed = job->changed,
        .skipped = job->skipped,
        .refused = job->refused,
        .bytes = job->bytes,
        .all_bytes = job->all_bytes,
        .running = job->running,
        .cancelled = job->cancel,
    };
}

// ---------------------------------------------------------------- the report

const char import_unset_note[] = N_("links to rows further down that were refused stayed empty");

const char import_known_note[] = N_("rows that were told before, word for word");

void import_notes(struct pass *p, const struct source *source) {
    const struct import *job = p->job;
    tally_note(p->tally, N_("characters that the encoding does not know became �"),
               source_replaced(source));
    for (size_t i = 0; i < job->n_columns; i++)
        tally_note(p->tally, N_("columns of the file that are not imported"),
                   job->mapping.rules[i].field == NULL);
}

struct doc *import_report(const struct import *job, const struct totals *t, const char *state,
                          struct arena *a) {
    struct doc *report = doc_object(a);
    doc_set_str(a, report, "module", job->module->key);
    doc_set_z(a, report, "state", state);
    doc_set_int(a, report, "rows", t->row);
    doc_set_int(a, report, "created", t->created);
    doc_set_int(a, report, "changed", t->changed);
    doc_set_int(a, report, "unchanged", t->unchanged);
    doc_set_int(a, report, "skipped", t->skipped);
    doc_set_int(a, report, "refused", t->refused);
    doc_set_int(a, report, "linked_later", t->linked);
    return report;
}

// ---------------------------------------------------------------- preview

#define PREVIEW_OF 5000 // rows at the beginning of a history, of which the first are shown

static struct doc *cell_doc(const struct pass *p, const struct row *row, int column,
                            struct arena *a) {
    struct doc *cell = doc_object(a);
    bool there = (size_t)column < row->n_cells;
    doc_set_str(a, cell, "text", there ? arena_str(a, row->cells[column].text) : STR(""));
    for (size_t i = 0; i < row->n_items; i++) {
        const struct row_item *item = &row->items[i];
        if (item->rule->index == column && item->value)
            doc_set(cell, STR("value"), doc_copy(a, item->value));
    }
    for (const struct row_problem *q = row->problems; q; q = q->next)
        if (q->column == column && !doc_get(cell, STR("problem")))
            doc_set_str(a, cell, "problem", import_text(p->job, &q->error, a));
    return cell;
}

// What the activity of the row sets.
static void preview_sets(const struct import *job, const struct row *row, struct arena *a,
                         struct doc *told) {
    const struct doc *activity =
        doc_get(doc_get(job->mapping_doc, STR("history")), STR("activity"));
    const struct doc *sets =
        activity && activity->type == DOC_OBJECT ? doc_get(activity, STR("sets")) : NULL;
    struct doc *d = doc_set_object(a, told, "sets");
    for (size_t i = 0; i < row->n_items; i++) {
        const struct row_item *item = &row->items[i];
        if (item->rule->index < 0 && item->value && doc_get(sets, item->rule->field->key))
            doc_set(d, item->rule->field->key, doc_copy(a, item->value));
    }
}

// A row of a history as it would be told: when, by whom, what is done by it, and in which columns it says the same as before.
static enum status preview_told(struct pass *p, struct row *row, const char **does, bool *same,
                                struct arena *a, struct doc *one, struct error *e) {
    static const char *const words[] = {"create", "change", "same", "known", "refuse", "refuse"};
    const struct import_mapping *map = &p->job->mapping;
    const struct told_row *told = row->told;
    struct error why = {0};
    enum tell how;
    char at[CLOCK_TEXT];
    p->telling.n_texts = map->n_rules + map->n_set;
    enum status s = case_decide(&p->telling, p->job, p->job->conn, row, clock_now(), &how, &why, e);
    if (s != OK)
        return s;
    if (why.msgid)
        row_problem(row, a, -1, &why);
    *does = words[how];
    for (size_t i = 0; i < p->job->n_columns; i++)
        same[i] = how != TELL_CREATE && !case_differs(&p->telling, map, told, i);
    case_behind(&p->telling, p->job, row, how);
    struct doc *d = doc_set_object(a, one, "told");
    if (told->at != SORT_NEVER) {
        clock_text(told->at, at);
        doc_set_str(a, d, "at", arena_str(a, str_z(at)));
    }
    struct str person = map->history->person && (size_t)map->history->person->index < row->n_cells
                            ? row->cells[map->history->person->index].text
                            : STR("");
    doc_set_str(a, d, "person", person);
    doc_set_str(a, d, "activity", told->activity);
    preview_sets(p->job, row, a, d);
    return OK;
}

static enum status preview_row(struct pass *p, struct row *row, struct doc *rows, struct arena *a,
                               struct error *e) {
    static const char *const fates[] = {"create", "change", "skip", "refuse"};
    struct doc *one = doc_add(rows, doc_object(a));
    const char *does = fates[row->fate];
    bool *same = arena_array(a, bool, p->job->n_columns + 1);
    enum status s = row->told ? preview_told(p, row, &does, same, a, one, e) : OK;
    doc_set_int(a, one, "row", row->number);
    doc_set_z(a, one, "does", does);
    if (row->duplicate.kind == REF_RECORD)
        doc_set_int(a, one, "id", row->duplicate.n);
    struct doc *cells = doc_set_array(a, one, "cells");
    for (size_t i = 0; i < p->job->n_columns; i++) {
        struct doc *cell = doc_add(cells, cell_doc(p, row, (int)i, a));
        if (same[i])
            doc_set_bool(a, cell, "same", true);
    }
    struct doc *problems = doc_set_array(a, one, "problems");
    for (const struct row_problem *q = row->problems; q; q = q->next)
        if (q->column < 0)
            doc_add(problems, doc_str(a, import_text(p->job, &q->error, a)));
    return s;
}

static enum status values_tell(struct pass *pass, const struct doc *values, struct arena *a,
                               struct doc *d, struct error *e) {
    struct doc *here;
    enum status s = values_here(pass, values, VALUES_TOLD, a, &here, e);
    if (s == OK)
        doc_set(d, STR("values"), here);
    return s;
}

enum status import_preview(struct import *job, int rows, const struct doc *values, struct arena *a,
                           struct doc **out, struct error *e) {
    struct pass pass;
    struct source *source = NULL;
    struct doc *d = doc_object(a);
    struct doc *columns = doc_set_array(a, d, "columns");
    for (size_t i = 0; i < job->n_columns; i++) {
        const struct field *f = job->mapping.rules[i].field;
        doc_add(columns, f ? doc_str(a, f->key) : doc_null(a));
    }
    struct doc *list = doc_set_array(a, d, "rows");
    enum status s = pass_begin(&pass, job, 0, e);
    if (s != OK)
        return s;
    pass.quiet = true;
    s = job_source(job, PREVIEW_OF, &source, e);
    struct import_line line;
    bool more = true;
    for (int64_t index = 1;
         s == OK && index <= rows && (s = source_next(source, &line, &more, e)) == OK && more;
         index++) {
        struct row row;
        pass_prepare(&pass, &line, index, a, &row);
        s = preview_row(&pass, &row, list, a, e);
    }
    source_close(source);
    if (s == OK && values && job->mapping.history)
        s = values_tell(&pass, values, a, d, e);
    pass_end(&pass);
    if (s == OK)
        *out = d;
    return s;
}

// ---------------------------------------------------------------- dry run

// Whether a row would change the record it is a duplicate of.
static enum status would_change(struct pass *p, const struct row *row, struct arena *a,
                                bool *changes, struct error *e) {
    *changes = true;
    if (row->duplicate.kind != REF_RECORD)
        return OK;
    struct doc *before;
    enum status s = row_get(p->reader.conn, p->job->module, row->duplicate.n, a, &before, e);
    if (s != OK)
        return s;
    *changes = false;
    for (size_t i = 0; i < row->n_items && !*changes; i++) {
        const struct row_item *item = &row->items[i];
        if (item->rule->id)
            continue;
        const struct doc *now = doc_get(before, item->rule->field->key);
        const struct doc *value = item->value;
        struct doc *ids = doc_array(a);
        bool known = true;
        for (size_t j = 0; j < item->n_refs; j++) {
            known = known && item->refs[j].kind == REF_RECORD;
            doc_add(ids, doc_int(a, item->refs[j].n));
        }
        if (item->n_refs)
            value = item->rule->field->type == TYPE_LINKS ? ids : ids->first;
        *changes = !known || !value_equal(item->rule->field, value, now);
    }
    return OK;
}

// Links to rows further down, whose fate is known at the end.
struct waiting {
    const struct rule *rule;
    struct str text;
    struct waiting *next;
};

static void waiting_tell(struct pass *p, const struct waiting *first) {
    int64_t unset = 0;
    struct arena a = ARENA_INIT;
    for (const struct waiting *w = first; w; w = w->next) {
        bool any = false;
        for (struct str rest = w->text; rest.n && !any;) {
            struct str one = rule_part(w->rule, &rest);
            struct ref ref = pass_find(p, w->rule, one, &a);
            any = ref.kind != REF_NONE && ref.kind != REF_SEVERAL;
        }
        unset += !any;
    }
    tally_note(p->tally, import_unset_note, unset);
    arena_release(&a);
}

// A row of a history: what is refused only now goes into the file of refused rows like the rest.
static enum status check_told(struct pass *p, struct row *row, struct totals *t, struct arena *a,
                              struct error *e) {
    struct error why = {0};
    enum tell how;
    p->telling.n_texts = p->job->mapping.n_rules + p->job->mapping.n_set;
    enum status s = case_decide(&p->telling, p->job, p->job->conn, row, clock_now(), &how, &why, e);
    if (s != OK)
        return s;
    if (why.msgid) {
        row_problem(row, a, -1, &why);
        struct str text = import_text(p->job, &why, a);
        tally_problem(p->tally, STR(""), text, why.msgid, row->number);
        tally_refusal(p->tally, row->number, STR(""), STR(""), text);
    }
    t->row = row->index;
    t->number = row->number;
    t->created += how == TELL_CREATE;
    t->changed += how == TELL_CHANGE;
    t->unchanged += how == TELL_NOTHING;
    t->skipped += how == TELL_KNOWN;
    bool refused = how == TELL_REFUSE || how == TELL_LATE;
    t->refused += refused;
    tally_note(p->tally, import_known_note, how == TELL_KNOWN);
    if (refused)
        import_errors_row(p->job, row);
    case_behind(&p->telling, p->job, row, how);
    return OK;
}

static enum status check_row(struct pass *p, struct row *row, struct totals *t,
                             struct waiting **waiting, struct arena *a, struct error *e) {
    bool changes = false;
    enum status s = row->fate == FATE_CHANGE ? would_change(p, row, a, &changes, e) : OK;
    if (row->told)
        return check_told(p, row, t, a, e);
    t->row = row->index;
    t->number = row->number;
    t->created += row->fate == FATE_CREATE;
    t->changed += row->fate == FATE_CHANGE && changes;
    t->unchanged += row->fate == FATE_CHANGE && !changes;
    t->skipped += row->fate == FATE_SKIP;
    t->refused += row->fate == FATE_REFUSE;
    for (size_t i = 0; i < row->n_items && row->fate <= FATE_CHANGE; i++) {
        if (!row->items[i].later)
            continue;
        struct waiting *w = arena_new(&p->arena, struct waiting);
        *w = (struct waiting){row->items[i].rule, arena_str(&p->arena, row->items[i].text),
                              *waiting};
        *waiting = w;
        t->linked++;
    }
    if (row->fate == FATE_REFUSE)
        import_errors_row(p->job, row);
    return s;
}

enum status import_check(struct import *job, struct arena *a, struct doc **report,
                         struct error *e) {
    struct pass pass;
    struct source *source = NULL;
    struct totals totals = {0};
    struct waiting *waiting = NULL;
    struct arena work = ARENA_INIT;
    job->cancel = false;
    job->running = true;
    enum status s = pass_begin(&pass, job, 0, e);
    if (s != OK) {
        job->running = false;
        return s;
    }
    s = import_errors_begin(job, 0, false, NULL, e);
    if (s == OK)
        s = job_source(job, 0, &source, e);
    struct import_line line;
    bool more = true;
    for (int64_t index = 1;
         s == OK && !job->cancel && (s = source_next(source, &line, &more, e)) == OK && more;
         index++) {
        struct row row;
        pass_prepare(&pass, &line, index, &work, &row);
        s = check_row(&pass, &row, &totals, &waiting, &work, e);
        if (index % 64 == 0) {
            progress_set(job, &totals);
            job->bytes = source_bytes(source);
        }
        arena_reset(&work);
    }
    struct doc *values = NULL;
    if (s == OK && job->mapping.history && !job->cancel)
        s = import_values(job, VALUES_TOLD, a, &values, e);
    if (s == OK) {
        waiting_tell(&pass, waiting);
        import_notes(&pass, source);
        struct doc *d = import_report(job, &totals, job->cancel ? "stopped" : "done", a);
        doc_set_bool(a, d, "dry_run", true);
        tally_write(pass.tally, job, a, d);
        s = values ? values_tell(&pass, values, a, d, e) : OK;
        *report = d;
    }
    import_errors_end(job);
    progress_set(job, &totals);
    source_close(source);
    pass_end(&pass);
    arena_release(&work);
    job->running = false;
    return s;
}
