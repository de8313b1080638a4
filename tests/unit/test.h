// cmocka with the headers it wants before it, and where the tests' files are.
#ifndef CRONISTA_TESTS_UNIT_TEST_H
#define CRONISTA_TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

// Data by others that this project may not carry: NULL (and a line "skipped") where it is absent.
static inline const char *shared_data(void) {
    const char *set = getenv("CRONISTA_SHARED_DATA");
    const char *path = set ? set : CRONISTA_SOURCE_ROOT "/../shared/data";
    if (access(path, R_OK) == 0)
        return path;
    print_message("skipped: no shared data\n");
    return NULL;
}

#endif
