// A row as bytes: of each column its length and its bytes, numbers as texts.
#include "base/buf.h"
#include "store/store_ops.h"

#define NO_VALUE UINT32_MAX

struct saved_row {
    struct stmt base;
    int n;
    const char **at; // by column; NULL: no value
    uint32_t *length;
};

void row_save(struct stmt *row, struct buf *out) {
    int n = stmt_columns(row);
    for (int i = 0; i < n; i++) {
        bool none = stmt_null(row, i);
        struct str text = none ? STR("") : stmt_text(row, i);
        uint32_t length = none ? NO_VALUE : (uint32_t)text.n;
        buf_str(out, (struct str){(const char *)&length, sizeof length});
        buf_str(out, text);
    }
}

static int saved_columns(struct stmt *s) {
    return ((struct saved_row *)s)->n;
}

static bool saved_null(struct stmt *s, int column) {
    const struct saved_row *r = (struct saved_row *)s;
    return column < 0 || column >= r->n || !r->at[column];
}

static struct str saved_bytes(struct stmt *s, int column, bool blob) {
    const struct saved_row *r = (struct saved_row *)s;
    (void)blob;
    return saved_null(s, column) ? STR("") : (struct str){r->at[column], r->length[column]};
}

static int64_t saved_integer(struct stmt *s, int column) {
    struct str text = saved_bytes(s, column, false);
    int64_t v = 0;
    str_int(str_cut(&text, '.'), &v);
    return v;
}

static const struct store_ops saved_ops = {
    .columns = saved_columns, .null = saved_null, .integer = saved_integer, .bytes = saved_bytes};

struct stmt *row_saved(struct str bytes, struct arena *a) {
    struct saved_row *r = arena_new(a, struct saved_row);
    size_t most = bytes.n / sizeof(uint32_t); // columns
    *r = (struct saved_row){.base.ops = &saved_ops,
                            .at = arena_array(a, const char *, most + 1),
                            .length = arena_array(a, uint32_t, most + 1)};
    for (size_t at = 0; at + sizeof(uint32_t) <= bytes.n; r->n++) {
        uint32_t length;
        memcpy(&length, bytes.p + at, sizeof length);
        at += sizeof length;
        r->length[r->n] = length;
        r->at[r->n] = length == NO_VALUE ? NULL : bytes.p + at;
        at += length == NO_VALUE ? 0 : length;
    }
    return &r->base;
}
