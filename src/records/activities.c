// What is kept about activities beyond their own records.
#include "records/activities.h"
#include "records/rows.h"

#define NEAR 24 // hours

static const struct activity_rules usual = {
    .administrators = true, .in_charge = true, .creator = true, .hours = -1, .near = NEAR};

static void profiles(struct activity_rules *rules, const struct doc *chosen) {
    rules->administrators = rules->members = false;
    doc_each(one, chosen) {
        rules->administrators |= str_is(doc_text(one), "administrator");
        rules->members |= str_is(doc_text(one), "member");
    }
}

enum status activity_rules_get(struct conn *conn, const struct model *model, struct arena *a,
                               struct activity_rules *out, struct error *e) {
    const struct module *m = model_module(model, STR("activity_rules"));
    struct doc *row = NULL;
    struct error ignored = {0};
    *out = usual;
    enum status s = row_get(conn, m, ACTIVITY_RULES, a, &row, &ignored);
    if (s == NOT_FOUND)
        return OK;
    if (s) {
        *e = ignored;
        return s;
    }
    if (!doc_is_null(doc_get(row, STR("deleted_at"))))
        return OK;
    profiles(out, doc_get(row, STR("reopen_profiles")));
    out->in_charge = doc_get_true(row, "reopen_in_charge");
    out->creator = doc_get_true(row, "reopen_creator");
    out->hours = doc_get_int(row, "reopen_hours", -1);
    out->near = doc_get_int(row, "near_hours", NEAR);
    return OK;
}
