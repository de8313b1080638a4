// Who is meant by an @: the longest name of an active user that follows it, compared as people compare.
#include <stdlib.h>

#include "actions/comment.h"
#include "base/utf8.h"
#include "formats/fold.h"
#include "records/people.h"

#define NAME_MOST 1000 // bytes behind an @ that are looked at

struct known {
    struct one_person person;
    struct str folded;
};

struct finding {
    struct action *action;
    const struct module *module;
    int64_t id;
    const struct doc *chosen;
    struct known *list; // by folded name
    size_t n, room, longest;
    struct buf text;
    struct doc *mentions;
};

static enum status remember(void *arg, const struct one_person *person) {
    struct finding *f = arg;
    struct arena *a = f->action->write->arena;
    if (f->n == f->room) {
        size_t room = f->room ? 2 * f->room : 64;
        struct known *more = arena_array(a, struct known, room);
        if (f->n)
            memcpy(more, f->list, f->n * sizeof *more);
        f->list = more;
        f->room = room;
    }
    struct known *k = &f->list[f->n];
    k->person = *person;
    k->person.name = arena_str(a, person->name);
    k->folded = fold_str(a, person->name);
    f->n += k->folded.n > 0;
    return OK;
}

static int by_name(const void *a, const void *b) {
    const struct known *x = a, *y = b;
    int order = str_cmp(x->folded, y->folded);
    return order ? order : (x->person.id > y->person.id) - (x->person.id < y->person.id);
}

static bool name_character(unsigned char c) {
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '_';
}

static bool begins_mention(struct str text, size_t i) {
    return text.p[i] == '@' && i + 1 < text.n && name_character((unsigned char)text.p[i + 1]) &&
           (i == 0 || !name_character((unsigned char)text.p[i - 1]));
}

static bool any_mention(struct str text) {
    for (size_t i = 0; i < text.n; i++)
        if (begins_mention(text, i))
            return true;
    return false;
}

// The first of those with that name.
static const struct known *named(const struct finding *f, struct str folded) {
    size_t low = 0, high = f->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(f->list[middle].folded, folded) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < f->n && str_eq(f->list[low].folded, folded) ? &f->list[low] : NULL;
}

static bool is_chosen(const struct finding *f, int64_t user) {
    doc_each(id, f->chosen)
        if (doc_integer(id, 0) == user)
            return true;
    return false;
}

// The longest name at the beginning of what stands behind an @, and how many bytes it takes there.
static const struct known *longest_name(struct finding *f, struct str rest, size_t *taken) {
    const struct known *best = NULL;
    struct buf folded = BUF_INIT(64 * NAME_MOST);
    for (size_t i = 1; i <= rest.n && i <= NAME_MOST; i++) {
        // A name ends where a word does.
        bool ends = i == rest.n || !name_character((unsigned char)rest.p[i]);
        if (rest.p[i - 1] == '\n')
            break;
        if (!ends || !name_character((unsigned char)rest.p[i - 1]))
            continue;
        buf_clear(&folded);
        fold(&folded, (struct str){rest.p, i});
        if (folded.n > f->longest)
            break;
        const struct known *k = named(f, buf_view(&folded));
        if (k) {
            best = k;
            *taken = i;
        }
    }
    buf_release(&folded);
    return best;
}

// Of several with one name the one who was chosen.
static enum status one_of(struct finding *f, const struct known *first, const struct known **out,
                          struct error *e) {
    const struct known *end = f->list + f->n, *found = NULL;
    for (const struct known *k = first; k < end && str_eq(k->folded, first->folded); k++) {
        bool several = k > first || (k + 1 < end && str_eq(k[1].folded, k->folded));
        if (!several || (!found && is_chosen(f, k->person.id)))
            found = k;
    }
    if (!found)
        return error_set(e, INVALID, "text",
                         N_("Several people are called {0}: choose one from the list."),
                         arena_dup(f->action->write->arena, first->person.name), NULL);
    *out = found;
    return OK;
}

static enum status mention(struct finding *f, const struct known *k, struct error *e) {
    struct arena *a = f->action->write->arena;
    bool sees = false;
    doc_each(m, f->mentions)
        if (doc_get_int(m, "id", 0) == k->person.id)
            return OK;
    if (f->mentions->count == COMMENT_MENTIONS_MAX)
        return error_set(e, INVALID, "text", N_("At most {0} people can be mentioned at once."),
                         "50", NULL);
    enum status s = person_sees(&f->action->reader, f->module, f->id, &k->person, &sees, e);
    if (!s && !sees)
        s = error_set(e, INVALID, "text",
                      N_("{0} may not see this, and so can't be mentioned here."),
                      arena_dup(a, k->person.name), NULL);
    if (s)
        return s;
    struct doc *one = doc_add(f->mentions, doc_object(a));
    doc_set_int(a, one, "id", k->person.id);
    doc_set_str(a, one, "name", k->person.name);
    return OK;
}

static enum status look_through(struct finding *f, struct str text, struct error *e) {
    enum status s = OK;
    for (size_t i = 0; i < text.n && !s; i++) {
        size_t taken = 0;
        const struct known *k = NULL;
        buf_char(&f->text, text.p[i]);
        if (begins_mention(text, i))
            k = longest_name(f, (struct str){text.p + i + 1, text.n - i - 1}, &taken);
        if (!k)
            continue;
        s = one_of(f, k, &k, e);
        if (!s)
            s = mention(f, k, e);
        buf_str(&f->text, k->person.name);
        i += taken;
    }
    return s;
}

enum status mentions_find(struct action *a, const struct module *m, int64_t id,
                          const struct comment *c, struct str *text, const struct doc **mentions,
                          struct error *e) {
    struct finding f = {.action = a,
                        .module = m,
                        .id = id,
                        .chosen =
                            c->mentions && c->mentions->type == DOC_ARRAY ? c->mentions : NULL,
                        .text = BUF_INIT((size_t)1 << 22),
                        .mentions = doc_array(a->write->arena)};
    *text = c->text;
    *mentions = NULL;
    if (!any_mention(c->text))
        return OK;
    enum status s = people_each(&a->reader, remember, &f, e);
    if (s)
        return s;
    if (f.n)
        qsort(f.list, f.n, sizeof *f.list, by_name);
    for (size_t i = 0; i < f.n; i++)
        f.longest = f.list[i].folded.n > f.longest ? f.list[i].folded.n : f.longest;
    s = look_through(&f, c->text, e);
    if (!s && f.text.overflow)
        s = error_set(e, INVALID, "text", N_("This is too long."), NULL);
    if (!s && f.mentions->count) {
        *text = arena_str(a->write->arena, buf_view(&f.text));
        *mentions = f.mentions;
    }
    buf_release(&f.text);
    return s;
}
