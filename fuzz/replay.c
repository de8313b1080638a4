// Runs a fuzzer's entry over the files given, and over those in the folders given: what once was
// found stays found.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t runs;

static void run_file(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(1);
    }
    size_t cap = 1 << 16, n = 0, got;
    uint8_t *bytes = malloc(cap);
    while (bytes && (got = fread(bytes + n, 1, cap - n, f)) > 0) {
        n += got;
        if (n < cap)
            continue;
        uint8_t *more = realloc(bytes, cap *= 2);
        if (!more)
            exit(1);
        bytes = more;
    }
    fclose(f);
    // In a piece of memory of exactly its size, so that reading past it is noticed.
    uint8_t *exact = malloc(n ? n : 1);
    if (!bytes || !exact)
        exit(1);
    memcpy(exact, bytes, n);
    free(bytes);
    fprintf(stderr, "%s\n", path); // the last one named is the one that failed
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    runs++;
}

static void run_path(const char *path) {
    struct stat about;
    if (stat(path, &about) != 0) {
        perror(path);
        exit(1);
    }
    if (!S_ISDIR(about.st_mode)) {
        run_file(path);
        return;
    }
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.') {
            size_t length = strlen(path) + strlen(entries[i]->d_name) + 2;
            char *inner = malloc(length);
            if (!inner)
                exit(1);
            snprintf(inner, length, "%s/%s", path, entries[i]->d_name);
            run_path(inner);
            free(inner);
        }
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        run_path(argv[i]);
    printf("%zu inputs\n", runs);
    return runs ? 0 : 1;
}
