// Values in their normal form (model/model.h) as columns, and back.
#include "formats/decimal.h"
#include "formats/fold.h"
#include "formats/json.h"
#include "records/internal.h"

#define MONEY_SCALE 4
#define DECIMAL_SCALE 6
#define JSON_MAX (1 << 20)

static struct str as_json(const struct doc *d, struct arena *a) {
    struct buf b = BUF_INIT(JSON_MAX);
    if (json_canonical(&b, d, NULL) != OK) // the same bytes from the log again at a rebuild
        json_write(&b, d);
    struct str s = arena_str(a, buf_view(&b));
    buf_release(&b);
    return s;
}

static struct param decimal_param(struct str text, int scale) {
    int64_t v;
    bool ok = decimal_parse(text, scale, &v);
    BUG_ON(!ok); // the value is in normal form
    return P_INT(v);
}

int field_params(const struct field *f, const struct doc *v, struct arena *a,
                 struct param out[FIELD_COLUMNS_MAX]) {
    const struct type *t = type_of(f->type);
    int n = 1 + t->second + t->folded;
    for (int i = 0; i < n; i++)
        out[i] = P_NULL;
    if (doc_is_null(v))
        return n;
    struct str shown = {0}; // what is folded
    switch (f->type) {
    case TYPE_TEXT:
    case TYPE_LONG_TEXT:
    case TYPE_EMAIL:
    case TYPE_URL:
    case TYPE_CHOICE:
    case TYPE_DATE:
        out[0] = P_TEXT(doc_text(v));
        shown = doc_text(v);
        break;
    case TYPE_INTEGER:
    case TYPE_LINK:
    case TYPE_USER:
        out[0] = P_INT(doc_integer(v, 0));
        break;
    case TYPE_DECIMAL:
        out[0] = decimal_param(doc_text(v), DECIMAL_SCALE);
        break;
    case TYPE_MONEY:
        out[0] = decimal_param(doc_get_text(v, "amount"), MONEY_SCALE);
        out[1] = P_TEXT(doc_get_text(v, "currency"));
        break;
    case TYPE_DATETIME: {
        micros at = 0;
        bool ok = clock_parse(doc_text(v), &at);
        BUG_ON(!ok);
        out[0] = P_INT(at);
        break;
    }
    case TYPE_YES_NO:
        out[0] = P_INT(doc_true(v));
        break;
    case TYPE_PHONE:
        out[0] = P_TEXT(doc_get_text(v, "typed"));
        if (doc_get_text(v, "e164").n)
            out[1] = P_TEXT(doc_get_text(v, "e164"));
        shown = doc_get_text(v, "typed");
        break;
    case TYPE_CHOICES:
    case TYPE_LINKS:
    case TYPE_TAGS:
    case TYPE_FILE:
    case TYPE_JSON:
        shown = as_json(v, a);
        out[0] = P_TEXT(shown);
        break;
    case TYPE_COUNT:
        BUG_ON(true);
    }
    if (t->folded)
        out[n - 1] = P_TEXT(fold_str(a, shown));
    return n;
}

static struct doc *decimal_doc(int64_t v, int scale, int least, struct arena *a) {
    char text[DECIMAL_TEXT];
    decimal_text(v, scale, least, text);
    return doc_str(a, arena_str(a, str_z(text)));
}

struct doc *field_read(const struct field *f, struct stmt *row, int *at, struct arena *a) {
    int c = *at;
    *at += 1 + type_of(f->type)->second;
    if (stmt_null(row, c))
        return doc_null(a);
    switch (f->type) {
    case TYPE_TEXT:
    case TYPE_LONG_TEXT:
    case TYPE_EMAIL:
    case TYPE_URL:
    case TYPE_CHOICE:
    case TYPE_DATE:
        return doc_str(a, arena_str(a, stmt_text(row, c)));
    case TYPE_INTEGER:
    case TYPE_LINK:
    case TYPE_USER:
        return doc_int(a, stmt_int(row, c));
    case TYPE_DECIMAL:
        return decimal_doc(stmt_int(row, c), DECIMAL_SCALE, 0, a);
    case TYPE_MONEY: {
        struct doc *d = doc_object(a);
        doc_set(d, STR("amount"), decimal_doc(stmt_int(row, c), MONEY_SCALE, 2, a));
        doc_set_str(a, d, "currency", arena_str(a, stmt_text(row, c + 1)));
        return d;
    }
    case TYPE_DATETIME: {
        char text[CLOCK_TEXT];
        clock_text(stmt_int(row, c), text);
        return doc_str(a, arena_str(a, str_z(text)));
    }
    case TYPE_YES_NO:
        return doc_bool(a, stmt_int(row, c) != 0);
    case TYPE_PHONE: {
        struct doc *d = doc_object(a);
        doc_set_str(a, d, "typed", arena_str(a, stmt_text(row, c)));
        if (!stmt_null(row, c + 1))
            doc_set_str(a, d, "e164", arena_str(a, stmt_text(row, c + 1)));
        return d;
    }
    case TYPE_CHOICES:
    case TYPE_LINKS:
    case TYPE_TAGS:
    case TYPE_FILE:
    case TYPE_JSON: {
        struct doc *raw = doc_raw(a, arena_str(a, stmt_text(row, c))), *opened = doc_opened(a, raw);
        return opened ? opened : doc_null(a);
    }
    case TYPE_COUNT:
        break;
    }
    BUG_ON(true);
}
