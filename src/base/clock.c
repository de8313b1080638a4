#include "base/clock.h"

#include <time.h>

static _Thread_local micros pretended;

static micros read_clock(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (micros)t.tv_sec * SECOND + t.tv_nsec / 1000;
}

micros clock_now(void) {
    return pretended ? pretended : read_clock(CLOCK_REALTIME);
}

micros clock_monotonic(void) {
    return read_clock(CLOCK_MONOTONIC);
}

void clock_pretend(micros at) {
    pretended = at;
}

// Howard Hinnant's days_from_civil and civil_from_days (chrono-compatible low-level date algorithms).
int64_t days_from_civil(int year, int month, int day) {
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

struct civil civil_from_micros(micros utc) {
    int64_t days = utc / DAY;
    micros rest = utc % DAY;
    if (rest < 0) {
        rest += DAY;
        days--;
    }
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    struct civil c = {0};
    c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    c.year = (int)(yoe + era * 400 + (c.month <= 2));
    c.hour = (int)(rest / HOUR);
    c.minute = (int)(rest % HOUR / MINUTE);
    c.second = (int)(rest % MINUTE / SECOND);
    c.micro = (int)(rest % SECOND);
    c.weekday = (int)(((days + 4) % 7 + 7) % 7);
    return c;
}

micros civil_to_micros(struct civil c) {
    return days_from_civil(c.year, c.month, c.day) * DAY + c.hour * HOUR + c.minute * MINUTE +
           c.second * SECOND + c.micro;
}

bool civil_valid(int year, int month, int day) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= lengths[month - 1] + (month == 2 && leap);
}

// `digits` digits of v, zeros in front.
static char *put_number(char *to, int v, int digits) {
    for (int i = digits; i-- > 0; v /= 10)
        to[i] = (char)('0' + v % 10);
    return to + digits;
}

// By hand: every document has some of these, and printf would be most of its cost.
void clock_text(micros at, char out[CLOCK_TEXT]) {
    struct civil c = civil_from_micros(at);
    char *p = put_number(out, c.year % 10000, 4);
    *p++ = '-';
    p = put_number(p, c.month, 2);
    *p++ = '-';
    p = put_number(p, c.day, 2);
    *p++ = 'T';
    p = put_number(p, c.hour, 2);
    *p++ = ':';
    p = put_number(p, c.minute, 2);
    *p++ = ':';
    p = put_number(p, c.second, 2);
    if (c.micro) {
        *p++ = '.';
        p = put_number(p, c.micro, 6);
    }
    *p++ = 'Z';
    *p = 0;
}

// Takes exactly `digits` digits off the front.
static bool take(struct str *s, int digits, int *out) {
    if (s->n < (size_t)digits)
        return false;
    int v = 0;
    for (int i = 0; i < digits; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = v * 10 + (s->p[i] - '0');
    }
    s->p += digits;
    s->n -= (size_t)digits;
    *out = v;
    return true;
}

static bool take_char(struct str *s, char c) {
    if (!s->n || s->p[0] != c)
        return false;
    s->p++;
    s->n--;
    return true;
}

static bool take_date(struct str *s, struct civil *c) {
    return take(s, 4, &c->year) && take_char(s, '-') && take(s, 2, &c->month) &&
           take_char(s, '-') && take(s, 2, &c->day) && civil_valid(c->year, c->month, c->day);
}

bool date_valid(struct str s) {
    struct civil c = {0};
    return take_date(&s, &c) && s.n == 0;
}

bool clock_parse(struct str s, micros *out) {
    struct civil c = {0};
    if (!take_date(&s, &c))
        return false;
    int64_t offset = 0;
    if (s.n) {
        if (!take_char(&s, 'T') && !take_char(&s, 't') && !take_char(&s, ' '))
            return false;
        if (!take(&s, 2, &c.hour) || !take_char(&s, ':') || !take(&s, 2, &c.minute))
            return false;
        if (take_char(&s, ':')) {
            if (!take(&s, 2, &c.second))
                return false;
            if (take_char(&s, '.')) {
                int scale = 100000, digit, digits = 0;
                while (take(&s, 1, &digit)) {
                    c.micro += digit * scale;
                    scale /= 10;
                    digits++;
                }
                if (!digits)
                    return false;
            }
        }
        if (c.hour > 23 || c.minute > 59 || c.second > 59)
            return false;
        if (s.n && !take_char(&s, 'Z') && !take_char(&s, 'z')) {
            int hours, minutes, sign = take_char(&s, '-') ? -1 : take_char(&s, '+') ? 1 : 0;
            if (!sign || !take(&s, 2, &hours))
                return false;
            take_char(&s, ':');
            if (!take(&s, 2, &minutes) || hours > 23 || minutes > 59)
                return false;
            offset = sign * (hours * HOUR + minutes * MINUTE);
        }
        if (s.n)
            return false;
    }
    *out = civil_to_micros(c) - offset;
    return true;
}
