// Inviting users by a link (actions/invitation.h), and the page that it leads to.
#ifndef CRONISTA_WEB_INVITATION_H
#define CRONISTA_WEB_INVITATION_H

#include "actions/invitation.h"
#include "web/request.h"

// {"url","expires_at"} of a link that was just made: it is told only in this answer.
struct doc *invitation_made(struct request *, const char *token, micros expires);
// The page of a user's invitation, with that link (or NULL).
void invitation_show(struct request *, int status, int64_t user, struct doc *made);
// Where this installation is asked for, as this person came by it: "https://crm.example.org".
struct str site_address(struct request *);

#endif
