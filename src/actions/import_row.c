// A line of the file becomes a row: values, what its links lead to, whether it is there already, what is wrong with it.
#include "actions/calendar.h"
#include "actions/import_private.h"

#include "formats/fold.h"
#include "records/scope.h"

void row_problem(struct row *row, struct arena *a, int column, const struct error *e) {
    struct row_problem *p = arena_new(a, struct row_problem);
    *p = (struct row_problem){.column = column, .error = *e};
    struct row_problem **end = &row->problems;
    while (*end)
        end = &(*end)->next;
    *end = p;
    row->fate = FATE_REFUSE;
}

// ---------------------------------------------------------------- texts

static struct str replaced_text(const struct rule *rule, struct str text,
                                struct replacement **replaced) {
    for (size_t i = 0; i < rule->n_replace; i++)
        if (str_eq(rule->replace[i].from, text)) {
            if (replaced)
                *replaced = &rule->replace[i];
            return rule->replace[i].to;
        }
    return rule->otherwise_said && text.n ? rule->otherwise : text;
}

struct import_cell row_cell(const struct rule *rule, const struct import_line *line,
                            struct replacement **replaced) {
    if (rule->index < 0 || (size_t)rule->index >= line->n)
        return (struct import_cell){.text = {"", 0}, .raw = {"", 0}};
    struct import_cell cell = line->cells[rule->index];
    struct str text = replaced_text(rule, cell.text, replaced);
    if (text.p == cell.text.p)
        return cell;
    return (struct import_cell){.text = text, .raw = text};
}

// "José Ramón Ñ." as "jose.ramon.n"
static struct str plain(struct str text, struct arena *a) {
    struct str folded = fold_str(a, text);
    char *out = arena_bytes(a, folded.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < folded.n; i++) {
        char c = folded.p[i];
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            out[n++] = c;
        else if (n && out[n - 1] != '.')
            out[n++] = '.';
    }
    while (n && out[n - 1] == '.')
        n--;
    return (struct str){out, n};
}

// "José Ñ." as "jose.n.5fd924625f6a": texts that differ only in what plain() leaves out differ here too.
static struct str address(struct str text, struct arena *a) {
    char hex[HASH_HEX];
    struct str word = plain(text, a);
    word.n = word.n > 40 ? 40 : word.n;
    hash_hex(hash_of_parts(&text, 1), hex);
    return text.n ? arena_printf(a, "%.*s%s%.12s", STR_FMT(word), word.n ? "." : "", hex) : text;
}

struct str row_template(const struct import_mapping *map, const struct set_rule *set,
                        const struct import_line *line, struct str value, struct arena *a) {
    struct buf out = BUF_INIT(1 << 20);
    bool columns = false, filled = false;
    for (size_t i = 0; i < set->n_parts; i++) {
        const struct template_part *part = &set->parts[i];
        struct str text = part->text;
        if (part->column == PART_VALUE)
            text = value;
        else if (part->column >= 0)
            text = row_cell(&map->rules[part->column], line, NULL).text;
        if (part->column != PART_LITERAL) {
            columns = true;
            filled = filled || text.n;
        }
        buf_str(&out, part->plain ? plain(text, a) : part->address ? address(text, a) : text);
    }
    // Of columns that are all blank, what stands between them says nothing.
    struct str made = columns && !filled ? STR("") : str_trim(arena_str(a, buf_view(&out)));
    buf_release(&out);
    return replaced_text(set->rule, made, NULL);
}

// ---------------------------------------------------------------- links

struct link_event { // told to the report once the row is taken
    const struct rule *rule;
    enum tally_link what;
    struct made *made;
    struct str text;
    const char *did;
    struct link_event *next;
};

struct preparing {
    struct pass *pass;
    const struct import_line *line;
    struct row *row;
    struct arena *arena; // of the row
    struct link_event *events;
};

static void event_add(struct preparing *w, const struct rule *rule, enum tally_link what,
                      struct made *made, struct str text, const char *did) {
    struct link_event *ev = arena_new(w->arena, struct link_event);
    *ev = (struct link_event){rule, what, made, text, did, w->events};
    w->events = ev;
}

static void problem(struct preparing *w, const struct rule *rule, const char *msgid,
                    struct str what, struct str more) {
    struct error e = {0};
    error_set(&e, INVALID, NULL, msgid, arena_dup(w->arena, what), arena_dup(w->arena, more), NULL);
    row_problem(w->row, w->arena, rule->index, &e);
}

static bool items_of_text(struct preparing *, const struct rule *, struct import_cell,
                          struct arena *, struct row_item *, bool home);

// A record to be made under this name, when it comes to writing. What it consists of lives as long as the pass.
static struct made *made_new(struct preparing *w, const struct rule *rule, struct str name) {
    struct pass *p = w->pass;
    struct arena *a = &p->arena;
    struct made *made = arena_new(a, struct made);
    made->module = rule->target;
    made->items = arena_array(a, struct row_item, rule->n_create + 1);
    name = arena_str(a, name);
    const struct field *title = module_field(rule->target, rule->target->title);
    struct rule *title_rule = arena_new(a, struct rule);
    *title_rule = (struct rule){
        .column = rule->column, .index = rule->index, .field = title, .currency_column = -1};
    struct import_cell cell = {.text = name, .raw = name};
    bool good = items_of_text(w, title_rule, cell, a, &made->items[made->n_items], false);
    made->n_items += good;
    for (size_t i = 0; i < rule->n_create && good; i++) {
        const struct set_rule *set = &rule->create[i];
        cell.text = cell.raw = row_template(&p->job->mapping, set, w->line, name, a);
        if (!cell.text.n)
            continue;
        good = items_of_text(w, set->rule, cell, a, &made->items[made->n_items], false);
        made->n_items += good;
    }
    if (!good)
        return NULL;
    made->next = p->made;
    p->made = made;
    pass_name(p, rule->target, name, ref_made(made), w->arena);
    return made;
}

static bool missing(struct preparing *w, const struct rule *rule, struct str text,
                    struct ref *out) {
    struct made *made;
    switch (rule->missing) {
    case MISSING_EMPTY:
        event_add(w, rule, LINK_BLANK, NULL, text, N_("left empty"));
        return false;
    case MISSING_CREATE:
        if (!(made = made_new(w, rule, text)))
            return false;
        *out = ref_made(made);
        event_add(w, rule, LINK_CREATED, made, text, N_("created"));
        return true;
    case MISSING_REFUSE:
        break;
    }
    problem(w, rule, N_("There is no \"{0}\" among the {1}."), text,
            import_word(w->pass->job, rule->target->label));
    if (!w->pass->quiet)
        tally_missing(w->pass->tally, rule, text, N_("refused"));
    return false;
}

// One name of a cell; *later when it leads to a row further down.
static bool link_one(struct preparing *w, const struct rule *rule, struct str text, bool home,
                     struct ref *out, bool *later) {
    struct ref ref = pass_find(w->pass, rule, text, w->arena);
    if (ref.kind == REF_SEVERAL) {
        problem(w, rule, N_("More than one of the {1} is called \"{0}\"."), text,
                import_word(w->pass->job, rule->target->label));
        return false;
    }
    if (ref.kind == REF_NONE)
        return missing(w, rule, text, out);
    if (ref.kind == REF_ROW && ref.n >= w->row->index) {
        if (!home) // a record that is made on the way can't wait for a row
            return missing(w, rule, text, out);
        *later = true;
        event_add(w, rule, LINK_LATER, NULL, text, NULL);
    } else {
        struct made *made = ref.kind == REF_MADE ? made_of(ref) : NULL;
        event_add(w, rule, LINK_FOUND, made, text, NULL);
    }
    *out = ref;
    return true;
}

struct str rule_part(const struct rule *rule, struct str *rest) {
    if (rule->field->type == TYPE_LINKS)
        return str_trim(str_cut(rest, rule->separator.n ? rule->separator.p[0] : ';'));
    struct str all = *rest;
    rest->n = 0;
    return all;
}

static bool links_of_text(struct preparing *w, const struct rule *rule, struct str text,
                          struct arena *a, struct row_item *item, bool home) {
    size_t most = 1;
    char at = rule->separator.n ? rule->separator.p[0] : ';';
    for (size_t i = 0; i < text.n; i++)
        most += text.p[i] == at;
    *item = (struct row_item){.rule = rule, .refs = arena_array(a, struct ref, most), .text = text};
    while (text.n) {
        struct str one = rule_part(rule, &text);
        if (one.n && link_one(w, rule, one, home, &item->refs[item->n_refs], &item->later))
            item->n_refs++;
    }
    return item->n_refs > 0;
}

// ---------------------------------------------------------------- items

static bool items_of_text(struct preparing *w, const struct rule *rule, struct import_cell cell,
                          struct arena *a, struct row_item *item, bool home) {
    struct pass *p = w->pass;
    if (!cell.text.n) {
        if (rule->target)
            event_add(w, rule, LINK_BLANK, NULL, (struct str){0}, NULL);
        return false;
    }
    struct error e = {0};
    if (cell.broken) {
        problem(w, rule, N_("The cell holds an error of the spreadsheet: {0}"), cell.text, STR(""));
        return false;
    }
    if (rule->target)
        return links_of_text(w, rule, cell.text, a, item, home);
    *item = (struct row_item){.rule = rule};
    struct str currency = {0};
    if (rule->currency_column >= 0)
        currency = row_cell(&p->job->mapping.rules[rule->currency_column], w->line, NULL).text;
    if (rule->field->type == TYPE_TEXT && !rule->untrimmed && cell.raw.n > cell.text.n && !p->quiet)
        tally_note(p->tally, N_("texts whose blanks at the ends were taken off"), 1);
    if (import_value(&p->job->mapping, rule, &cell, currency, a, &item->value, &e) == OK &&
        (!item->value ||
         calendar_value(p->job->module, rule->field, item->value, a, &item->value, &e) == OK))
        return item->value != NULL;
    if (!rule->invalid_empty)
        row_problem(w->row, w->arena, rule->index, &e);
    else if (!p->quiet)
        tally_note(p->tally,
                   N_("values that could not be read were left empty, as the mapping says"), 1);
    return false;
}

static void items_make(struct preparing *w) {
    struct pass *p = w->pass;
    const struct import_mapping *map = &p->job->mapping;
    struct row *row = w->row;
    row->items = arena_array(w->arena, struct row_item, map->n_rules + map->n_set + 1);
    for (size_t i = 0; i < map->n_rules; i++) {
        const struct rule *rule = &map->rules[i];
        struct replacement *replaced = NULL;
        struct import_cell cell = row_cell(rule, w->line, &replaced);
        if (replaced && !p->quiet)
            replaced->rows++;
        if (rule->field && items_of_text(w, rule, cell, w->arena, &row->items[row->n_items], true))
            row->n_items++;
    }
    for (size_t i = 0; i < map->n_set; i++) {
        struct import_cell cell = {
            .text = row_template(map, &map->set[i], w->line, (struct str){0}, w->arena)};
        if (items_of_text(w, map->set[i].rule, cell, w->arena, &row->items[row->n_items], true))
            row->n_items++;
    }
}

static const struct row_item *item_of(const struct row *row, const struct rule *rule) {
    for (size_t i = 0; i < row->n_items; i++)
        if (row->items[i].rule == rule)
            return &row->items[i];
    return NULL;
}

// ---------------------------------------------------------------- there already?

static void key_part(struct buf *out, const struct row_item *item, struct arena *a) {
    const struct field *f = item->rule->field;
    if (item->n_refs) {
        buf_printf(out, "#%d/%lld", item->refs[0].kind, (long long)item->refs[0].n);
    } else if (f->type == TYPE_PHONE) {
        struct str number = doc_get_text(item->value, "e164");
        buf_str(out, number.n ? number : doc_get_text(item->value, "typed"));
    } else {
        struct str text = value_text(f, item->value, a);
        if (type_of(f->type)->folded)
            fold(out, text);
        else
            buf_str(out, text);
    }
    buf_char(out, '\n');
}

static void keys_of_row(struct preparing *w) {
    struct pass *p = w->pass;
    struct buf text = BUF_INIT(1 << 20);
    for (size_t k = 0; k < p->n_keys; k++) {
        const struct match_key *key = &p->keys[k];
        bool whole = true;
        buf_clear(&text);
        for (size_t i = 0; i < key->n && whole; i++) {
            const struct row_item *item = item_of(w->row, key->rules[i]);
            whole = item != NULL && !item->later;
            if (whole)
                key_part(&text, item, w->arena);
        }
        p->key_texts[k] = whole ? arena_str(w->arena, buf_view(&text)) : (struct str){0};
    }
    buf_release(&text);
}

static struct ref key_seen(const struct pass *p, size_t k) {
    struct ref ref = {REF_NONE, 0};
    if (p->key_texts[k].n)
        ref = lookup_find(p->seen, (char)k, p->key_texts[k]);
    if (ref.kind == REF_ROW && pass_row_get(p, ref.n) == ROW_REFUSED)
        ref.kind = REF_NONE;
    return ref;
}

static struct str key_shown(struct preparing *w, size_t k) {
    struct str text = w->pass->key_texts[k];
    char *out = arena_dup(w->arena, str_trim(text));
    for (char *c = out; *c; c++)
        *c = *c == '\n' ? ' ' : *c;
    return str_z(out);
}

static void theirs_not(struct preparing *w) {
    struct error e = {0};
    error_set(&e, DENIED, NULL, N_("You may not do this."), NULL);
    row_problem(w->row, w->arena, -1, &e);
}

static void duplicate_find(struct preparing *w) {
    struct pass *p = w->pass;
    const struct import_mapping *map = &p->job->mapping;
    struct row *row = w->row;
    keys_of_row(w);
    for (size_t k = 0; k < map->n_match && row->duplicate.kind == REF_NONE; k++)
        row->duplicate = key_seen(p, k);
    for (size_t k = 0; k < map->n_match; k++)
        if (map->match[k].rules[0]->id && p->key_texts[k].n && key_seen(p, k).kind == REF_NONE)
            problem(w, map->match[k].rules[0], N_("There is no record with the number {0}."),
                    key_shown(w, k), STR(""));
    if (row->duplicate.kind == REF_NONE || map->duplicates == DUPLICATES_CREATE) {
        row->duplicate.kind = REF_NONE;
        row->fate = FATE_CREATE;
        return;
    }
    row->fate = map->duplicates == DUPLICATES_SKIP ? FATE_SKIP : FATE_CHANGE;
    if (row->duplicate.kind == REF_SEVERAL && row->fate == FATE_CHANGE) {
        struct error e = {0};
        error_set(&e, INVALID, NULL,
                  N_("More than one record is like this row: it is not clear which to change."),
                  NULL);
        row_problem(row, w->arena, -1, &e);
    }
    bool theirs = true; // of one that is there and seen; the writing looks again
    if (row->fate == FATE_CHANGE && row->duplicate.kind == REF_RECORD)
        (void)scope_allows(&p->reader, p->job->module, row->duplicate.n, VERB_EDIT, &theirs, NULL);
    if (!theirs)
        theirs_not(w);
}

// What the database would refuse, said here so that a dry run says it too.
static void rules_check(struct preparing *w) {
    struct pass *p = w->pass;
    struct row *row = w->row;
    for (size_t k = 0; k < p->n_keys; k++) {
        const struct rule *rule = p->keys[k].rules[0];
        struct ref other =
            p->keys[k].n == 1 && rule->field->unique ? key_seen(p, k) : (struct ref){REF_NONE, 0};
        if (other.kind == REF_NONE ||
            (other.kind == row->duplicate.kind && other.n == row->duplicate.n))
            continue;
        problem(w, rule, N_("Another record has {0} \"{1}\" already."),
                import_field_label(p->job, rule->field, w->arena), key_shown(w, k));
    }
    for (size_t i = 0; i < p->n_required && row->duplicate.kind == REF_NONE; i++) {
        bool there = false;
        for (size_t j = 0; j < row->n_items && !there; j++)
            there = row->items[j].rule->field == p->required[i];
        bool told = false;
        for (const struct row_problem *q = row->problems; q && !told; q = q->next)
            told = q->column >= 0 && p->job->mapping.rules[q->column].field == p->required[i];
        if (there || told)
            continue;
        struct error e = {0};
        error_set(&e, INVALID, NULL, N_("{0} is required and has no value."),
                  arena_dup(w->arena, import_field_label(p->job, p->required[i], w->arena)), NULL);
        row_problem(row, w->arena, -1, &e);
    }
}

// ---------------------------------------------------------------- of a history

static uint64_t told_hash(const struct import *job, const struct import_line *line) {
    struct hashing h;
    uint64_t digest;
    struct str source = job->mapping.history->source;
    hash_begin(&h);
    hash_more(&h, source.p, source.n);
    for (size_t i = 0; i < line->n && i < job->n_columns; i++) {
        if (str_is(job->columns[i], "problems") || !line->cells[i].raw.n)
            continue; // what a file of refused rows has beside its own columns is no part of them
        hash_more(&h, "\n", 1);
        hash_more(&h, job->columns[i].p, job->columns[i].n);
        hash_more(&h, "\t", 1);
        hash_more(&h, line->cells[i].raw.p, line->cells[i].raw.n);
    }
    struct hash hash = hash_end(&h);
    memcpy(&digest, hash.b, sizeof digest);
    return digest;
}

static void told_person(struct preparing *w, struct told_row *told) {
    const struct import_history *h = w->pass->job->mapping.history;
    struct import_cell cell = {0};
    if (h->person)
        cell = row_cell(h->person, w->line, NULL);
    if (!cell.text.n)
        return;
    told->person = pass_find(w->pass, h->person, cell.text, w->arena);
    if (told->person.kind == REF_NONE && h->names_only) {
        told->person_name = cell.text;
        return;
    }
    struct row_item item;
    if (items_of_text(w, h->person, cell, w->arena, &item, false))
        told->person = item.refs[0];
}

static void told_time(struct preparing *w, struct told_row *told) {
    const struct import_mapping *map = &w->pass->job->mapping;
    struct import_cell cell = row_cell(map->history->time, w->line, NULL);
    const struct doc *value;
    struct error e = {0};
    if (told->at != SORT_NEVER)
        return;
    if (!cell.text.n)
        problem(w, map->history->time, N_("It is not said when this happened."), STR(""), STR(""));
    else if (import_value(map, map->history->time, &cell, STR(""), w->arena, &value, &e) != OK)
        row_problem(w->row, w->arena, map->history->time->index, &e);
}

// As it stands there: what it is replaced by is for the field.
static struct str told_activity(const struct import_line *line, size_t column) {
    return column < line->n ? line->cells[column].text : STR("");
}

static void told_begin(struct preparing *w) {
    const struct import_mapping *map = &w->pass->job->mapping;
    struct told_row *told = arena_new(w->arena, struct told_row);
    told->group = w->line->group;
    told->at = w->line->at;
    told->digest = told_hash(w->pass->job, w->line);
    told->texts = arena_array(w->arena, struct str, map->n_rules + map->n_set + 1);
    w->row->told = told;
}

// Who, when and what was done; and what the row says, to be compared with the next one.
static void told_make(struct preparing *w) {
    const struct import_mapping *map = &w->pass->job->mapping;
    const struct import_history *h = map->history;
    struct told_row *told = w->row->told;
    if (!row_cell(h->of_case, w->line, NULL).text.n)
        problem(w, h->of_case, N_("It is not said which case this is about."), STR(""), STR(""));
    told_time(w, told);
    told_person(w, told);
    if (h->activity >= 0)
        told->activity = told_activity(w->line, (size_t)h->activity);
    for (size_t i = 0; i < map->n_rules; i++)
        if (map->rules[i].field)
            told->texts[i] = row_cell(&map->rules[i], w->line, NULL).text;
    for (size_t i = 0; i < map->n_set; i++)
        told->texts[map->n_rules + i] =
            row_template(map, &map->set[i], w->line, (struct str){0}, w->arena);
}

// ---------------------------------------------------------------- the row

static void row_remember(struct preparing *w) {
    struct pass *p = w->pass;
    struct row *row = w->row;
    struct ref ref = row->fate == FATE_CREATE ? (struct ref){REF_ROW, row->index} : row->duplicate;
    for (size_t k = 0; k < p->n_keys && ref.kind != REF_SEVERAL; k++)
        if (p->key_texts[k].n)
            lookup_add(p->seen, (char)k, p->key_texts[k], ref);
}

static void events_tell(struct preparing *w) {
    struct tally *t = w->pass->tally;
    for (const struct link_event *ev = w->events; ev; ev = ev->next) {
        if (ev->what == LINK_CREATED || (ev->made && !ev->made->told)) {
            ev->made->told = true;
            tally_link(t, ev->rule, LINK_CREATED);
            tally_missing(t, ev->rule, ev->text, N_("created"));
            continue;
        }
        tally_link(t, ev->rule, ev->what);
        if (ev->did)
            tally_missing(t, ev->rule, ev->text, ev->did);
    }
}

struct str row_column(const struct import *job, int column) {
    return column < 0 ? STR("") : job->columns[column];
}

struct str row_raw(const struct row *row, int column) {
    return column < 0 || (size_t)column >= row->n_cells ? STR("") : row->cells[column].raw;
}

static void problems_tell(struct preparing *w) {
    struct pass *p = w->pass;
    for (const struct row_problem *q = w->row->problems; q; q = q->next) {
        struct str column = row_column(p->job, q->column);
        struct str text = import_text(p->job, &q->error, w->arena);
        tally_problem(p->tally, column, text, q->error.msgid, w->row->number);
        tally_refusal(p->tally, w->row->number, column, row_raw(w->row, q->column), text);
    }
}

static void shape_check(struct preparing *w) {
    const struct import *job = w->pass->job;
    for (size_t i = job->n_columns; i < w->line->n; i++) {
        if (!w->line->cells[i].text.n)
            continue;
        char cells[24], columns[24];
        snprintf(cells, sizeof cells, "%zu", w->line->n);
        snprintf(columns, sizeof columns, "%zu", job->n_columns);
        struct error e = {0};
        error_set(&e, INVALID, NULL, N_("This row has {0} cells, but there are {1} columns."),
                  cells, columns, NULL);
        row_problem(w->row, w->arena, -1, &e);
        return;
    }
    if (w->line->n < job->n_columns && !w->pass->quiet)
        tally_note(w->pass->tally,
                   N_("rows with fewer cells than columns; what is not there counts as blank"), 1);
}

bool row_says_nothing(const struct import_history *h, struct str text) {
    for (size_t i = 0; h && i < h->n_unknown; i++)
        if (str_eq(h->unknown[i], text))
            return true;
    return false;
}

static void cells_copy(const struct import_history *h, const struct import_line *line,
                       struct arena *a, struct row *row, struct import_line *copy) {
    size_t bytes = 0;
    for (size_t i = 0; i < line->n; i++)
        bytes += line->cells[i].raw.n;
    char *at = arena_bytes(a, bytes + 1);
    struct import_cell *cells = arena_array(a, struct import_cell, line->n + 1);
    for (size_t i = 0; i < line->n; i++) {
        cells[i] = line->cells[i];
        struct str raw = cells[i].raw;
        if (raw.n)
            memcpy(at, raw.p, raw.n);
        cells[i].raw.p = at;
        cells[i].text = str_trim(cells[i].raw);
        if (row_says_nothing(h, cells[i].text))
            cells[i].text.n = 0;
        at += raw.n;
    }
    row->cells = cells;
    row->n_cells = line->n;
    *copy = *line;
    copy->cells = cells;
}

void pass_prepare(struct pass *p, const struct import_line *line, int64_t index, struct arena *a,
                  struct row *row) {
    struct import_line copy;
    *row = (struct row){.index = index, .number = line->number};
    cells_copy(p->job->mapping.history, line, a, row, &copy);
    pass_row_begin(p, index);
    struct preparing w = {.pass = p, .line = &copy, .row = row, .arena = a};
    if (p->job->mapping.history)
        told_begin(&w);
    shape_check(&w);
    if (row->problems) {
        // Shifted cells: their values would only add misleading problems.
    } else {
        items_make(&w);
        if (p->job->mapping.history)
            told_make(&w);
        bool bad = row->problems != NULL;
        duplicate_find(&w);
        if (row->fate != FATE_SKIP)
            rules_check(&w);
        if (row->fate != FATE_SKIP && (bad || row->problems))
            row->fate = FATE_REFUSE;
    }
    if (row->fate == FATE_REFUSE)
        pass_row_set(p, index, ROW_REFUSED);
    else
        row_remember(&w);
    if (p->quiet)
        return;
    if (row->fate == FATE_REFUSE)
        problems_tell(&w);
    else if (row->fate != FATE_SKIP)
        events_tell(&w);
}
