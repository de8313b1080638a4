#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"

static enum log_level least = LOG_INFO;

void log_least(enum log_level level) {
    least = level;
}

void log_line(enum log_level level, const char *fmt, ...) {
    static const char *const names[] = {"debug", "info", "warning", "error"};
    if (level < least)
        return;
    char time[CLOCK_TEXT], text[2000];
    clock_text(clock_now(), time);
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    // A line break in what somebody sent must not become a line of ours.
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = ' ';
    fprintf(stderr, "%s %s %s\n", time, names[level], text);
}
