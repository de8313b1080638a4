#include "formats/xlsx_strings.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/buf.h"
#include "formats/xlsx_text.h"

#define IN_MEMORY ((size_t)8 << 20)
#define ONE_MOST ((size_t)16 << 20) // bytes of a single string

// Bytes that are first gathered and then only looked at.
struct spool {
    struct buf head;
    FILE *file; // past IN_MEMORY everything
    uint64_t n;
    const char *bytes; // once complete
    bool mapped, failed;
};

static void spool_add(struct spool *s, const void *bytes, size_t n) {
    s->n += n;
    if (!s->file && s->head.n + n <= IN_MEMORY) {
        buf_add(&s->head, bytes, n);
        return;
    }
    if (!s->file) {
        s->file = tmpfile();
        if (!s->file || fwrite(s->head.p, 1, s->head.n, s->file) != s->head.n)
            s->failed = true;
        buf_release(&s->head);
    }
    if (!s->failed && fwrite(bytes, 1, n, s->file) != n)
        s->failed = true;
}

static bool spool_complete(struct spool *s) {
    if (!s->file) {
        s->bytes = s->head.p;
        return !s->failed;
    }
    if (s->failed || fflush(s->file) != 0)
        return false;
    void *map = mmap(NULL, s->n, PROT_READ, MAP_PRIVATE, fileno(s->file), 0);
    if (map == MAP_FAILED)
        return false;
    s->bytes = map;
    s->mapped = true;
    return true;
}

static void spool_release(struct spool *s) {
    if (s->mapped)
        munmap((void *)s->bytes, s->n);
    if (s->file)
        fclose(s->file);
    buf_release(&s->head);
}

struct strings {
    struct spool text, ends; // ends: of each string in text, uint64_t
    uint64_t most;
    // while reading
    struct part *part;
    struct buf one;
    bool in_string, in_text;
    int phonetic; // readings of Asian characters are no part of the text
};

static void on_start(void *arg, const char *name, const char **attributes) {
    struct strings *s = arg;
    (void)attributes;
    if (strcmp(name, "si") == 0) {
        s->in_string = true;
        buf_clear(&s->one);
    } else if (strcmp(name, "rPh") == 0) {
        s->phonetic++;
    } else if (strcmp(name, "t") == 0) {
        s->in_text = s->in_string && s->phonetic == 0;
    }
}

static void on_end(void *arg, const char *name) {
    struct strings *s = arg;
    if (strcmp(name, "t") == 0) {
        s->in_text = false;
    } else if (strcmp(name, "rPh") == 0) {
        s->phonetic--;
    } else if (strcmp(name, "si") == 0) {
        s->in_string = false;
        if (s->one.n)
            spool_add(&s->text, s->one.p, xlsx_unescape(s->one.p, s->one.n));
        spool_add(&s->ends, &s->text.n, sizeof s->text.n);
        if (s->text.n + s->ends.n > s->most)
            part_fail(s->part, TOO_LARGE, N_("The Excel file has too much text."));
    }
}

static void on_text(void *arg, struct str text) {
    struct strings *s = arg;
    if (!s->in_text)
        return;
    buf_str(&s->one, text);
    if (s->one.overflow)
        part_fail(s->part, TOO_LARGE, N_("The Excel file has too much text."));
}

static const struct xml_handlers handlers = {on_start, on_end, on_text};

enum status strings_read(struct package *package, const char *name, uint64_t most,
                         struct strings **out, struct error *e) {
    struct strings *s = must_alloc(sizeof *s);
    *s = (struct strings){.most = most, .one = BUF_INIT(ONE_MOST)};
    s->text.head.max = s->ends.head.max = IN_MEMORY;
    enum status status = part_open(package, name, &handlers, s, &s->part, e);
    bool more = true;
    while (status == OK && more)
        status = part_run(s->part, &more, e);
    part_close(s->part);
    buf_release(&s->one);
    if (status == OK && !(spool_complete(&s->text) && spool_complete(&s->ends)))
        status =
            error_set(e, FULL, "", N_("There is no room for the texts of the Excel file."), NULL);
    if (status) {
        strings_free(s);
        return status;
    }
    *out = s;
    return OK;
}

void strings_free(struct strings *s) {
    if (!s)
        return;
    spool_release(&s->text);
    spool_release(&s->ends);
    free(s);
}

static uint64_t end_of(const struct strings *s, uint64_t index) {
    uint64_t end;
    memcpy(&end, s->ends.bytes + index * sizeof end, sizeof end);
    return end;
}

bool strings_get(const struct strings *s, uint64_t index, struct str *out) {
    if (!s || index >= s->ends.n / sizeof(uint64_t))
        return false;
    uint64_t from = index ? end_of(s, index - 1) : 0, to = end_of(s, index);
    *out = (struct str){to > from ? s->text.bytes + from : "", to - from};
    return true;
}
