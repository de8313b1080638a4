// The report: nothing that was changed, left out or refused goes by in silence.
#include "actions/import_private.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "formats/catalogue.h"

#define PROBLEMS 200 // different ones; more are counted together
#define REFUSALS 100 // rows told one by one
#define CELL 160     // bytes told of a refused cell
#define MISSING 200  // different values per column

struct problem {
    struct str column, text;
    const char *msgid;
    int64_t rows, first;
    struct problem *next;
};

struct refusal {
    int64_t row;
    struct str column, cell, text;
    struct refusal *next;
};

struct missing {
    struct str value;
    const char *did;
    int64_t rows;
    struct missing *next;
};

struct link_tally {
    const struct rule *rule;
    int64_t counts[4];
    struct missing *missing, **missing_end;
    size_t n_missing;
    int64_t more; // rows with values past the most
    struct link_tally *next;
};

struct note {
    const char *msgid;
    int64_t times;
    struct note *next;
};

struct tally {
    struct arena arena;
    struct problem *problems, **problems_end;
    size_t n_problems;
    int64_t more_problems;
    struct refusal *refusals, **refusals_end;
    size_t n_refusals;
    struct link_tally *links, **links_end;
    struct note *notes, **notes_end;
};

struct tally *tally_new(void) {
    struct tally *t = must_alloc(sizeof *t);
    *t = (struct tally){.n_problems = 0};
    t->problems_end = &t->problems;
    t->refusals_end = &t->refusals;
    t->links_end = &t->links;
    t->notes_end = &t->notes;
    return t;
}

void tally_free(struct tally *t) {
    if (!t)
        return;
    arena_release(&t->arena);
    free(t);
}

void tally_problem(struct tally *t, struct str column, struct str text, const char *msgid,
                   int64_t row) {
    for (struct problem *p = t->problems; p; p = p->next)
        if (p->msgid == msgid && str_eq(p->column, column)) {
            p->rows++;
            return;
        }
    if (t->n_problems == PROBLEMS) {
        t->more_problems++;
        return;
    }
    struct problem *p = arena_new(&t->arena, struct problem);
    *p = (struct problem){
        arena_str(&t->arena, column), arena_str(&t->arena, text), msgid, 1, row, NULL};
    *t->problems_end = p;
    t->problems_end = &p->next;
    t->n_problems++;
}

void tally_refusal(struct tally *t, int64_t row, struct str column, struct str cell,
                   struct str text) {
    if (t->n_refusals == REFUSALS)
        return;
    struct refusal *r = arena_new(&t->arena, struct refusal);
    struct arena *a = &t->arena;
    struct str shown = {cell.p, utf8_cut(cell, CELL)};
    shown = shown.n < cell.n ? arena_printf(a, "%.*s…", STR_FMT(shown)) : arena_str(a, shown);
    *r = (struct refusal){row, arena_str(a, column), shown, arena_str(a, text), NULL};
    *t->refusals_end = r;
    t->refusals_end = &r->next;
    t->n_refusals++;
}

void tally_note(struct tally *t, const char *msgid, int64_t times) {
    if (times <= 0)
        return;
    for (struct note *n = t->notes; n; n = n->next)
        if (n->msgid == msgid) {
            n->times += times;
            return;
        }
    struct note *n = arena_new(&t->arena, struct note);
    *n = (struct note){msgid, times, NULL};
    *t->notes_end = n;
    t->notes_end = &n->next;
}

static struct link_tally *link_of(struct tally *t, const struct rule *rule) {
    for (struct link_tally *l = t->links; l; l = l->next)
        if (l->rule == rule)
            return l;
    struct link_tally *l = arena_new(&t->arena, struct link_tally);
    l->rule = rule;
    l->missing_end = &l->missing;
    *t->links_end = l;
    t->links_end = &l->next;
    return l;
}

void tally_link(struct tally *t, const struct rule *rule, enum tally_link what) {
    link_of(t, rule)->counts[what]++;
}

void tally_missing(struct tally *t, const struct rule *rule, struct str value, const char *did) {
    struct link_tally *l = link_of(t, rule);
    for (struct missing *m = l->missing; m; m = m->next)
        if (m->did == did && str_eq(m->value, value)) {
            m->rows++;
            return;
        }
    if (l->n_missing == MISSING) {
        l->more++;
        return;
    }
    struct missing *m = arena_new(&t->arena, struct missing);
    *m = (struct missing){arena_str(&t->arena, value), did, 1, NULL};
    *l->missing_end = m;
    l->missing_end = &m->next;
    l->n_missing++;
}

// ---------------------------------------------------------------- writing

struct str import_text(const struct import *job, const struct error *e, struct arena *a) {
    struct str message = catalogue_text(job->viewer->local.words, str_z(e->msgid));
    char text[1024];
    error_format(e, message, text, sizeof text);
    return arena_str(a, str_z(text));
}

struct str import_word(const struct import *job, struct str msgid) {
    return catalogue_text(job->viewer->local.words, msgid);
}

struct str import_field_label(const struct import *job, const struct field *f, struct arena *a) {
    return field_called(a, job->viewer->local.words, f);
}

static struct str told(const struct import *job, const char *msgid, struct arena *a) {
    struct error e = {.msgid = msgid};
    return import_text(job, &e, a);
}

static void links_write(const struct tally *t, const struct import *job, struct arena *a,
                        struct doc *report) {
    struct doc *links = doc_set_array(a, report, "links");
    for (struct link_tally *l = t->links; l; l = l->next) {
        struct doc *one = doc_add(links, doc_object(a));
        doc_set_str(a, one, "column", l->rule->column);
        doc_set_str(a, one, "field", l->rule->field->key);
        doc_set_int(a, one, "found", l->counts[LINK_FOUND]);
        doc_set_int(a, one, "blank", l->counts[LINK_BLANK]);
        doc_set_int(a, one, "created", l->counts[LINK_CREATED]);
        doc_set_int(a, one, "later", l->counts[LINK_LATER]);
        struct doc *missing = doc_set_array(a, one, "missing");
        for (struct missing *m = l->missing; m; m = m->next) {
            struct doc *value = doc_add(missing, doc_object(a));
            doc_set_str(a, value, "value", arena_str(a, m->value));
            doc_set_int(a, value, "rows", m->rows);
            doc_set_str(a, value, "did", told(job, m->did, a));
        }
        doc_set_int(a, one, "missing_more", l->more);
    }
}

static void replacements_write(const struct import *job, struct arena *a, struct doc *report) {
    struct doc *replaced = doc_set_array(a, report, "replaced");
    for (size_t i = 0; i < job->mapping.n_rules; i++) {
        const struct rule *rule = &job->mapping.rules[i];
        for (size_t j = 0; j < rule->n_replace; j++) {
            struct doc *one = doc_add(replaced, doc_object(a));
            doc_set_str(a, one, "column", rule->column);
            doc_set_str(a, one, "from", rule->replace[j].from);
            doc_set_str(a, one, "to", rule->replace[j].to);
            doc_set_int(a, one, "rows", rule->replace[j].rows);
        }
    }
}

void tally_write(const struct tally *t, const struct import *job, struct arena *a,
                 struct doc *report) {
    struct doc *problems = doc_set_array(a, report, "problems");
    for (struct problem *p = t->problems; p; p = p->next) {
        struct doc *one = doc_add(problems, doc_object(a));
        doc_set_str(a, one, "column", arena_str(a, p->column));
        doc_set_str(a, one, "problem", arena_str(a, p->text));
        doc_set_int(a, one, "rows", p->rows);
        doc_set_int(a, one, "first_row", p->first);
    }
    doc_set_int(a, report, "problems_more", t->more_problems);
    struct doc *refusals = doc_set_array(a, report, "refusals");
    for (struct refusal *r = t->refusals; r; r = r->next) {
        struct doc *one = doc_add(refusals, doc_object(a));
        doc_set_int(a, one, "row", r->row);
        doc_set_str(a, one, "column", arena_str(a, r->column));
        doc_set_str(a, one, "value", arena_str(a, r->cell));
        doc_set_str(a, one, "problem", arena_str(a, r->text));
    }
    replacements_write(job, a, report);
    links_write(t, job, a, report);
    struct doc *notes = doc_set_array(a, report, "notes");
    for (struct note *n = t->notes; n; n = n->next) {
        struct doc *one = doc_add(notes, doc_object(a));
        doc_set_str(a, one, "note", told(job, n->msgid, a));
        doc_set_int(a, one, "rows", n->times);
    }
}
