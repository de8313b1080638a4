// The second factor of signing in: one-time codes (base/otp.h) that a program on somebody's telephone makes, and recovery codes for
// when it is lost. All of it is private (sql/queries/web.sql); the log tells what was set up, used and taken away. Who changes
// their own has given their password before; that takes its time and is asked outside of the piece of writing.
#ifndef CRONISTA_ACTIONS_SECOND_FACTOR_H
#define CRONISTA_ACTIONS_SECOND_FACTOR_H

#include "actions/user.h"
#include "base/otp.h"

#define RECOVERY_CODES 10
#define RECOVERY_TEXT 20 // "abcd-efgh-ijkl-mnop" and a zero: 80 random bits in base32

struct recovery_codes {
    char text[RECOVERY_CODES][RECOVERY_TEXT];
};

struct second_factor {
    bool on;            // it is asked for
    micros since;       // when it was confirmed
    int64_t codes_left; // recovery codes not used yet
};
enum status second_factor_get(struct conn *, int64_t user, struct second_factor *, struct error *);

#define SECOND_FACTOR_WAITS (10 * MINUTE)
// Begins to set up one's own: the secret is in force once a code made with it has been shown, within this time, to the same
// session (by: its hash), which is where the password was given. CONFLICT when there is one.
enum status second_factor_begin(struct action *, const uint8_t secret[OTP_SECRET],
                                const struct hash *by, struct error *);
// The secret that waits for that, for a form that is shown again. NOT_FOUND, also for what another began.
enum status second_factor_waiting(struct conn *, int64_t user, const struct hash *by, micros now,
                                  uint8_t secret[OTP_SECRET], struct error *);
// Puts it in force, ends the sessions that began without it except `keep` (may be NULL), and makes the recovery codes, which are
// told only now. INVALID (field "code"), CONFLICT when nothing waits for `by`.
enum status second_factor_confirm(struct action *, struct str code, const struct hash *by,
                                  const struct hash *keep, struct recovery_codes *, struct error *);
// New recovery codes instead of the old ones, against a code. INVALID (field "code").
enum status second_factor_codes(struct action *, struct str code, struct recovery_codes *,
                                struct error *);
// One's own no more, against a code or a recovery code. INVALID (field "code").
enum status second_factor_off(struct action *, struct str code, struct error *);
// That of another: VERB_USERS. NOT_FOUND when there is none. Their sessions end.
enum status second_factor_reset(struct action *, int64_t user, struct error *);
// Uses up a code or a recovery code of the user, whoever acts. INVALID (field "code") for a wrong one, and for one that was
// used before, on whatever node.
enum status second_factor_use(struct action *, int64_t user, struct str code, struct error *);

// ---------------------------------------------------------------- between the two steps

#define SIGN_IN_STEP (10 * MINUTE)
struct sign_in_step {
    int64_t user;
    struct str issuer; // the provider whose word it was; empty: the password's
    struct str
        subject; // whom there the user is bound to by the code (actions/identity.h); empty: that is so already
};
// Somebody gave the right password, or came with the word of a provider: token for the cookie, told only now.
enum status sign_in_step_open(struct action *, const struct sign_in_step *,
                              char token[CRYPTO_TOKEN], struct error *);
// NOT_FOUND when it was too long ago, or is over.
enum status sign_in_step_find(struct conn *, const struct hash *step, micros now, struct arena *,
                              struct sign_in_step *, struct error *);
// It is over. NOT_FOUND when it already was.
enum status sign_in_step_close(struct action *, const struct hash *step, int64_t user,
                               struct error *);

// ---------------------------------------------------------------- who needs one

#define SIGN_IN_RULES 1 // the record of the module `sign_in_rules`
// Changes the administrators' rules: {"everybody", "profiles"}.
enum status sign_in_rules_set(struct action *, const struct doc *values, struct error *);

#endif
