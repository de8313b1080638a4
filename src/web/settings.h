// What the pages of one's own settings share.
#ifndef CRONISTA_WEB_SETTINGS_H
#define CRONISTA_WEB_SETTINGS_H

#include "web/request.h"

// On a worker: that the member `password` is the present one of the person who asks; who has none needs none. INVALID names that
// member. *wait: too many attempts, nothing was looked at; 0: not.
enum status own_password(struct request *, struct place *, micros *wait, struct error *);
void respond_wait(struct request *, micros wait); // 429

#endif
