// Signed checkpoints: what this log says of itself to others, in the formats of C2SP tlog-checkpoint and signed-note
// (https://c2sp.org/tlog-checkpoint, https://c2sp.org/signed-note), Ed25519. Whoever keeps one can later tell whether
// the log still contains what it contained then.
#ifndef CRONISTA_HISTORY_CHECKPOINT_H
#define CRONISTA_HISTORY_CHECKPOINT_H

#include "base/buf.h"
#include "base/crypto.h"
#include "history/history.h"

#define NOTE_MAX 65536 // bytes of a note
#define NOTE_NAME_MAX                                                                              \
    127 // bytes of a key's name: not empty, valid UTF-8, no spaces, control characters or '+'

// What it takes to check signatures.
struct verifier {
    char name[NOTE_NAME_MAX + 1]; // also the origin, the checkpoint's first line
    struct sign_public key;
};
struct log_key {
    struct verifier verifier;
    struct sign_seed seed;
};

// The first four bytes of SHA-256(name || 0x0A || 0x01 || key).
uint32_t verifier_id(const struct verifier *);
// "name+01234567+base64": what others are given.
void verifier_write(struct buf *, const struct verifier *);
bool verifier_parse(struct str, struct verifier *);

// The key in the directory, in the file log.key: one line, "PRIVATE+KEY+name+01234567+base64", readable by the owner
// only. log_key_open makes one where there is none, named `origin`, or, NULL, "cronista.local/" and 16 hexadecimal
// digits of the public key. log_key_read makes none: NOT_FOUND. CORRUPT for a file that is no key; INVALID for an origin
// that can't be one.
enum status log_key_open(const char *directory, const char *origin, struct log_key *,
                         struct error *);
enum status log_key_read(const char *directory, struct log_key *, struct error *);
// The same of an installation, of which several nodes may share the database: all have the key of the first.
enum status log_key_make(struct store *, struct log_key *, struct error *);
enum status log_key_find(struct store *, struct log_key *, struct error *);
void log_key_wipe(struct log_key *);

// A signed checkpoint of that size and root.
void checkpoint_write(struct buf *, const struct log_key *, const struct tree_head *);

// The newest committed state, signed.
enum status checkpoint_of(struct conn *, const struct log_key *, struct buf *, struct error *);
// The same of the state with everything written so far in this transaction, and keeps it in the database, where
// a verification finds it. To be given to nobody before the piece of writing is committed.
enum status checkpoint_keep(struct write *, const struct log_key *, struct buf *, struct error *);

// The newest kept one. NOT_FOUND when there is none.
enum status checkpoint_newest(struct conn *, struct arena *, int64_t *size, struct str *note,
                              struct error *);

// Reads a note and checks its signature. Lines after the third and signatures of others are allowed and passed over.
// INVALID when it is no checkpoint; DENIED when it is not (rightly) signed with that key, or has another
// origin. With NULL the signature is not looked at.
enum status checkpoint_read(struct str note, const struct verifier *, struct tree_head *,
                            struct error *);

#endif
