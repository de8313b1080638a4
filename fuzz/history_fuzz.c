// The first byte says what the others are: a head, a body (with a secret or without), a checkpoint, a key, the path of a
// tile, a receipt, or a head and a body divided by a line feed.
#include "fuzz.h"

#include "base/crypto.h"
#include "formats/json.h"
#include "history/head.h"
#include "history/merkle.h"
#include "history/payload.h"
#include "history/proof.h"
#include "history/tiles.h"

static void fuzz_head(struct str s) {
    struct event e;
    struct hash digest;
    struct buf b = BUF_INIT(HEAD_MAX);
    if (head_parse(s, &e, &digest, NULL))
        return;
    MUST(head_write(&b, &e, digest, NULL) == OK);
    MUST(str_eq(buf_view(&b), s)); // one event, one text
    MUST(json_is_canonical(s));
    buf_release(&b);
}

static void fuzz_body(struct str s, struct str secret) {
    static const struct str names[] = {{"a", 1}, {"~name", 5}};
    struct payload_sum before, after;
    struct buf b = BUF_INIT(1 << 20);
    int64_t erased = 0;
    if (payload_check(s, secret, &before, NULL))
        return;
    MUST(payload_erase(s, secret, names, 2, &b, &erased, NULL) == OK);
    MUST(payload_check(buf_view(&b), (struct str){"", 0}, &after, NULL) == OK);
    MUST(hash_eq(before.digest, after.digest));
    MUST(after.items == before.items && after.erased == before.erased + erased);
    struct arena a = ARENA_INIT;
    const struct event_item *items;
    size_t n = 0;
    if (payload_parse(s, &a, &items, &n, NULL) == OK)
        MUST((int64_t)n == before.items);
    arena_release(&a);
    buf_release(&b);
}

static const struct log_key *key(void) {
    static struct log_key k = {.verifier = {.name = "log.example"}};
    if (!k.seed.b[0]) {
        crypto_start();
        for (int i = 0; i < 32; i++)
            k.seed.b[i] = (uint8_t)(3 * i + 1);
        k.verifier.key = crypto_sign_public(&k.seed);
    }
    return &k;
}

static void fuzz_checkpoint(struct str s) {
    struct tree_head one, two;
    enum status any = checkpoint_read(s, NULL, &one, NULL);
    enum status ours = checkpoint_read(s, &key()->verifier, &two, NULL);
    MUST(ours != OK || (any == OK && one.size == two.size && hash_eq(one.root, two.root)));
    MUST(any != OK || (one.size >= 0 && one.size <= MERKLE_SIZE_MAX));
}

static void fuzz_key(struct str s) {
    struct verifier v;
    struct buf b = BUF_INIT(1000);
    if (!verifier_parse(s, &v))
        return;
    verifier_write(&b, &v);
    MUST(str_eq(buf_view(&b), s));
    buf_release(&b);
}

static void fuzz_path(struct str s) {
    struct tile_path p;
    struct buf b = BUF_INIT(1000);
    if (!tile_path_parse(s, &p))
        return;
    tile_path_write(&b, &p);
    MUST(str_eq(buf_view(&b), s));
    buf_release(&b);
}

static void fuzz_receipt(struct str s) {
    struct arena a = ARENA_INIT;
    struct receipt r;
    if (receipt_verify(s, &key()->verifier, &a, &r, NULL) == OK)
        MUST(r.event.position < r.head.size);
    arena_release(&a);
}

static void fuzz_event(struct str s) {
    struct arena a = ARENA_INIT;
    struct event e;
    struct str body = s, head = str_cut(&body, '\n');
    if (event_parse(head, body, &a, &e, NULL) == OK)
        for (size_t i = 0; i < e.n_items; i++)
            MUST(!e.items[i].erased || (!e.items[i].old && !e.items[i].new));
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct str none = {"", 0};
    static const char secret[HASH_SIZE] = {1, 2, 3};
    if (size < 1)
        return 0;
    struct str s = {(const char *)data + 1, size - 1};
    switch (data[0] % 8) {
    case 0:
        fuzz_head(s);
        break;
    case 1:
        fuzz_body(s, none);
        break;
    case 2:
        fuzz_body(s, (struct str){secret, sizeof secret});
        break;
    case 3:
        fuzz_checkpoint(s);
        break;
    case 4:
        fuzz_key(s);
        break;
    case 5:
        fuzz_path(s);
        break;
    case 6:
        fuzz_receipt(s);
        break;
    case 7:
        fuzz_event(s);
        break;
    }
    return 0;
}
