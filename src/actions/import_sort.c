// An external merge sort. A row is kept as one piece of bytes: its key, then its cells; what no longer fits into memory
// goes into a file as a sorted run, and runs are merged when they are read, or when there are many of them.
#include "actions/import_sort.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RUNS_MOST 64

struct key {
    int64_t group;
    micros at;
    int64_t place; // in the order they came in
    int64_t number;
    uint32_t cells, bytes; // bytes: of what follows the key
};

struct cell_head {
    uint32_t bytes;
    uint8_t plain, broken;
};

struct sort_run {
    FILE *file; // NULL: read to its end
    struct key key;
    char *row; // the next one's cells
    size_t cap;
};

struct sorted {
    const struct sort_by *by;
    char *memory;
    size_t used, cap;
    size_t *starts; // of the rows in memory
    size_t n, most, next;
    struct sort_run runs[RUNS_MOST];
    size_t n_runs;
    int64_t added, given;
    struct import_cell *cells;
    size_t n_cells;
    char *row; // the one that was given last, of a run
    size_t row_cap;
};

struct sorted *sorted_new(const struct sort_by *by) {
    struct sorted *s = must_alloc(sizeof *s);
    memset(s, 0, sizeof *s);
    s->by = by;
    return s;
}

static struct key key_at(const struct sorted *s, size_t i) {
    struct key key;
    memcpy(&key, s->memory + s->starts[i], sizeof key);
    return key;
}

static int compare_keys(const struct key *a, const struct key *b) {
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

// ---------------------------------------------------------------- in memory

static int compare_starts(const void *a, const void *b, void *memory) {
    struct key one, other;
    memcpy(&one, (const char *)memory + *(const size_t *)a, sizeof one);
    memcpy(&other, (const char *)memory + *(const size_t *)b, sizeof other);
    return compare_keys(&one, &other);
}

static void sort_memory(struct sorted *s) {
    if (s->n)
        qsort_r(s->starts, s->n, sizeof *s->starts, compare_starts, s->memory);
}

static void make_room(struct sorted *s, size_t bytes) {
    if (s->used + bytes > s->cap) {
        s->cap = (s->used + bytes) * 2;
        s->memory = must_realloc(s->memory, s->cap);
    }
    if (s->n == s->most) {
        s->most = s->most ? s->most * 2 : 1024;
        s->starts = must_realloc(s->starts, s->most * sizeof *s->starts);
    }
}

// ---------------------------------------------------------------- runs

static enum status failed(const struct sorted *s, struct error *e) {
    return error_set(e, errno == ENOSPC ? FULL : UNAVAILABLE, NULL,
                     N_("The file {0} can't be written: {1}."), s->by->folder, strerror(errno),
                     NULL);
}

static enum status run_file(const struct sorted *s, FILE **out, struct error *e) {
    struct arena a = ARENA_INIT;
    char *path = arena_dup(&a, arena_printf(&a, "%s/sort-XXXXXX", s->by->folder));
    int fd = mkostemp(path, O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w+b");
    enum status st = file ? OK : failed(s, e);
    if (fd >= 0)
        unlink(path); // it goes with its last descriptor
    if (fd >= 0 && !file)
        close(fd);
    arena_release(&a);
    if (st == OK)
        *out = file;
    return st;
}

// Reads the run's next row; at its end the file is closed.
static enum status run_read(struct sorted *s, struct sort_run *run, struct error *e) {
    if (fread(&run->key, sizeof run->key, 1, run->file) != 1) {
        enum status st = ferror(run->file) ? failed(s, e) : OK;
        fclose(run->file);
        run->file = NULL;
        return st;
    }
    if (run->key.bytes > run->cap) {
        run->cap = run->key.bytes * 2UL;
        run->row = must_realloc(run->row, run->cap);
    }
    if (run->key.bytes && fread(run->row, run->key.bytes, 1, run->file) != 1)
        return failed(s, e);
    return OK;
}

static enum status run_start(struct sorted *s, FILE *file, struct error *e) {
    struct sort_run *run = &s->runs[s->n_runs++];
    run->file = file;
    if (fflush(file) != 0)
        return failed(s, e);
    rewind(file);
    return run_read(s, run, e);
}

static struct sort_run *least(struct sorted *s) {
    struct sort_run *found = NULL;
    for (size_t i = 0; i < s->n_runs; i++)
        if (s->runs[i].file && (!found || compare_keys(&s->runs[i].key, &found->key) < 0))
            found = &s->runs[i];
    return found;
}

static void runs_forget(struct sorted *s) {
    for (size_t i = 0; i < s->n_runs; i++) {
        if (s->runs[i].file)
            fclose(s->runs[i].file);
        free(s->runs[i].row);
        s->runs[i] = (struct sort_run){0};
    }
    s->n_runs = 0;
}

// As many as there may be become one.
static enum status runs_merge(struct sorted *s, struct error *e) {
    FILE *file = NULL;
    enum status st = run_file(s, &file, e);
    struct sort_run *run;
    while (st == OK && (run = least(s))) {
        if (fwrite(&run->key, sizeof run->key, 1, file) != 1 ||
            (run->key.bytes && fwrite(run->row, run->key.bytes, 1, file) != 1))
            st = failed(s, e);
        else
            st = run_read(s, run, e);
    }
    if (st != OK) {
        if (file)
            fclose(file);
        return st;
    }
    runs_forget(s);
    return run_start(s, file, e);
}

// What is in memory becomes a run.
static enum status spill(struct sorted *s, struct error *e) {
    FILE *file = NULL;
    enum status st = s->n_runs == RUNS_MOST ? runs_merge(s, e) : OK;
    if (st == OK)
        st = run_file(s, &file, e);
    if (st != OK)
        return st;
    sort_memory(s);
    for (size_t i = 0; i < s->n; i++) {
        struct key key = key_at(s, i);
        if (fwrite(s->memory + s->starts[i], sizeof key + key.bytes, 1, file) != 1) {
            st = failed(s, e);
            fclose(file);
            return st;
        }
    }
    s->n = s->used = 0;
    return run_start(s, file, e);
}

// ---------------------------------------------------------------- adding

enum status sorted_add(struct sorted *s, const struct import_line *line, struct error *e) {
    size_t bytes = 0;
    for (size_t i = 0; i < line->n; i++)
        bytes += sizeof(struct cell_head) + line->cells[i].raw.n;
    struct key key = {line->group,  line->at,          s->added++,
                      line->number, (uint32_t)line->n, (uint32_t)bytes};
    if (bytes > UINT32_MAX)
        return error_set(e, TOO_LARGE, "file", N_("A row of the file is too long."), NULL);
    if (s->n && s->used + sizeof key + bytes > s->by->memory) {
        enum status st = spill(s, e);
        if (st != OK)
            return st;
    }
    make_room(s, sizeof key + bytes);
    s->starts[s->n++] = s->used;
    memcpy(s->memory + s->used, &key, sizeof key);
    s->used += sizeof key;
    for (size_t i = 0; i < line->n; i++) {
        const struct import_cell *cell = &line->cells[i];
        struct cell_head head = {(uint32_t)cell->raw.n, cell->plain, cell->broken};
        memcpy(s->memory + s->used, &head, sizeof head);
        s->used += sizeof head;
        if (cell->raw.n)
            memcpy(s->memory + s->used, cell->raw.p, cell->raw.n);
        s->used += cell->raw.n;
    }
    return OK;
}

enum status sorted_end(struct sorted *s, struct error *e) {
    if (s->n_runs && s->n)
        return spill(s, e);
    sort_memory(s);
    return OK;
}

// ---------------------------------------------------------------- giving

static void open_row(struct sorted *s, const struct key *key, const char *row,
                     struct import_line *out) {
    if (key->cells > s->n_cells) {
        s->n_cells = key->cells;
        s->cells = must_realloc(s->cells, s->n_cells * sizeof *s->cells);
    }
    for (uint32_t i = 0; i < key->cells; i++) {
        struct cell_head head;
        memcpy(&head, row, sizeof head);
        row += sizeof head;
        struct str raw = {row, head.bytes};
        s->cells[i] = (struct import_cell){str_trim(raw), raw, head.plain, head.broken};
        row += head.bytes;
    }
    *out = (struct import_line){.cells = s->cells,
                                .n = key->cells,
                                .number = key->number,
                                .group = key->group,
                                .at = key->at};
}

enum status sorted_next(struct sorted *s, struct import_line *out, bool *more, struct error *e) {
    if (!s->n_runs) {
        *more = s->next < s->n;
        if (!*more)
            return OK;
        struct key key = key_at(s, s->next);
        open_row(s, &key, s->memory + s->starts[s->next] + sizeof key, out);
        s->next++;
        s->given++;
        return OK;
    }
    struct sort_run *run = least(s);
    *more = run != NULL;
    if (!run)
        return OK;
    // The row moves over, since the run reads its next one into the same place.
    struct key key = run->key;
    char *row = run->row;
    size_t cap = run->cap;
    run->row = s->row;
    run->cap = s->row_cap;
    s->row = row;
    s->row_cap = cap;
    open_row(s, &key, row, out);
    s->given++;
    return run_read(s, run, e);
}

int64_t sorted_share(const struct sorted *s, int64_t all) {
    if (!s->added)
        return all;
    return (int64_t)((double)all * (double)s->given / (double)s->added);
}

void sorted_free(struct sorted *s) {
    if (!s)
        return;
    runs_forget(s);
    free(s->memory);
    free(s->starts);
    free(s->cells);
    free(s->row);
    free(s);
}
