#include "web/preference.h"
#include "store/queries.h"
#include "web/text.h"

void preference_ahead(struct request *r, struct str name) {
    struct param p[] = {P_INT(r->viewer.user), P_TEXT(name)};
    store_query_ahead(r->place->conn, QUERY_PREFERENCE_GET, p, 2);
}

enum status preference_get(struct request *r, struct str name, struct str *value, struct error *e) {
    struct param p[] = {P_INT(r->viewer.user), P_TEXT(name)};
    struct str found = STR("");
    enum status s = store_text(r->place->conn, QUERY_PREFERENCE_GET, p, 2, r->arena, &found, e);
    if (s && s != NOT_FOUND)
        return s;
    *value = s ? STR("") : found;
    if (s && e)
        *e = (struct error){0};
    return OK;
}

enum status preference_set(struct write *w, int64_t user, struct str name, struct str value,
                           struct error *e) {
    struct param p[] = {P_INT(user), P_TEXT(name), P_TEXT(value)};
    return value.n ? store_run(w->conn, QUERY_PREFERENCE_SET, p, 3, NULL, e)
                   : store_run(w->conn, QUERY_PREFERENCE_DROP, p, 2, NULL, e);
}

struct str story_preference(struct request *r) {
    return JOIN(r->arena, STR("story/"), r->module->key);
}
