#include "web/position.h"
#include "records/replica.h"
#include "web/respond.h"
#include "web/session.h"

#define POSITION_COOKIE STR("cronista-position")

// An empty one asks for nothing.
static bool read_position(struct str text, int64_t *see) {
    int64_t position;
    if (!text.n)
        return true;
    if (!str_int(text, &position) || position < 0)
        return false;
    if (position > *see)
        *see = position;
    return true;
}

bool position_wanted(struct request *r, int64_t *see) {
    struct str header = http_header(r->http, POSITION_HEADER);
    struct str cookie = r->sign == SIGN_SESSION ? cookie_get(r, POSITION_COOKIE) : STR("");
    int64_t position = -1;
    if (!crm_has_replicas(r->web->crm) || r->sign == SIGN_NONE)
        return false;
    if (r->sign == SIGN_KEY && !header.n) // it knows nothing of positions, and has written perhaps
        return false;
    if (!read_position(header, &position) || !read_position(cookie, &position))
        return false;
    *see = position;
    return true;
}

void position_is_now(struct request *r) {
    struct tree_head head;
    int64_t known = writer_position(crm_writer(r->web->crm));
    if (history_tree_head(r->place->conn, &head, NULL) == OK && head.size - 1 > known)
        known = head.size - 1;
    if (known > r->position)
        r->position = known;
}

void position_tell(struct request *r) {
    if (r->position < 0)
        return;
    struct str text = rprintf(r, "%lld", (long long)r->position);
    if (r->api)
        http_set(r->http, POSITION_HEADER, text);
    if (r->sign != SIGN_KEY && crm_has_replicas(r->web->crm))
        cookie_set(r, POSITION_COOKIE, text, r->web->options.session_most, false);
    r->position = -1;
}

bool position_again(struct request *r) {
    r->again = r->again || (r->on_replica && store_failed(r->reader.conn));
    return r->again;
}
