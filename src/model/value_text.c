// Values that are texts. What people wrote is kept to the byte: only what could not be a text at all is refused
// (invalid UTF-8, a zero character), and addresses are put in one form.
#include "model/value_private.h"

#include <stdio.h>
#include "base/utf8.h"
#include "formats/phone.h"

#define TEXT_DEFAULT 250
#define LONG_TEXT_DEFAULT 20000
#define EMAIL_BYTES 254 // RFC 5321 4.5.3.1.3 (256 with its angle brackets)
#define URL_BYTES 2000
#define PHONE_CHARACTERS 60

static enum status text_given(struct taking *t, struct str *out) {
    if (t->in->type != DOC_STRING)
        return refuse(t, N_("A text is needed"), NULL);
    *out = t->in->string;
    return OK;
}

static enum status answer(struct taking *t, struct str s) {
    t->out = s.n ? doc_str(t->arena, arena_str(t->arena, s)) : doc_null(t->arena);
    return OK;
}

enum status take_text_value(struct taking *t) {
    struct str s;
    enum status status = text_given(t, &s);
    if (status)
        return status;
    int64_t most = t->field->max ? t->field->max
                                 : (t->field->type == TYPE_TEXT ? TEXT_DEFAULT : LONG_TEXT_DEFAULT);
    size_t length = utf8_length(s);
    if (length > (size_t)most) {
        char limit[24], is[24];
        snprintf(limit, sizeof limit, "%lld", (long long)most);
        snprintf(is, sizeof is, "%zu", length);
        return refuse(t, N_("This has {0} characters; at most {1} are possible"), is, limit, NULL);
    }
    return answer(t, s);
}

static bool is_wide_blank(uint32_t c) {
    return c <= ' ' || c == 0x7f || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200b) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000 || c == 0xfeff;
}

struct str trim_wide(struct str s) {
    size_t first = s.n, end = 0;
    for (size_t at = 0; at < s.n;) {
        size_t from = at;
        if (!is_wide_blank(utf8_next(s, &at))) {
            first = from < first ? from : first;
            end = at;
        }
    }
    return end ? (struct str){s.p + first, end - first} : STR("");
}

static bool ascii_alnum(unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool label_good(struct str label) {
    if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t at = 0; at < label.n;) {
        uint32_t c = utf8_next(label, &at);
        if (c < 0x80 ? !ascii_alnum((unsigned char)c) && c != '-' && c != '_' : is_wide_blank(c))
            return false;
    }
    return true;
}

bool host_good(struct str host) {
    if (host.n > 253)
        return false;
    struct str rest = host;
    if (rest.n == 0)
        return false;
    while (rest.n) {
        bool ends_in_dot = rest.p[rest.n - 1] == '.';
        if (!label_good(str_cut(&rest, '.')) || (rest.n == 0 && ends_in_dot))
            return false;
    }
    return true;
}

// The last label is a name and not a number.
static bool has_domain(struct str host) {
    ptrdiff_t dot = -1;
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] == '.')
            dot = (ptrdiff_t)i;
    if (dot <= 0)
        return false;
    for (size_t i = (size_t)dot + 1; i < host.n; i++)
        if (host.p[i] < '0' || host.p[i] > '9')
            return true;
    return false;
}

// The part before the @: RFC 5322 dot-atoms and, by RFC 6531, anything beyond ASCII. No quoted ones: nobody has them,
// and mistakes look like them.
static bool local_good(struct str local) {
    if (local.n == 0 || local.n > 64 || local.p[0] == '.' || local.p[local.n - 1] == '.')
        return false;
    for (size_t at = 0; at < local.n;) {
        uint32_t c = utf8_next(local, &at);
        if (c < 0x80 ? !ascii_alnum((unsigned char)c) &&
                           (c == 0 || !strchr("!#$%&'*+-/=?^_`{|}~.", (int)c))
                     : is_wide_blank(c))
            return false;
        if (c == '.' && local.p[at] == '.')
            return false;
    }
    return true;
}

enum status take_email(struct taking *t) {
    struct str s;
    enum status status = text_given(t, &s);
    if (status)
        return status;
    s = trim_wide(s);
    if (s.n == 0)
        return answer(t, s);
    struct str domain = s;
    struct str local = str_cut(&domain, '@');
    if (s.n > EMAIL_BYTES || !local_good(local) || !host_good(domain) || !has_domain(domain))
        return refuse(t, N_("This is no e-mail address: ana@example.com is one"), NULL);
    char *copy = arena_dup(t->arena, s);
    for (size_t i = local.n; i < s.n; i++)
        copy[i] = ascii_lower(copy[i]);
    t->out = doc_str(t->arena, (struct str){copy, s.n});
    return OK;
}

// ---------------------------------------------------------------- addresses of pages

static bool url_character(uint32_t c) {
    return c < 0x80 ? c > ' ' && c != 0x7f && !strchr("\"<>\\", (int)c) : !is_wide_blank(c);
}

// host, host:port, [IPv6]:port; no user or password, which only serve to mislead.
static bool authority_good(struct str a, bool needs_domain) {
    struct str host = a, port = STR("");
    if (a.n && a.p[0] == '[') {
        ptrdiff_t close = str_find(a, STR("]"));
        if (close < 3)
            return false;
        for (size_t i = 1; i < (size_t)close; i++)
            if (!strchr("0123456789abcdefABCDEF:.", a.p[i]))
                return false;
        port = (struct str){a.p + close + 1, a.n - (size_t)close - 1};
    } else {
        ptrdiff_t colon = str_find(a, STR(":"));
        if (colon >= 0) {
            host.n = (size_t)colon;
            port = (struct str){a.p + colon, a.n - (size_t)colon};
        }
        if (!host_good(host) || (needs_domain && !has_domain(host)))
            return false;
    }
    int64_t number;
    if (port.n == 0)
        return true;
    struct str digits = {port.p + 1, port.n - 1};
    return port.p[0] == ':' && digits.n <= 5 && str_int(digits, &number) && number > 0 &&
           number < 65536;
}

static bool starts_fold(struct str s, const char *lower_prefix) {
    size_t n = strlen(lower_prefix);
    if (s.n < n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (ascii_lower(s.p[i]) != lower_prefix[i])
            return false;
    return true;
}

enum status take_url(struct taking *t) {
    struct str s;
    enum status status = text_given(t, &s);
    if (status)
        return status;
    s = trim_wide(s);
    if (s.n == 0)
        return answer(t, s);
    bool plain = starts_fold(s, "http://"), secure = starts_fold(s, "https://");
    size_t skip = plain ? 7 : secure ? 8 : 0;
    struct str rest = {s.p + skip, s.n - skip};
    size_t host_n = 0;
    while (host_n < rest.n && !strchr("/?#", rest.p[host_n]))
        host_n++;
    bool good = authority_good((struct str){rest.p, host_n}, !skip);
    for (size_t at = 0; at < rest.n && good;)
        good = url_character(utf8_next(rest, &at));
    if (!good)
        return refuse(t, N_("This is no address of a page: https://example.com is one"), NULL);
    char *url = arena_bytes(t->arena, rest.n + 9);
    int n = snprintf(url, 9, plain ? "http://" : "https://");
    memcpy(url + n, rest.p, rest.n);
    for (size_t i = 0; i < host_n; i++)
        url[(size_t)n + i] = ascii_lower(url[(size_t)n + i]);
    url[(size_t)n + rest.n] = 0;
    if ((size_t)n + rest.n > URL_BYTES)
        return refuse(t, N_("This is no address of a page: https://example.com is one"), NULL);
    t->out = doc_str(t->arena, (struct str){url, (size_t)n + rest.n});
    return OK;
}

// ---------------------------------------------------------------- telephones

// Could people mean a number by it, if only one inside the house? Some digits, and little else.
static bool phone_like(struct str s) {
    size_t digits = 0, letters = 0;
    for (size_t at = 0; at < s.n;) {
        uint32_t c = utf8_next(s, &at);
        if (c >= '0' && c <= '9')
            digits++;
        else if (c < ' ' || c == 0x7f)
            return false;
        else if (c >= 0x80 ? !is_wide_blank(c) : !strchr(" +-()./,;:#*", (int)c))
            letters++;
    }
    return digits >= 2 && letters <= 20 && utf8_length(s) <= PHONE_CHARACTERS;
}

enum status take_phone(struct taking *t) {
    struct doc typed_doc = *t->in;
    struct str given = STR("");
    if (t->in->type == DOC_OBJECT) {
        doc_each(member, t->in)
            if (!str_is(member->key, "typed") && !str_is(member->key, "e164"))
                return refuse(t, N_("A telephone number has the members typed and e164 only"),
                              NULL);
        given = doc_get_text(t->in, "e164");
        if (doc_is_null(doc_get(t->in, STR("typed")))) {
            t->out = doc_null(t->arena);
            return OK;
        }
        typed_doc = *doc_get(t->in, STR("typed"));
    }
    struct taking inner = *t;
    inner.in = &typed_doc;
    struct str s;
    enum status status = text_given(&inner, &s);
    if (status == OK && t->in->type == DOC_OBJECT)
        status = text_check(t, s);
    if (status)
        return status;
    s = trim_wide(s);
    if (s.n == 0)
        return answer(t, s);
    char e164[PHONE_MAX], region[3] = "";
    if (t->context->region.n == 2)
        memcpy(region, t->context->region.p, 2);
    bool bounded = utf8_length(s) <= PHONE_CHARACTERS;
    // A number in normal form may come from where another region is the default one.
    bool understood =
        bounded && given.n && phone_normalise(given.p, given.n, NULL, e164) && str_is(given, e164);
    understood = understood || (bounded && phone_normalise(s.p, s.n, region, e164));
    if (!understood && !phone_like(s))
        return refuse(t, N_("This is no telephone number: +34 600 123 123 is one"), NULL);
    struct doc *out = doc_object(t->arena);
    doc_set_str(t->arena, out, "typed", arena_str(t->arena, s));
    if (understood)
        doc_set_str(t->arena, out, "e164", arena_str(t->arena, str_z(e164)));
    t->out = out;
    return OK;
}
