// Signing in by the word of the OpenID provider of the installation (web/provider.h).
#ifndef CRONISTA_WEB_SIGN_IN_PROVIDER_H
#define CRONISTA_WEB_SIGN_IN_PROVIDER_H

#include "actions/identity.h"
#include "web/request.h"

// What the sign-in page offers: {"label","href","leave"}; null without a provider. leave, of who just signed out: {"text","label","href"}.
struct doc *provider_view(struct request *, struct str next);
// Answers somebody whom the provider knows and who is not let in all the same.
void provider_refuse(struct request *, enum identity_answer, struct str next);

// Handlers.
void handle_provider_start(struct request *);
void handle_provider_back(struct request *);
void handle_provider_leave(struct request *);

#endif
