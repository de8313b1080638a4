#include "web/fetch.h"

#include <curl/curl.h>
#include "base/arena.h"
#include "base/error.h"

#define HEADERS_MOST (64 * 1024) // bytes
#define CONNECT_MOST 4000        // milliseconds

struct taking {
    struct buf *out;
    size_t headers;
    const atomic_bool *stop;
};

void fetch_start(void) {
    BUG_ON(curl_global_init(CURL_GLOBAL_DEFAULT) != 0);
}

static size_t take_body(char *bytes, size_t size, size_t n, void *arg) {
    struct taking *t = arg;
    buf_add(t->out, bytes, size * n);
    return t->out->overflow ? 0 : size * n;
}

static size_t take_header(char *bytes, // NOLINT(readability-non-const-parameter): libcurl's type
                          size_t size, size_t n, void *arg) {
    struct taking *t = arg;
    (void)bytes;
    t->headers += size * n;
    return t->headers > HEADERS_MOST ? 0 : size * n;
}

static int look_up(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    const struct taking *t = arg;
    (void)a, (void)b, (void)c, (void)d;
    return t->stop && atomic_load(t->stop);
}

static long milliseconds(micros until) {
    micros left = until - clock_monotonic();
    if (left > FETCH_ANSWER)
        left = FETCH_ANSWER;
    return left < 1000 ? 1 : (long)(left / 1000);
}

// What holds for every question.
static bool set_bounds(CURL *c, const struct fetch *f, struct taking *t) {
    const char *schemes = f->plain ? "http,https" : "https";
    return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, schemes) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MOST) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, milliseconds(f->until)) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_MAXFILESIZE, (long)FETCH_MOST) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, look_up) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_XFERINFODATA, t) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEDATA, t) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HEADERDATA, t) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_USERAGENT, "Cronista") == CURLE_OK &&
           (!f->authorities || curl_easy_setopt(c, CURLOPT_CAINFO, f->authorities) == CURLE_OK);
}

static struct curl_slist *headers_of(const struct fetch *f, struct arena *a) {
    struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json");
    if (f->authorization.n)
        list = curl_slist_append(
            list, arena_printf(a, "Authorization: %.*s", STR_FMT(f->authorization)).p);
    if (f->form.p)
        list = curl_slist_append(list, "Content-Type: application/x-www-form-urlencoded");
    BUG_ON(!list);
    return list;
}

const char *fetch(const struct fetch *f, struct buf *out, int *status) {
    struct arena a = ARENA_INIT;
    struct taking t = {.out = out, .stop = f->stop};
    CURL *c = curl_easy_init();
    BUG_ON(!c);
    struct curl_slist *headers = headers_of(f, &a);
    long code = 0;
    CURLcode done = CURLE_FAILED_INIT;
    bool set = set_bounds(c, f, &t) &&
               curl_easy_setopt(c, CURLOPT_URL, arena_dup(&a, f->address)) == CURLE_OK &&
               curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers) == CURLE_OK;
    if (set && f->form.p)
        set = curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)f->form.n) == CURLE_OK &&
              curl_easy_setopt(c, CURLOPT_POSTFIELDS, arena_dup(&a, f->form)) == CURLE_OK;
    if (set)
        done = curl_easy_perform(c);
    if (done == CURLE_OK)
        done = curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
    curl_slist_free_all(headers);
    curl_easy_cleanup(c);
    arena_release(&a);
    if (done != CURLE_OK)
        return out->overflow ? "the answer is too large" : curl_easy_strerror(done);
    *status = (int)code;
    return NULL;
}
