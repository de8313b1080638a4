// Here: hashing of the tree, making and checking proofs. Not here: where hashes are kept (tree.c).
#include "history/merkle.h"

struct hash merkle_empty(void) {
    return hash_of((struct str){"", 0});
}

struct hash merkle_leaf(struct str entry) {
    struct hashing h;
    hash_begin(&h);
    hash_more(&h, "\0", 1);
    hash_more(&h, entry.p, entry.n);
    return hash_end(&h);
}

struct hash merkle_node(const struct hash *left, const struct hash *right) {
    uint8_t bytes[1 + 2 * HASH_SIZE];
    bytes[0] = 1;
    memcpy(bytes + 1, left->b, HASH_SIZE);
    memcpy(bytes + 1 + HASH_SIZE, right->b, HASH_SIZE);
    return hash_of((struct str){(const char *)bytes, sizeof bytes});
}

struct hash merkle_root_of(struct hash *level, size_t n) {
    if (n == 0)
        return merkle_empty();
    // An odd one out rises unchanged: the same tree as splitting at the largest power of two.
    for (; n > 1; n = (n + 1) / 2) {
        for (size_t i = 0; i + 1 < n; i += 2)
            level[i / 2] = merkle_node(&level[i], &level[i + 1]);
        if (n % 2)
            level[n / 2] = level[n - 1];
    }
    return level[0];
}

void frontier_add(struct frontier *f, struct hash leaf,
                  void (*complete)(void *, int, int64_t, const struct hash *), void *arg) {
    BUG_ON(f->size >= MERKLE_SIZE_MAX);
    int height = 0;
    int64_t index = f->size;
    for (;; height++, index >>= 1) {
        if (complete)
            complete(arg, height, index, &leaf);
        if (!(index & 1))
            break;
        leaf = merkle_node(&f->peak[height], &leaf);
    }
    f->peak[height] = leaf;
    f->size++;
}

struct hash frontier_root(const struct frontier *f) {
    bool any = false;
    struct hash root = merkle_empty();
    for (int height = 0; height < MERKLE_HEIGHTS; height++) {
        if (!(f->size >> height & 1))
            continue;
        root = any ? merkle_node(&f->peak[height], &root) : f->peak[height];
        any = true;
    }
    return root;
}

// The largest power of two smaller than n (n > 1), as its exponent.
static int split(int64_t n) {
    return 63 - __builtin_clzll((unsigned long long)n - 1);
}

// The root over leaves begin up to end, where begin is a multiple of the largest power of two not above end - begin.
static enum status range_root(int64_t begin, int64_t end, merkle_nodes nodes, void *arg,
                              struct hash *out, struct error *e) {
    struct hash part[MERKLE_HEIGHTS];
    size_t n = 0;
    for (int64_t left = end - begin; left > 0;) {
        int height = 63 - __builtin_clzll((unsigned long long)left);
        enum status s = nodes(arg, height, begin >> height, &part[n], e);
        if (s)
            return s;
        n++;
        begin += INT64_C(1) << height;
        left -= INT64_C(1) << height;
    }
    BUG_ON(n == 0);
    while (n-- > 1)
        part[n - 1] = merkle_node(&part[n - 1], &part[n]);
    *out = part[0];
    return OK;
}

enum status merkle_root_at(int64_t size, merkle_nodes nodes, void *arg, struct hash *out,
                           struct error *e) {
    BUG_ON(size < 0 || size > MERKLE_SIZE_MAX);
    if (size == 0) {
        *out = merkle_empty();
        return OK;
    }
    return range_root(0, size, nodes, arg, out, e);
}

// Proofs are ordered from the leaf up, but found from the root down.
static void reverse(struct proof *p) {
    for (size_t i = 0, j = p->n; i + 1 < j; i++) {
        struct hash t = p->hash[i];
        p->hash[i] = p->hash[--j];
        p->hash[j] = t;
    }
}

enum status merkle_prove_inclusion(int64_t index, int64_t size, merkle_nodes nodes, void *arg,
                                   struct proof *out, struct error *e) {
    BUG_ON(index < 0 || index >= size || size > MERKLE_SIZE_MAX);
    struct proof p = {0};
    for (int64_t begin = 0, end = size; end - begin > 1;) {
        int64_t middle = begin + (INT64_C(1) << split(end - begin));
        bool is_left = index < middle;
        enum status s = is_left ? range_root(middle, end, nodes, arg, &p.hash[p.n], e)
                                : range_root(begin, middle, nodes, arg, &p.hash[p.n], e);
        if (s)
            return s;
        p.n++;
        if (is_left)
            end = middle;
        else
            begin = middle;
    }
    reverse(&p);
    *out = p;
    return OK;
}

enum status merkle_prove_consistency(int64_t size1, int64_t size2, merkle_nodes nodes, void *arg,
                                     struct proof *out, struct error *e) {
    BUG_ON(size1 < 1 || size1 > size2 || size2 > MERKLE_SIZE_MAX);
    struct proof p = {0};
    int64_t begin = 0, end = size2;
    bool whole =
        true; // does the old tree begin where this range does? Then the checker knows its root.
    while (end != size1) {
        int64_t middle = begin + (INT64_C(1) << split(end - begin));
        bool is_left = size1 <= middle;
        enum status s = is_left ? range_root(middle, end, nodes, arg, &p.hash[p.n], e)
                                : range_root(begin, middle, nodes, arg, &p.hash[p.n], e);
        if (s)
            return s;
        p.n++;
        if (is_left) {
            end = middle;
        } else {
            begin = middle;
            whole = false;
        }
    }
    if (!whole) {
        enum status s = range_root(begin, end, nodes, arg, &p.hash[p.n], e);
        if (s)
            return s;
        p.n++;
    }
    reverse(&p);
    *out = p;
    return OK;
}

// RFC 9162 section 2.1.3.2.
bool merkle_check_inclusion(int64_t index, int64_t size, struct hash leaf, const struct proof *p,
                            struct hash root) {
    if (index < 0 || index >= size || size > MERKLE_SIZE_MAX || p->n > PROOF_MAX)
        return false;
    int64_t fn = index, sn = size - 1;
    struct hash r = leaf;
    for (size_t i = 0; i < p->n; i++) {
        if (sn == 0)
            return false;
        if (fn & 1 || fn == sn) {
            r = merkle_node(&p->hash[i], &r);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            r = merkle_node(&r, &p->hash[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && hash_eq(r, root);
}

// RFC 9162 section 2.1.4.2.
bool merkle_check_consistency(int64_t size1, int64_t size2, const struct proof *p,
                              struct hash root1, struct hash root2) {
    if (size1 < 1 || size1 > size2 || size2 > MERKLE_SIZE_MAX || p->n > PROOF_MAX)
        return false;
    if (size1 == size2)
        return p->n == 0 && hash_eq(root1, root2);
    bool perfect = (size1 & (size1 - 1)) == 0; // then the old root itself is the first hash
    if (p->n == 0)
        return false;
    int64_t fn = size1 - 1, sn = size2 - 1;
    while (fn & 1) {
        fn >>= 1;
        sn >>= 1;
    }
    struct hash fr = perfect ? root1 : p->hash[0], sr = fr;
    for (size_t i = perfect ? 0 : 1; i < p->n; i++) {
        if (sn == 0)
            return false;
        if (fn & 1 || fn == sn) {
            fr = merkle_node(&p->hash[i], &fr);
            sr = merkle_node(&p->hash[i], &sr);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            sr = merkle_node(&sr, &p->hash[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && hash_eq(fr, root1) && hash_eq(sr, root2);
}
