#include "records/people.h"

#define LOOKED_AT 50 // of those whose name fits; who is not among them is found by more letters

static const struct viewer everything = {.profile = PROFILE_ADMINISTRATOR};

enum status person_sees(struct reader *r, const struct module *m, int64_t id,
                        const struct one_person *person, bool *sees, struct error *e) {
    struct viewer viewer = {.user = person->id, .role = person->role, .name = person->name};
    viewer_set_profile(&viewer, r->model, person->profile);
    struct reader theirs = *r;
    struct doc *record;
    theirs.viewer = &viewer;
    theirs.names = NULL;
    enum status s = record_get(&theirs, m, id, &record, e);
    *sees = s == OK;
    return s == NOT_FOUND || s == DENIED ? OK : s;
}

static struct list_query active_users(struct reader *r, struct str text) {
    struct str *columns = arena_array(r->arena, struct str, 3);
    struct list_filter *filters = arena_array(r->arena, struct list_filter, 2);
    columns[0] = STR("name");
    columns[1] = STR("profile");
    columns[2] = STR("role");
    filters[0] = (struct list_filter){STR("active"), OP_EQ, STR("1")};
    filters[1] = (struct list_filter){STR("name"), OP_CONTAINS, text};
    return (struct list_query){.module = model_module(r->model, STR("users")),
                               .filters = filters,
                               .n_filters = text.n ? 2 : 1,
                               .columns = columns,
                               .n_columns = 3,
                               .sort = {{STR("name"), false}},
                               .n_sort = 1,
                               .limit = LOOKED_AT};
}

static struct one_person person_of(const struct doc *row) {
    return (struct one_person){.id = doc_get_int(row, "id", 0),
                               .name = doc_get_text(row, "name"),
                               .profile = profile_find(doc_get_text(row, "profile")),
                               .role = doc_get_int(doc_get(row, STR("role")), "id", 0)};
}

struct handing {
    enum status (*each)(void *, const struct one_person *);
    void *arg;
};

static enum status hand(void *arg, const struct doc *row) {
    struct handing *h = arg;
    struct one_person person = person_of(row);
    return h->each(h->arg, &person);
}

enum status people_each(struct reader *r, enum status (*each)(void *, const struct one_person *),
                        void *arg, struct error *e) {
    struct reader all = *r;
    struct handing h = {each, arg};
    all.viewer = &everything;
    all.names = NULL;
    struct list_query q = active_users(&all, STR(""));
    return record_each(&all, &q, hand, &h, e);
}

enum status people_who_see(struct reader *r, const struct module *m, int64_t id, struct str text,
                           int limit, struct doc **out, struct error *e) {
    struct arena *a = r->arena;
    struct doc *d = doc_object(a), *items = doc_set_array(a, d, "items"), *found = NULL;
    struct reader all = *r;
    all.viewer = &everything;
    all.names = NULL;
    struct list_query q = active_users(&all, text);
    enum status s = record_list(&all, &q, &found, e);
    if (s)
        return s;
    doc_each(row, doc_get(found, STR("items"))) {
        struct one_person person = person_of(row);
        bool sees = false;
        if ((int)items->count == limit)
            break;
        if ((s = person_sees(r, m, id, &person, &sees, e)))
            return s;
        if (!sees)
            continue;
        struct doc *one = doc_add(items, doc_object(a));
        doc_set_int(a, one, "id", person.id);
        doc_set_str(a, one, "name", person.name);
    }
    *out = d;
    return OK;
}

enum status people_below(struct reader *r, int64_t role, int64_t *n, struct error *e) {
    struct param p = P_INT(role);
    struct stmt *row = NULL;
    bool found = false;
    enum status s = store_sql(
        r->conn,
        STR("SELECT count(*) FROM role_reach b JOIN m_users u ON u.f_role=b.below WHERE b.role=$1 "
            "AND u.deleted_at IS NULL AND u.f_active=1"),
        &p, 1, &row, e);
    if (!s)
        s = store_next(row, &found, e);
    if (!s)
        *n = found ? stmt_int(row, 0) : 0;
    store_done(row);
    return s;
}
