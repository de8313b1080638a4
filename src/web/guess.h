// Who asks, guessed: the rights that the owner of a session or key had when they asked last. With them it is asked ahead what
// somebody will read before it is known who it is; nothing else is done with them, and what comes of it is used only where the
// person turns out to ask for the very same. Any thread.
#ifndef CRONISTA_WEB_GUESS_H
#define CRONISTA_WEB_GUESS_H

#include "base/hash.h"
#include "model/permission.h"

struct guesses;
struct guesses *guesses_new(void);
void guesses_free(struct guesses *);

// `model`: its version, for what rights are is said in its words. False: nothing is known.
bool guess(struct guesses *, const struct hash *claim, int64_t model, struct viewer *out);
void guess_learn(struct guesses *, const struct hash *claim, int64_t model, const struct viewer *);

#endif
