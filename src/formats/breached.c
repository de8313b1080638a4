#include "formats/breached.h"

#define LINE_MOST 80 // bytes of a line with its end

static int digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

// The line that begins at `from`, as far as it is of interest; *end: where the next one begins.
struct line {
    char text[LINE_MOST];
    size_t n;
    uint64_t begin, end;
};

// The line in which `at` lies. No line begins before `lowest`, and at `lowest` one does.
static bool line_at(const struct breach_list *list, uint64_t lowest, uint64_t at,
                    struct line *out) {
    char before[LINE_MOST];
    uint64_t from = at - lowest > LINE_MOST ? at - LINE_MOST : lowest;
    size_t n = (size_t)(at - from);
    if (n && !list->read(list->arg, from, before, n))
        return false;
    out->begin = from;
    bool found = from == lowest;
    for (size_t i = n; i > 0; i--)
        if (before[i - 1] == '\n') {
            out->begin = from + i;
            found = true;
            break;
        }
    if (!found)
        return false;
    uint64_t rest = list->size - out->begin;
    size_t take = rest < LINE_MOST ? (size_t)rest : LINE_MOST;
    if (!list->read(list->arg, out->begin, out->text, take))
        return false;
    const char *newline = memchr(out->text, '\n', take);
    if (!newline && take == LINE_MOST)
        return false;
    out->n = newline ? (size_t)(newline - out->text) : take;
    out->end = out->begin + out->n + (newline ? 1 : 0);
    return true;
}

// Below, above or at the digits; *fine: it is a line of such a list.
static int compare(const struct line *line, struct str digits, bool *fine) {
    *fine = line->n >= digits.n;
    int order = 0;
    for (size_t i = 0; i < digits.n && *fine; i++) {
        int theirs = digit(line->text[i]), ours = digit(digits.p[i]);
        *fine = theirs >= 0 && ours >= 0;
        if (!order)
            order = theirs - ours;
    }
    if (*fine && line->n > digits.n) {
        char after = line->text[digits.n];
        *fine = after == ':' || after == '\r';
    }
    return order;
}

enum breach breach_find(const struct breach_list *list, struct str digits) {
    uint64_t low = 0, high = list->size; // beginnings of lines, or the end
    while (low < high) {
        struct line line;
        bool fine;
        if (!line_at(list, low, low + (high - low) / 2, &line))
            return BREACH_BAD;
        int order = compare(&line, digits, &fine);
        if (!fine)
            return BREACH_BAD;
        if (order == 0)
            return BREACH_YES;
        if (order < 0)
            low = line.end;
        else
            high = line.begin;
    }
    return BREACH_NO;
}
