#include "cli/settings.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/zone.h"
#include "cli/cli.h"
#include "records/scan.h"

// A secret is no argument: others on the machine see those.
enum kind { KIND_TEXT, KIND_NUMBER, KIND_SWITCH, KIND_SECRET };

struct setting {
    const char *name;
    enum kind kind;
    size_t at;                       // in struct web_options
    const char *preset;              // as it would be written; NULL: none
    int64_t least, most;             // of numbers
    bool (*fine)(const char *value); // of texts; NULL: anything
    const char *says;
};

#define NUMBER(member, preset_, least_, most_, says_)                                              \
    {                                                                                              \
        .name = #member, .kind = KIND_NUMBER, .at = offsetof(struct web_options, member),          \
        .preset = preset_, .least = least_, .most = most_, .says = says_                           \
    }
#define TEXT(member, preset_, fine_, says_)                                                        \
    {                                                                                              \
        .name = #member, .kind = KIND_TEXT, .at = offsetof(struct web_options, member),            \
        .preset = preset_, .fine = fine_, .says = says_                                            \
    }
#define SWITCH(member, says_)                                                                      \
    {                                                                                              \
        .name = #member, .kind = KIND_SWITCH, .at = offsetof(struct web_options, member),          \
        .preset = "no", .says = says_                                                              \
    }

#define SECRET(member, says_)                                                                      \
    {                                                                                              \
        .name = #member, .kind = KIND_SECRET, .at = offsetof(struct web_options, member),          \
        .says = says_                                                                              \
    }

static bool is_zone(const char *v) {
    return zone_find(str_z(v)) != NULL;
}

static bool is_language(const char *v) {
    return strlen(v) == 2;
}

static bool is_currency(const char *v) {
    return strlen(v) == 3 && strspn(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

static bool is_region(const char *v) {
    return strlen(v) == 2 && strspn(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2;
}

static const struct setting settings[] = {
    TEXT(listen, "127.0.0.1:8080", NULL, "address and port, [::1]:PORT, or unix:/path/of/a/socket"),
    TEXT(certificate, NULL, NULL,
         "file with the TLS certificate (PEM); without one, TLS is left to a proxy"),
    TEXT(key, NULL, NULL, "file with its private key"),
    SWITCH(proxy, "a proxy in front does TLS and sets X-Forwarded-For: yes or no"),
    TEXT(product, "Cronista", NULL, "name of the installation, as pages show it"),
    TEXT(language, "es", is_language, "language of those who have not chosen one: es, en, pl, ro"),
    TEXT(zone, "UTC", is_zone, "time zone of those who have not chosen one, as America/Bogota"),
    TEXT(currency, "USD", is_currency, "currency of amounts that come without one"),
    TEXT(region, "ES", is_region, "country of telephone numbers that come without one"),
    NUMBER(threads, NULL, 1, 64,
           "event loops; otherwise as many as processors, four times as many with PostgreSQL"),
    NUMBER(workers, NULL, 1, 64,
           "threads for passwords, files, exports; otherwise as many as processors, at least two"),
    NUMBER(connections, "1000", 4, 100000, "connections at a time"),
    NUMBER(connections_per_address, "400", 0, 100000, "of one address; 0: no limit"),
    NUMBER(streams, "500", 0, 100000, "live streams at a time"),
    NUMBER(header_bytes, "12288", 4096, 1048576,
           "request line, headers and buffer of a connection"),
    NUMBER(url_bytes, "8192", 256, 65536, "path and query of a request"),
    NUMBER(body_bytes, "1048576", 1024, 1073741824, "body of a request that is not a file"),
    NUMBER(upload_bytes, "209715200", 1024, 1099511627776, "a file"),
    TEXT(clamd, NULL, scan_place_valid,
         "virus scanner that sees every file before it is taken: unix:/path/of/its/socket or "
         "HOST:PORT of clamd"),
    NUMBER(idle_seconds, "60", 1, 3600, "before a connection on which nothing moves is closed"),
    NUMBER(request_seconds, "30", 1, 3600,
           "for a request to arrive whole; files may take twenty times as long"),
    NUMBER(session_idle, "43200", 60, 31536000, "seconds after which an unused session ends"),
    NUMBER(session_most, "2592000", 60, 31536000, "seconds after which any session ends"),
    NUMBER(attempts, "20", 1, 100000,
           "passwords an address may try at once, and then one every ten seconds"),
    NUMBER(account_attempts, "10", 1, 100000,
           "passwords that may be tried for an account from an address, and then one a minute"),
    TEXT(
        breached_passwords, NULL, NULL,
        "list of breached passwords, none of which may be chosen: a sorted file of SHA-1 hashes or "
        "a folder of ranges, as of Have I Been Pwned"),
    TEXT(oidc_issuer, NULL, NULL,
         "OpenID provider by whose word people sign in, too: its issuer, an https address"),
    TEXT(oidc_client_id, NULL, NULL, "what this installation is called there"),
    SECRET(oidc_client_secret, "its secret there, if it has one"),
    TEXT(oidc_client_secret_file, NULL, NULL, "file with that secret"),
    TEXT(oidc_label, NULL, NULL, "what people call the provider; otherwise its host"),
    TEXT(oidc_authorities, NULL, NULL,
         "file with certificates (PEM) that are trusted for it, instead of the system's"),
    SWITCH(oidc_new_users, "whom it sends and nobody here knows becomes a user: yes or no"),
    TEXT(oidc_domains, NULL, NULL,
         "the domains of such users' addresses, with commas between; nobody of others is made one"),
    TEXT(
        oidc_profile, "member", NULL,
        "the profile of such users: member, read_only, administrator, or p and a profile's number"),
    TEXT(oidc_level, NULL, NULL, "and the name of their level; otherwise the first there is"),
    SWITCH(demo, "the sign-in page shows the demonstration's account"),
    TEXT(demo_email, NULL, NULL, "that account's e-mail address"),
    TEXT(demo_password, NULL, NULL, "and password"),
};
#define N_SETTINGS (sizeof settings / sizeof *settings)

static enum status wrong(const struct setting *s, const char *value, struct error *e) {
    if (s->kind == KIND_NUMBER) {
        char least[24], most[24];
        snprintf(least, sizeof least, "%lld", (long long)s->least);
        snprintf(most, sizeof most, "%lld", (long long)s->most);
        return error_set(e, INVALID, s->name, N_("{0} is not a whole number from {1} to {2}"),
                         value, least, most, NULL);
    }
    if (s->kind == KIND_SWITCH)
        return error_set(e, INVALID, s->name, N_("{0} is neither yes nor no"), value, NULL);
    return error_set(e, INVALID, s->name, N_("\"{0}\" is not a possible value"), value, NULL);
}

static enum status put(struct web_options *o, const struct setting *s, const char *value,
                       struct arena *a, struct error *e) {
    char *member = (char *)o + s->at;
    int64_t number;
    if (s->kind == KIND_NUMBER) {
        if (!str_int(str_z(value), &number) || number < s->least || number > s->most)
            return wrong(s, value, e);
        memcpy(member, &number, sizeof number);
    } else if (s->kind == KIND_SWITCH) {
        bool on =
            strcmp(value, "yes") == 0 || strcmp(value, "1") == 0 || strcmp(value, "true") == 0;
        if (!on && strcmp(value, "no") != 0 && strcmp(value, "0") != 0 &&
            strcmp(value, "false") != 0)
            return wrong(s, value, e);
        memcpy(member, &on, sizeof on);
    } else {
        if (s->fine && !s->fine(value))
            return wrong(s, value, e);
        const char *kept = arena_dup(a, str_z(value));
        memcpy(member, &kept, sizeof kept);
    }
    return OK;
}

static enum status put_line(struct web_options *o, struct str line, struct arena *a,
                            struct error *e) {
    struct str value = line;
    struct str name = str_trim(str_cut(&value, '='));
    for (size_t i = 0; i < N_SETTINGS; i++)
        if (str_is(name, settings[i].name))
            return put(o, &settings[i], arena_dup(a, str_trim(value)), a, e);
    return error_set(e, INVALID, arena_dup(a, name), N_("there is no such setting"), NULL);
}

static enum status read_settings_file(struct web_options *o, const char *file, struct arena *a,
                                      struct error *e) {
    FILE *f = fopen(file, "r");
    char line[4096];
    if (!f)
        return error_set(e, INVALID, "config", N_("{0} can't be read"), file, NULL);
    enum status s = OK;
    for (int n = 1; !s && fgets(line, sizeof line, f); n++) {
        struct str text = str_trim(str_z(line));
        if (text.n && text.p[0] != '#')
            s = put_line(o, text, a, e);
    }
    fclose(f);
    return s;
}

static enum status read_environment(struct web_options *o, struct arena *a, struct error *e) {
    enum status s = OK;
    for (size_t i = 0; i < N_SETTINGS && !s; i++) {
        char name[80] = "CRONISTA_";
        size_t n = strlen(name);
        for (const char *c = settings[i].name; *c; c++)
            name[n++] = *c == '_' ? '_' : (char)(*c - 'a' + 'A');
        name[n] = 0;
        const char *value = getenv(name);
        if (value && *value)
            s = put(o, &settings[i], value, a, e);
    }
    return s;
}

static enum status read_arguments(struct web_options *o, int *argc, char **argv, struct arena *a,
                                  struct error *e) {
    enum status s = OK;
    for (size_t i = 0; i < N_SETTINGS && !s; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s", settings[i].name);
        for (char *c = name; *c; c++)
            *c = *c == '_' ? '-' : *c;
        const char *value = settings[i].kind == KIND_SECRET ? NULL : cli_option(argc, argv, name);
        if (value)
            s = put(o, &settings[i], value, a, e);
    }
    return s;
}

enum status settings_read(struct web_options *out, const char *file, bool remote, int *argc,
                          char **argv, struct arena *a, struct error *e) {
    long online = sysconf(_SC_NPROCESSORS_ONLN), processors = online < 1 ? 1 : online;
    // An event loop waits for each answer of a database elsewhere.
    struct web_options o = {.threads = remote ? 4 * processors : processors,
                            .workers = processors < 2 ? 2 : processors};
    enum status s = OK;
    for (size_t i = 0; i < N_SETTINGS && !s; i++)
        if (settings[i].preset)
            s = put(&o, &settings[i], settings[i].preset, a, e);
    if (!s && file)
        s = read_settings_file(&o, file, a, e);
    if (!s)
        s = read_environment(&o, a, e);
    if (!s)
        s = read_arguments(&o, argc, argv, a, e);
    if (!s)
        *out = o;
    return s;
}

void settings_describe(struct buf *b) {
    for (size_t i = 0; i < N_SETTINGS; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s", settings[i].name);
        for (char *c = name; *c; c++)
            *c = *c == '_' ? '-' : *c;
        if (settings[i].kind == KIND_SECRET)
            buf_printf(b, "  %-26s %s (no argument: only in file or environment)", settings[i].name,
                       settings[i].says);
        else
            buf_printf(b, "  --%-24s %s", name, settings[i].says);
        if (settings[i].preset)
            buf_printf(b, " [%s]", settings[i].preset);
        buf_char(b, '\n');
    }
}
