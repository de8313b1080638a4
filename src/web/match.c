// From a path to its row. The patterns of all rows are split once; a path is compared with those of its length, the
// more literal ones first.
#include <stdlib.h>
#include "web/routes.h"

#define SEGMENTS_MAX 8
#define PATTERNS_MAX 400

enum segment { LITERAL, MODULE, NUMBER, NAME, REST };

struct pattern {
    const struct route *route;
    bool page; // the page's method and path
    struct str method;
    int n;
    int rank; // literal segments weigh more the further left they stand
    enum segment kind[SEGMENTS_MAX];
    struct str text[SEGMENTS_MAX];
};

static struct pattern patterns[PATTERNS_MAX];
static size_t n_patterns;
static uint16_t first_of[SEGMENTS_MAX + 2]; // patterns of a number of segments

static int split(struct str path, struct str *out) {
    int n = 0;
    if (path.n && path.p[0] == '/')
        path = (struct str){path.p + 1, path.n - 1};
    if (!path.n)
        return 0;
    for (;;) {
        const char *slash = memchr(path.p, '/', path.n);
        if (n == SEGMENTS_MAX)
            return -1;
        out[n++] = (struct str){path.p, slash ? (size_t)(slash - path.p) : path.n};
        if (!slash)
            return n;
        path = (struct str){slash + 1, path.n - (size_t)(slash - path.p) - 1};
    }
}

static enum segment kind_of(struct str text) {
    if (!text.n || text.p[0] != '{')
        return LITERAL;
    if (str_is(text, "{module}"))
        return MODULE;
    if (str_is(text, "{id}") || str_is(text, "{position}"))
        return NUMBER;
    return str_is(text, "{rest}") ? REST : NAME;
}

static void add(const struct route *route, const char *method, const char *path, bool page) {
    BUG_ON(n_patterns == PATTERNS_MAX);
    struct pattern *p = &patterns[n_patterns++];
    *p = (struct pattern){.route = route, .page = page, .method = str_z(method)};
    p->n = split(str_z(path), p->text);
    BUG_ON(p->n < 0);
    for (int i = 0; i < p->n; i++) {
        p->kind[i] = kind_of(p->text[i]);
        p->rank = p->rank * 4 + (p->kind[i] == LITERAL  ? 3
                                 : p->kind[i] == NUMBER ? 2
                                 : p->kind[i] == REST   ? 0
                                                        : 1);
    }
    for (int i = p->n; i < SEGMENTS_MAX; i++)
        p->rank *= 4;
}

static int by_length(const void *a, const void *b) {
    const struct pattern *x = a, *y = b;
    if (x->n != y->n)
        return x->n - y->n;
    return x->rank != y->rank ? (x->rank < y->rank) - (x->rank > y->rank)
                              : (x->route > y->route) - (x->route < y->route);
}

enum key_scope route_scope(const struct route *r) {
    return r->flags & ROUTE_ACCESS ? KEY_ADMINISTER
                                   : key_scope_of(r->verb, strcmp(r->method, "GET") != 0);
}

void routes_prepare(void) {
    if (n_patterns)
        return;
    for (size_t i = 0; i < n_routes; i++) {
        const struct route *r = &routes[i];
        if (!(r->flags & ROUTE_PAGE_ONLY) || (r->flags & ROUTE_BARE))
            add(r, r->method, r->path, (r->flags & ROUTE_BARE) != 0);
        if (!(r->flags & (ROUTE_API_ONLY | ROUTE_BARE)))
            add(r, r->page_method ? r->page_method : r->method,
                r->page_path ? r->page_path : r->path, true);
    }
    qsort(patterns, n_patterns, sizeof *patterns, by_length);
    for (int n = 0, i = 0; n <= SEGMENTS_MAX + 1; n++) {
        while (i < (int)n_patterns && patterns[i].n < n)
            i++;
        first_of[n] = (uint16_t)i;
    }
}

static bool fits(const struct pattern *p, const struct str *segments, int n) {
    for (int i = 0; i < n; i++) {
        struct str s = segments[i];
        int64_t number;
        if (p->kind[i] == LITERAL && !str_eq(p->text[i], s))
            return false;
        // The largest is nobody's: whoever asks for the next one must still have a number.
        if (p->kind[i] == NUMBER && (!str_int(s, &number) || number < 0 || number == INT64_MAX ||
                                     s.p[0] == '-' || (s.n > 1 && s.p[0] == '0')))
            return false;
        if (!s.n)
            return false;
    }
    return true;
}

static void take(struct request *r, const struct pattern *p, const struct str *segments) {
    r->route = p->route;
    int n = 0;
    bool numbered = false; // r->id is the first: "/contacts/7/comments/321" is about contact 7
    for (int i = 0; i < p->n; i++) {
        if (p->kind[i] == LITERAL)
            continue;
        BUG_ON(n == ROUTE_PARAMS);
        r->params[n++] = segments[i];
        if (p->kind[i] == NUMBER && !numbered)
            numbered = str_int(segments[i], &r->id);
    }
}

static void allow(struct request *r, struct str *allowed, struct str method) {
    if (str_find(*allowed, method) < 0)
        *allowed =
            allowed->n ? rprintf(r, "%.*s, %.*s", STR_FMT(*allowed), STR_FMT(method)) : method;
}

enum route_match routes_match(struct request *r, struct str method, struct str raw_path, bool *bad,
                              struct str *allowed) {
    *bad = !percent_decode(r->arena, raw_path, false, &r->path);
    if (*bad)
        return ROUTE_NO_PATH;
    r->api = str_is(r->path, "/api") || str_starts(r->path, STR("/api/"));
    if (r->api)
        r->path = (struct str){r->path.p + 4, r->path.n - 4};
    struct str segments[SEGMENTS_MAX] = {{0}};
    int n = split(r->path, segments);
    enum route_match result = ROUTE_NO_PATH;
    struct str methods = STR("");
    for (int length = n < 0 ? SEGMENTS_MAX : n; length >= 1 || length == n; length--) {
        for (size_t i = first_of[length]; i < first_of[length + 1]; i++) {
            const struct pattern *p = &patterns[i];
            bool rest = p->n > 0 && p->kind[p->n - 1] == REST;
            if (p->page == r->api || (length != n && !rest) || !fits(p, segments, length))
                continue;
            if (!str_eq(p->method, method)) {
                allow(r, &methods, p->method);
                result = ROUTE_NO_METHOD;
                continue;
            }
            if (rest && length)
                segments[length - 1].n = (size_t)(r->path.p + r->path.n - segments[length - 1].p);
            take(r, p, segments);
            return ROUTE_FOUND;
        }
    }
    if (allowed)
        *allowed = methods;
    return result;
}

bool route_has_part(const struct route *route, struct str part) {
    struct str rest = str_z(route->parts);
    while (rest.n)
        if (str_eq(str_cut(&rest, ' '), part))
            return true;
    return false;
}
