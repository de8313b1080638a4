// The tree over the log, by RFC 6962 section 2.1 (= RFC 9162 section 2.1): hashes, proofs and their checking.
// Knows hashes only; where they are kept is said by callbacks.
#ifndef CRONISTA_HISTORY_MERKLE_H
#define CRONISTA_HISTORY_MERKLE_H

#include "base/error.h"
#include "base/hash.h"

// Leaves a tree may have: positions stay exact as numbers in JSON.
#define MERKLE_SIZE_MAX ((INT64_C(1) << 53) - 1)
#define MERKLE_HEIGHTS 53

struct hash merkle_empty(void);            // of no leaves: SHA-256("")
struct hash merkle_leaf(struct str entry); // SHA-256(0x00 || entry)
struct hash merkle_node(const struct hash *left,
                        const struct hash *right); // SHA-256(0x01 || left || right)
// Of n leaf hashes. Overwrites the array on the way.
struct hash merkle_root_of(struct hash *leaves, size_t n);

// A tree that only grows, in constant memory: the roots of its perfect subtrees, largest first.
// peak[h] is in use where bit h of size is set.
struct frontier {
    int64_t size;
    struct hash peak[MERKLE_HEIGHTS];
};
// Adds one leaf. Every perfect subtree that it completes is reported (may be NULL): height 0 is the leaf itself,
// index counts the subtrees of that height from 0.
void frontier_add(struct frontier *, struct hash leaf,
                  void (*complete)(void *, int height, int64_t index, const struct hash *),
                  void *arg);
struct hash frontier_root(const struct frontier *);

#define PROOF_MAX (MERKLE_HEIGHTS + 1)
struct proof {
    size_t n;
    struct hash hash[PROOF_MAX];
};

// Tells the root of the perfect subtree over the leaves index * 2^height up to (index + 1) * 2^height.
typedef enum status (*merkle_nodes)(void *, int height, int64_t index, struct hash *out,
                                    struct error *);

// Proofs as RFC 6962 orders them. 0 <= index < size; 1 <= size1 <= size2; else BUG.
enum status merkle_prove_inclusion(int64_t index, int64_t size, merkle_nodes, void *arg,
                                   struct proof *out, struct error *);
enum status merkle_prove_consistency(int64_t size1, int64_t size2, merkle_nodes, void *arg,
                                     struct proof *out, struct error *);
// The root of the first `size` leaves.
enum status merkle_root_at(int64_t size, merkle_nodes, void *arg, struct hash *out, struct error *);

// Checking needs no log. Sizes and proofs may come from an enemy. A consistency proof from size 0 says nothing, and
// is refused.
bool merkle_check_inclusion(int64_t index, int64_t size, struct hash leaf, const struct proof *,
                            struct hash root);
bool merkle_check_consistency(int64_t size1, int64_t size2, const struct proof *, struct hash root1,
                              struct hash root2);

#endif
