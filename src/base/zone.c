// GLib's GTimeZone behind a table of the zones asked for so far. The only file that includes GLib.
#include "base/zone.h"

#include <glib.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"

struct zone {
    struct zone *next;
    char *name;
    GTimeZone *zone;
};

// Bounded by the number of zones that exist, since unknown names are not kept.
static struct zone *zones;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// GLib also takes offsets, POSIX rules and paths: only plain IANA names are let through.
static bool plain_name(struct str s) {
    if (!s.n || s.n > 64 || s.p[0] == '/')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool inner = (c >= '0' && c <= '9') || c == '/' || c == '_' || c == '-' || c == '+';
        if (!letter && !(i && inner))
            return false;
    }
    return true;
}

const struct zone *zone_find(struct str name) {
    if (!plain_name(name))
        return NULL;
    pthread_mutex_lock(&lock);
    struct zone *z = zones;
    while (z && !str_is(name, z->name))
        z = z->next;
    if (!z) {
        char *copy = must_dup(name);
        GTimeZone *found = g_time_zone_new_identifier(copy);
        if (found) {
            z = must_alloc(sizeof *z);
            *z = (struct zone){zones, copy, found};
            zones = z;
        } else {
            free(copy);
        }
    }
    pthread_mutex_unlock(&lock);
    return z;
}

static int interval(const struct zone *z, GTimeType type, micros at) {
    int64_t seconds = at / SECOND - (at % SECOND < 0);
    return g_time_zone_find_interval(z->zone, type, seconds);
}

micros zone_offset(const struct zone *z, micros utc, const char **abbreviation) {
    int i = interval(z, G_TIME_TYPE_UNIVERSAL, utc);
    if (abbreviation)
        *abbreviation = g_time_zone_get_abbreviation(z->zone, i);
    return g_time_zone_get_offset(z->zone, i) * SECOND;
}

struct civil zone_civil(const struct zone *z, micros utc) {
    return civil_from_micros(utc + zone_offset(z, utc, NULL));
}

micros zone_utc(const struct zone *z, struct civil local) {
    micros wall = civil_to_micros(local);
    micros before = zone_offset(z, wall - DAY, NULL), after = zone_offset(z, wall + DAY, NULL);
    // Away from a change both agree. At one, the offset before it gives the earlier of two readings, and for a
    // wall clock that was skipped lands just past the gap.
    micros first = wall - before;
    if (before == after || zone_offset(z, first, NULL) == before)
        return first;
    micros second = wall - after;
    return zone_offset(z, second, NULL) == after ? second : first;
}

micros zone_same_until(const struct zone *z, micros utc, micros limit) {
    micros offset = zone_offset(z, utc, NULL), same = utc, other = utc;
    do {
        same = other;
        if (same >= limit)
            return limit;
        other = same < limit - DAY ? same + DAY : limit;
    } while (zone_offset(z, other, NULL) == offset);
    // Offsets change at whole seconds: between one moment that has it and one that has it no longer.
    micros low = same / SECOND - (same % SECOND < 0), high = other / SECOND - (other % SECOND < 0);
    while (high - low > 1) {
        micros middle = low + (high - low) / 2;
        if (zone_offset(z, middle * SECOND, NULL) == offset)
            low = middle;
        else
            high = middle;
    }
    return high * SECOND;
}
