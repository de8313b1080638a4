// For clang-tidy only (see lint.sh): tells it what error_set() answers, which it cannot see from another file.
#include "base/error.h"
#define error_set(e, status, ...) ((error_set)((e), (status), __VA_ARGS__), (status))
