#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

enum status error_set(struct error *e, enum status status, const char *field, const char *msgid,
                      ...) {
    if (!e)
        return status;
    struct error *next = e->next;
    *e = (struct error){.status = status, .msgid = msgid, .next = next};
    snprintf(e->field, sizeof e->field, "%s", field ? field : "");
    va_list args;
    va_start(args, msgid);
    for (int i = 0; i < ERROR_ARGS; i++) {
        const char *arg = va_arg(args, const char *);
        if (!arg)
            break;
        size_t n = utf8_cut(str_z(arg), ERROR_TEXT - 1);
        memcpy(e->args[i], arg, n);
        e->args[i][n] = 0;
    }
    va_end(args);
    return status;
}

enum status error_pass(enum status status, enum status fine, struct error *e) {
    if (status != fine)
        return status;
    if (e)
        *e = (struct error){.next = e->next};
    return OK;
}

void error_format(const struct error *e, struct str text, char *out, size_t size) {
    size_t n = 0;
    for (size_t i = 0; i < text.n && n + 1 < size;) {
        if (i + 2 < text.n && text.p[i] == '{' && text.p[i + 2] == '}' && text.p[i + 1] >= '0' &&
            text.p[i + 1] < '0' + ERROR_ARGS) {
            const char *arg = e->args[text.p[i + 1] - '0'];
            size_t m = utf8_cut(str_z(arg), size - 1 - n);
            memcpy(out + n, arg, m);
            n += m;
            i += 3;
        } else {
            out[n++] = text.p[i++];
        }
    }
    n = utf8_cut((struct str){out, n}, n);
    out[n] = 0;
}

void error_text(const struct error *e, char *out, size_t size) {
    error_format(e, str_z(e->msgid ? e->msgid : status_name(e->status)), out, size);
}

const char *status_name(enum status s) {
    static const char *const names[] = {
        [OK] = "ok",
        [INVALID] = "invalid",
        [UNSIGNED] = "not_signed_in",
        [DENIED] = "denied",
        [NOT_FOUND] = "not_found",
        [CONFLICT] = "conflict",
        [TOO_LARGE] = "too_large",
        [TOO_MANY] = "too_many_requests",
        [FULL] = "disk_full",
        [UNAVAILABLE] = "unavailable",
        [CORRUPT] = "corrupt",
        [BUG] = "internal_error",
    };
    return (unsigned)s < sizeof names / sizeof *names ? names[s] : "internal_error";
}

void bug_at(const char *file, int line, const char *what) {
    fprintf(stderr, "cronista: bug at %s:%d: %s\n", file, line, what);
    abort();
}
