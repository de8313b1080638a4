// The web face of an installation: its server, started and stopped; its routes, printed and described.
#ifndef CRONISTA_WEB_WEB_H
#define CRONISTA_WEB_WEB_H

#include "base/buf.h"
#include "records/records.h"

struct web;

// Everything that `serve` may be told about the web face. Texts must live as long as the server.
struct web_options {
    const char *listen; // "127.0.0.1:8080", "unix:/run/cronista.sock"
    int64_t threads;    // event loops
    int64_t workers;    // for password hashing, files, exports
    int64_t header_bytes, url_bytes, body_bytes, upload_bytes;
    int64_t connections, connections_per_address;
    const char *clamd; // a virus scanner (records/scan.h); NULL: none
    int64_t idle_seconds, request_seconds;
    const char *certificate, *key; // files in PEM; NULL: no TLS
    bool proxy; // behind a proxy that sets X-Forwarded-For and -Proto, and does TLS
    int64_t session_idle, session_most; // seconds
    int64_t attempts; // wrong passwords an address may try at once; one more every ten seconds
    int64_t account_attempts; // the same for an account from an address; one more every minute
    int64_t streams;          // live streams at a time
    const char *product;      // name of the installation
    const char *language;     // for those who have not chosen: "es"
    const char *zone;         // "America/Bogota"
    const char *currency;     // "USD"
    const char *region;       // "CO": telephone numbers without a country
    const char *breached_passwords; // a list of them (actions/breached.h); NULL: none
    // The OpenID provider (web/provider.h). Issuer NULL: none.
    const char *oidc_issuer, *oidc_client_id;
    const char *oidc_client_secret, *oidc_client_secret_file; // NULL: none
    const char *oidc_label;                                   // NULL: its host
    const char *oidc_authorities; // certificates trusted for it (PEM); NULL: the system's
    bool oidc_new_users;          // whom nobody here knows becomes a user,
    const char *oidc_domains;     // with an address of one of these domains, (formats/openid.h)
    const char *oidc_profile;     // with this profile
    const char *oidc_level;       // and the level of this name; NULL: the first there is
    bool demo;                    // the sign-in page shows the demonstration's account
    const char *demo_email, *demo_password;
};

enum status web_start(struct web **, struct crm *, const struct web_options *, struct error *);
const char *web_address(const struct web *); // where it really listens
// Finishes what has begun, ends streams, closes. NULL is fine.
void web_stop(struct web *);

// A line for each row of the table: method, path, permission, page, what it does.
void web_routes_print(struct buf *);
// All that a profile reaches ("member", "p7", or the name of one made by administrators). NOT_FOUND.
enum status web_reach_print(const struct model *, struct str profile, struct buf *, struct error *);
// The OpenAPI 3.1 description made of the same table and the model, as JSON.
void web_openapi(const struct model *, struct buf *);

#endif
