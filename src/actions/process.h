// Processes, and the ticks of their steps on what goes through them: deals and cases.
//
// A process' steps are lines of text, and the program gives each line a key (`keys`: {"next": number of the next key,
// "steps": [{"key","name"}]}) that is never given again, so that a tick stays with its step when that is called otherwise
// or moved. The ticks are a list on the record itself, `steps`: [{"process","step","at","by"}]; those of a process that
// was left stay in it.
#ifndef CRONISTA_ACTIONS_PROCESS_H
#define CRONISTA_ACTIONS_PROCESS_H

#include "actions/values.h"

#define PROCESS_STEPS_MAX 60
#define PROCESS_STEP_MAX 200 // characters of a step

// What a change (before: the row, NULL for a new record) may not say of a process, or of what has one. OK for other modules.
enum status process_check(struct action *, const struct module *, const struct doc *before,
                          const struct values *, struct problems *);
// The keys that the steps of a process have when its lines are these. before: the `keys` it had; NULL: none.
struct doc *process_keys(struct str lines, const struct doc *before, struct arena *);

// A step of the record's process was done, or not after all. CONFLICT where it is so already, NOT_FOUND for no such step.
enum status step_turn(struct action *, const struct module *, int64_t id, struct str step,
                      bool done, int64_t *position, struct error *);

#endif
