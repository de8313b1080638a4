// What kinds of events there are. Names go into heads and stay for ever; numbers stand for them in derived tables.
// Adding one is adding a row at the end; nothing is ever renumbered, and a number may stay free.
#ifndef CRONISTA_HISTORY_KINDS_H
#define CRONISTA_HISTORY_KINDS_H

#include "base/str.h"

// X(number, NAME, "name", what it says)
#define EVENT_KINDS(X)                                                                             \
    X(1, CREATED, "created", "a record came into being; old values are null")                      \
    X(2, EDITED, "edited", "fields changed")                                                       \
    X(3, DELETED, "deleted", "a record was deleted; its values stay restorable")                   \
    X(4, RESTORED, "restored", "a deleted record came back")                                       \
    X(5, ASSIGNED, "assigned", "only the person in charge changed")                                \
    X(6, COMMENTED, "commented", "a comment on the record; the text is ~text")                     \
    X(7, SIGNED_IN, "signed_in", "a user signed in")                                               \
    X(8, SIGN_IN_FAILED, "sign_in_failed", "a wrong password for a user who exists")               \
    X(9, PASSWORD_CHANGED, "password_changed", "the password itself is nowhere in the log")        \
    X(10, KEY_ADDED, "key_added", "an API key for a user")                                         \
    X(11, KEY_REVOKED, "key_revoked", "an API key ended")                                          \
    X(12, EXPORTED, "exported", "records or history left as a file; what and how many")            \
    X(13, IMPORTED, "imported", "an import ended; its counts")                                     \
    X(14, FILE_ERASED, "file_erased",                                                              \
      "a document left history and storage; what it was is ~document")                             \
    X(15, COMMENT_DELETED, "comment_deleted", "what the comment at ~comment said is gone")         \
    X(16, CLOSED, "closed", "an activity was done; outcome and result are among its fields")       \
    X(17, REOPENED, "reopened", "an activity that was done is open again")                         \
    X(18, NOTED, "noted", "something done outside: ~text, ~way, ~happened_at, ~people")            \
    X(19, ANONYMISED, "anonymised",                                                                \
      "personal data left a record and its history; of what is ~erased")                           \
    X(20, STEP_TICKED, "step_ticked", "a step of a process was done; which one is ~step")          \
    X(21, STEP_UNTICKED, "step_unticked", "it was not done after all")                             \
    X(22, CONSENTS_SHARED, "consents_shared",                                                      \
      "a link by which a customer may change consents; its position stands for it")                \
    X(23, CONSENTS_OPENED, "consents_opened",                                                      \
      "the customer did something on that page for the first time")                                \
    X(24, CONSENTS_ENDED, "consents_ended", "that link is good no more; why is ~end")              \
    X(25, PRIVACY, "privacy", "a record became private or stopped being so: its field `private`")  \
    X(26, SECOND_FACTOR_ON, "second_factor_on", "a user signs in with a code, too, from now on")   \
    X(27, SECOND_FACTOR_OFF, "second_factor_off", "not any more, as the user wanted")              \
    X(28, SECOND_FACTOR_RESET, "second_factor_reset", "not any more: somebody else took it away")  \
    X(29, RECOVERY_CODES_MADE, "recovery_codes_made", "new ones instead of those there were")      \
    X(30, RECOVERY_CODE_USED, "recovery_code_used",                                                \
      "instead of a code of the second factor; ~left more there are")                              \
    X(31, HANDED_OVER, "handed_over",                                                              \
      "what a user has in charge goes to others, by this operation; which and to whom is ~handed") \
    X(32, UNDONE, "undone", "somebody had an operation undone by this one; which is ~undoes")      \
    X(33, TOLD, "told", "another system told of ~activity, which changed nothing here")            \
    X(34, SESSIONS_ENDED, "sessions_ended",                                                        \
      "a user is signed out where they were signed in; in how many places is ~sessions")           \
    X(35, INVITED, "invited", "a link with which a user may choose a password; good ~until")       \
    X(36, INVITATION_ACCEPTED, "invitation_accepted", "the user did so, and the link is used up")  \
    X(37, INVITATION_ENDED, "invitation_ended", "that link is good no more; why is ~end")          \
    X(38, IDENTITY_BOUND, "identity_bound",                                                        \
      "a user is somebody of the provider ~issuer from now on, and signs in by its word, too")     \
    X(39, IDENTITY_ENDED, "identity_ended", "not any more; of which provider is ~issuer")

enum event_kind {
#define X(number, name, text, says) KIND_##name = number,
    EVENT_KINDS(X)
#undef X
};

// How a user gets in, and what of it changed: told to that user and to whoever manages users (may_know_sign_ins()).
#define EVENT_KINDS_OF_SIGN_IN(X)                                                                  \
    X(SIGNED_IN)                                                                                   \
    X(SIGN_IN_FAILED)                                                                              \
    X(PASSWORD_CHANGED)                                                                            \
    X(KEY_ADDED)                                                                                   \
    X(KEY_REVOKED)                                                                                 \
    X(SECOND_FACTOR_ON)                                                                            \
    X(SECOND_FACTOR_OFF)                                                                           \
    X(SECOND_FACTOR_RESET)                                                                         \
    X(RECOVERY_CODES_MADE)                                                                         \
    X(RECOVERY_CODE_USED)                                                                          \
    X(SESSIONS_ENDED)                                                                              \
    X(INVITED)                                                                                     \
    X(INVITATION_ACCEPTED)                                                                         \
    X(INVITATION_ENDED)                                                                            \
    X(IDENTITY_BOUND)                                                                              \
    X(IDENTITY_ENDED)

const char *event_kind_name(int kind); // NULL for an unknown number
int event_kind_of(struct str name);    // 0 for an unknown name

// By what way a change came in.
#define EVENT_CHANNELS(X)                                                                          \
    X(1, PAGE, "page")                                                                             \
    X(2, API, "api")                                                                               \
    X(3, IMPORT, "import")                                                                         \
    X(4, COMMAND, "command")                                                                       \
    X(5, RULE, "rule")                                                                             \
    X(6, MAIL, "mail")                                                                             \
    X(7, SYSTEM, "system")                                                                         \
    X(8, DEMO, "demo")

enum event_channel {
#define X(number, name, text) CHANNEL_##name = number,
    EVENT_CHANNELS(X)
#undef X
};
const char *event_channel_name(int channel);
int event_channel_of(struct str name);

#endif
