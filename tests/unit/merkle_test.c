#include "test.h"

#include <dirent.h>

#include "base/base64.h"
#include "files.h"
#include "formats/json.h"
#include "history/merkle.h"

// ---------------------------------------------------------------- a tree by the definition

#define LEAVES 300

static struct hash leaves[LEAVES];
// tree[begin][end]: MTH(D[begin:end]) by the recursion of RFC 6962 section 2.1, each once.
static struct hash tree[LEAVES + 1][LEAVES + 1];

static int below(int n) {
    int k = 1;
    while (2 * k < n)
        k *= 2;
    return k;
}

static int make_tree(void **state) {
    (void)state;
    for (int i = 0; i < LEAVES; i++) {
        char text[16];
        snprintf(text, sizeof text, "leaf %d", i);
        leaves[i] = merkle_leaf(str_z(text));
    }
    for (int length = 1; length <= LEAVES; length++)
        for (int begin = 0; begin + length <= LEAVES; begin++) {
            int end = begin + length, k = below(length);
            tree[begin][end] = length == 1
                                   ? leaves[begin]
                                   : merkle_node(&tree[begin][begin + k], &tree[begin + k][end]);
        }
    tree[0][0] = hash_of(STR(""));
    return 0;
}

static enum status node(void *arg, int height, int64_t index, struct hash *out, struct error *e) {
    (void)e;
    int64_t size = *(int64_t *)arg, begin = index << height, end = (index + 1) << height;
    assert_true(begin >= 0 && end <= size);
    *out = tree[begin][end];
    return OK;
}

static void test_roots_agree_with_the_definition(void **state) {
    (void)state;
    struct frontier f = {0};
    for (int64_t size = 0; size <= LEAVES; size++) {
        struct hash work[LEAVES], root;
        memcpy(work, leaves, sizeof work);
        assert_true(hash_eq(frontier_root(&f), tree[0][size]));
        assert_true(hash_eq(merkle_root_of(work, (size_t)size), tree[0][size]));
        assert_int_equal(merkle_root_at(size, node, &size, &root, NULL), OK);
        assert_true(hash_eq(root, tree[0][size]));
        if (size < LEAVES)
            frontier_add(&f, leaves[size], NULL, NULL);
    }
}

static void test_known_vectors(void **state) {
    (void)state;
    // The values of RFC 6962 that every implementation starts from.
    static const struct {
        const char *hex, *root;
    } entries[] = {
        {"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
        {"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
        {"2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
        {"3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
        {"40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
        {"5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
        {"606162636465666768696a6b6c6d6e6f",
         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
    };
    struct frontier f = {0};
    char text[HASH_HEX];
    hash_hex(frontier_root(&f), text);
    assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        uint8_t bytes[16];
        size_t n = strlen(entries[i].hex) / 2;
        for (size_t j = 0; j < n; j++)
            assert_int_equal(sscanf(entries[i].hex + 2 * j, "%2hhx", &bytes[j]), 1);
        frontier_add(&f, merkle_leaf((struct str){(char *)bytes, n}), NULL, NULL);
        hash_hex(frontier_root(&f), text);
        assert_string_equal(text, entries[i].root);
    }
}

// ---------------------------------------------------------------- proofs

// Every way to damage a proof a little: a bit in each hash, one less, one more, two changed about.
static bool any_damage_passes(const struct proof *good, bool (*check)(const struct proof *, void *),
                              void *arg) {
    struct proof p = *good;
    for (size_t i = 0; i < good->n; i++) {
        for (int bit = 0; bit < 256; bit += 37) {
            p.hash[i].b[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (check(&p, arg))
                return true;
            p.hash[i] = good->hash[i];
        }
    }
    for (size_t i = 0; i < good->n; i++) { // one missing at i
        memmove(&p.hash[i], &good->hash[i + 1], (good->n - 1 - i) * sizeof *p.hash);
        p.n = good->n - 1;
        if (check(&p, arg))
            return true;
        p = *good;
    }
    for (size_t i = 0; i <= good->n && good->n < PROOF_MAX; i++) { // one more at i
        memmove(&p.hash[i + 1], &good->hash[i], (good->n - i) * sizeof *p.hash);
        p.hash[i] = leaves[7];
        p.n = good->n + 1;
        if (check(&p, arg))
            return true;
        p = *good;
    }
    for (size_t i = 1; i < good->n; i++) {
        p.hash[i] = good->hash[i - 1];
        p.hash[i - 1] = good->hash[i];
        if (!hash_eq(p.hash[i], p.hash[i - 1]) && check(&p, arg))
            return true;
        p = *good;
    }
    return false;
}

struct claim {
    int64_t a, b; // index and size, or the two sizes
    struct hash first, second;
};

static bool check_inclusion(const struct proof *p, void *arg) {
    const struct claim *c = arg;
    return merkle_check_inclusion(c->a, c->b, c->first, p, c->second);
}

static bool check_consistency(const struct proof *p, void *arg) {
    const struct claim *c = arg;
    return merkle_check_consistency(c->a, c->b, p, c->first, c->second);
}

static void damage_claim(const struct proof *p, struct claim c,
                         bool (*check)(const struct proof *, void *)) {
    for (int bit = 0; bit < 256; bit += 61) {
        struct claim d = c;
        d.first.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(check(p, &d));
        d = c;
        d.second.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(check(p, &d));
    }
    assert_false(check(p, &(struct claim){-1, c.b, c.first, c.second}));
    assert_false(check(p, &(struct claim){c.a, -1, c.first, c.second}));
    assert_false(check(p, &(struct claim){c.a, INT64_MAX, c.first, c.second}));
    assert_false(check(p, &(struct claim){INT64_MAX, INT64_MAX, c.first, c.second}));
    assert_false(check(p, &(struct claim){c.b + 1, c.b, c.first, c.second}));
}

static void test_inclusion_of_every_leaf_in_every_tree(void **state) {
    (void)state;
    for (int64_t size = 1; size < LEAVES; size++) {
        for (int64_t index = 0; index < size; index++) {
            struct proof p;
            struct claim c = {index, size, leaves[index], tree[0][size]};
            assert_int_equal(merkle_prove_inclusion(index, size, node, &size, &p, NULL), OK);
            assert_true(check_inclusion(&p, &c));
            if ((size < 40 || size % 31 == 0) && any_damage_passes(&p, check_inclusion, &c))
                fail_msg("damaged proof of %d in %d passes", (int)index, (int)size);
            if (size < 40 || index % 17 == 0)
                damage_claim(&p, c, check_inclusion);
            for (int64_t other = 0; size < 40 && other < size; other++) {
                struct claim wrong = {other, size, leaves[index], tree[0][size]};
                assert_true(check_inclusion(&p, &wrong) == (other == index));
            }
        }
    }
}

static void test_consistency_between_all_sizes(void **state) {
    (void)state;
    for (int64_t two = 1; two < LEAVES; two++) {
        for (int64_t one = 1; one <= two; one++) {
            struct proof p;
            struct claim c = {one, two, tree[0][one], tree[0][two]};
            assert_int_equal(merkle_prove_consistency(one, two, node, &two, &p, NULL), OK);
            assert_true(check_consistency(&p, &c));
            if ((two < 40 || two % 31 == 0) && any_damage_passes(&p, check_consistency, &c))
                fail_msg("damaged proof from %d to %d passes", (int)one, (int)two);
            if (two < 40 || one % 17 == 0)
                damage_claim(&p, c, check_consistency);
            for (int64_t other = 0; two < 40 && other <= two; other++) {
                struct claim wrong = {other, two, tree[0][one], tree[0][two]};
                assert_true(check_consistency(&p, &wrong) == (other == one));
            }
        }
    }
}

struct told {
    int count[10];
};

static void told(void *arg, int height, int64_t index, const struct hash *h) {
    struct told *t = arg;
    assert_int_equal(index, t->count[height]++);
    assert_true(hash_eq(*h, tree[index << height][(index + 1) << height]));
}

static void test_completed_subtrees_are_told(void **state) {
    (void)state;
    struct told t = {{0}};
    struct frontier f = {0};
    for (int i = 0; i < LEAVES; i++)
        frontier_add(&f, leaves[i], told, &t);
    for (int height = 0; height < 10; height++)
        assert_int_equal(t.count[height], LEAVES >> height);
}

// ---------------------------------------------------------------- proofs made by others

// A hash that is not 32 bytes long is no hash: the claim can't even be put.
static bool get_hash(const struct doc *text, struct hash *out) {
    struct buf b = BUF_INIT(1000);
    bool good = text && base64_get(&b, doc_text(text)) && b.n == HASH_SIZE;
    if (good)
        memcpy(out->b, b.p, HASH_SIZE);
    buf_release(&b);
    return good;
}

static bool get_proof(const struct doc *list, struct proof *p) {
    p->n = 0;
    doc_each(item, list) {
        if (p->n == PROOF_MAX || !get_hash(item, &p->hash[p->n++]))
            return false;
    }
    return true;
}

// Some of the files have any text for a root: what stands for it differs where the texts differ.
static struct hash get_root(const struct doc *text) {
    struct hash h;
    return get_hash(text, &h) ? h : hash_of(doc_text(text));
}

static bool judge(const struct doc *d, bool inclusion) {
    struct proof p;
    struct hash leaf;
    if (!get_proof(doc_get(d, STR("proof")), &p))
        return false;
    if (inclusion)
        return get_hash(doc_get(d, STR("leafHash")), &leaf) &&
               merkle_check_inclusion(doc_get_int(d, "leafIdx", -1), doc_get_int(d, "treeSize", -1),
                                      leaf, &p, get_root(doc_get(d, STR("root"))));
    return merkle_check_consistency(doc_get_int(d, "size1", -1), doc_get_int(d, "size2", -1), &p,
                                    get_root(doc_get(d, STR("root1"))),
                                    get_root(doc_get(d, STR("root2"))));
}

static int run_folder(struct arena *a, struct str path, bool inclusion, int *good) {
    int files = 0;
    DIR *dir = opendir(path.p);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        struct str name = str_z(entry->d_name);
        if (name.p[0] == '.')
            continue;
        if (!str_ends(name, STR(".json"))) {
            files += run_folder(a, arena_printf(a, "%s/%s", path.p, name.p), inclusion, good);
            continue;
        }
        struct doc *d = NULL;
        struct str text = read_file(a, path.p, name.p);
        bool wanted = str_find(text, STR("\"wantErr\": false")) >= 0;
        assert_true(wanted || str_find(text, STR("\"wantErr\": true")) >= 0);
        // An index of 2^64 - 1 is refused as JSON already.
        bool parsed = json_parse(a, text, NULL, &d, NULL) == OK;
        if ((parsed && judge(d, inclusion)) != wanted)
            fail_msg("%s/%s: should %s", path.p, name.p, wanted ? "pass" : "be refused");
        files++;
        *good += wanted;
    }
    closedir(dir);
    return files;
}

static void test_conformance(void **state) {
    (void)state;
    const char *data = shared_data();
    if (!data)
        skip();
    struct arena a = ARENA_INIT;
    int good = 0;
    int inclusion =
        run_folder(&a, arena_printf(&a, "%s/conformance/merkle/inclusion", data), true, &good);
    int consistency =
        run_folder(&a, arena_printf(&a, "%s/conformance/merkle/consistency", data), false, &good);
    print_message("%d inclusion, %d consistency, %d of them good\n", inclusion, consistency, good);
    assert_true(inclusion > 90 && consistency > 90 && good > 5);
    arena_release(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roots_agree_with_the_definition),
        cmocka_unit_test(test_known_vectors),
        cmocka_unit_test(test_completed_subtrees_are_told),
        cmocka_unit_test(test_inclusion_of_every_leaf_in_every_tree),
        cmocka_unit_test(test_consistency_between_all_sizes),
        cmocka_unit_test(test_conformance),
    };
    return cmocka_run_group_tests(tests, make_tree, NULL);
}
