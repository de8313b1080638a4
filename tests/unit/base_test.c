#include "test.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/doc.h"
#include "base/error.h"
#include "base/otp.h"
#include "base/utf8.h"
#include "base/zone.h"

static void count_up(void *n) {
    ++*(int *)n;
}

static void test_arena_runs_cleanups_and_reuses(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    int cleaned = 0;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++) {
            char *p = arena_alloc(&a, 100);
            assert_int_equal(((uintptr_t)p) % 16, 0);
            assert_int_equal(p[99], 0);
            memset(p, 'x', 100);
        }
        arena_defer(&a, count_up, &cleaned);
        arena_reset(&a);
        assert_int_equal(cleaned, round + 1);
    }
    struct str s = arena_printf(&a, "%s-%d", "a", 7);
    assert_string_equal(s.p, "a-7");
    arena_release(&a);
}

static void test_buf_refuses_past_its_maximum(void **state) {
    (void)state;
    struct buf b = BUF_INIT(10);
    buf_z(&b, "12345678");
    assert_false(b.overflow);
    buf_z(&b, "901");
    assert_true(b.overflow);
    assert_int_equal(b.n, 8);
    buf_clear(&b);
    buf_int(&b, INT64_C(-123));
    assert_string_equal(b.p, "-123");
    buf_release(&b);
    struct buf c = BUF_INIT(100);
    buf_int(&c, INT64_MIN);
    assert_string_equal(c.p, "-9223372036854775808");
    buf_release(&c);
}

static void test_str_int_takes_the_whole_range_and_nothing_else(void **state) {
    (void)state;
    int64_t v = 5;
    assert_true(str_int(STR("-9223372036854775808"), &v) && v == INT64_MIN);
    assert_true(str_int(STR("9223372036854775807"), &v) && v == INT64_MAX);
    const char *bad[] = {"",   "-", "9223372036854775808", "-9223372036854775809", "1a", " 1",
                         "+1", "1 "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(str_int(str_z(bad[i]), &v));
    assert_true(v == INT64_MAX);
}

static void test_utf8_by_the_standard(void **state) {
    (void)state;
    assert_true(utf8_valid(STR("ąęłóż ñ ș 😀 \xf4\x8f\xbf\xbf")));
    const char *bad[] = {"\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x80\x80",
                         "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                         "\xe2\x82",     "abcdefgh\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(utf8_valid(str_z(bad[i])));
    assert_int_equal(utf8_length(STR("żó😀")), 3);
    struct str s = STR("aż😀");
    assert_int_equal(utf8_cut(s, 7), 7);
    assert_int_equal(utf8_cut(s, 6), 3);
    assert_int_equal(utf8_cut(s, 3), 3);
    assert_int_equal(utf8_cut(s, 2), 1);
    assert_int_equal(utf8_cut(s, 100), 7);
    for (uint32_t c = 1; c < 0x110000; c += 77) {
        if (c >= 0xd800 && c < 0xe000)
            continue;
        char bytes[4];
        struct str one = {bytes, utf8_put(c, bytes)};
        size_t at = 0;
        assert_true(utf8_valid(one));
        assert_int_equal(utf8_next(one, &at), c);
        assert_int_equal(at, one.n);
    }
}

static void test_clock_reads_what_it_writes(void **state) {
    (void)state;
    micros t;
    char text[CLOCK_TEXT];
    assert_true(clock_parse(STR("2026-05-01T00:00:00Z"), &t));
    assert_int_equal(t, INT64_C(1777593600) * SECOND);
    assert_true(clock_parse(STR("2026-05-01T02:30:00.5+02:30"), &t));
    assert_int_equal(t, INT64_C(1777593600) * SECOND + 500000);
    clock_text(t, text);
    assert_string_equal(text, "2026-05-01T00:00:00.500000Z");
    for (micros at = -70000 * DAY; at < 90000 * DAY; at += 17 * DAY + 12345678901) {
        micros back;
        clock_text(at, text);
        assert_true(clock_parse(str_z(text), &back));
        assert_int_equal(back, at);
    }
    const char *bad[] = {"",
                         "2026-02-29",
                         "2026-13-01",
                         "2026-05-01T24:00:00Z",
                         "2026-05-01T00:00:00+1",
                         "2026-05-01T00:00:00.Z",
                         "2026-5-1",
                         "x",
                         "2026-05-01T00:00:00Zx"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(clock_parse(str_z(bad[i]), &t));
    assert_true(date_valid(STR("2024-02-29")));
    assert_false(date_valid(STR("2024-02-29T00:00:00Z")));
}

static void test_zones_know_summer_time(void **state) {
    (void)state;
    const struct zone *madrid = zone_find(STR("Europe/Madrid"));
    assert_non_null(madrid);
    assert_ptr_equal(madrid, zone_find(STR("Europe/Madrid")));
    assert_null(zone_find(STR("Europe/Nowhere")));
    assert_null(zone_find(STR("../../etc/passwd")));
    assert_null(zone_find(STR("+02:00")));
    micros winter, summer;
    clock_parse(STR("2026-01-15T12:00:00Z"), &winter);
    clock_parse(STR("2026-07-15T12:00:00Z"), &summer);
    assert_int_equal(zone_offset(madrid, winter, NULL), HOUR);
    assert_int_equal(zone_offset(madrid, summer, NULL), 2 * HOUR);
    assert_int_equal(zone_utc(madrid, zone_civil(madrid, summer)), summer);
    micros got, want;
    // 2026-03-29: 02:00 becomes 03:00, so 02:30 is skipped. 2026-10-25: 03:00 becomes 02:00, 02:30 comes twice.
    got = zone_utc(madrid,
                   (struct civil){.year = 2026, .month = 3, .day = 29, .hour = 2, .minute = 30});
    clock_parse(STR("2026-03-29T01:30:00Z"), &want);
    assert_int_equal(got, want);
    got = zone_utc(madrid,
                   (struct civil){.year = 2026, .month = 10, .day = 25, .hour = 2, .minute = 30});
    clock_parse(STR("2026-10-25T00:30:00Z"), &want);
    assert_int_equal(got, want);
}

static void test_hash_and_mac_of_the_standards(void **state) {
    (void)state;
    char hex[HASH_HEX];
    hash_hex(hash_of(STR("abc")), hex); // FIPS 180-4
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct hash key = {{0}}; // RFC 4231 case 2 has the key "Jefe": zero-padding it changes nothing
    memcpy(key.b, "Jefe", 4);
    hash_hex(hash_mac(key, STR("what do ya want for nothing?")), hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    struct hash back;
    assert_true(hash_from_hex(str_z(hex), &back));
    assert_false(hash_from_hex(STR("zz"), &back));
}

// RFC 4226, appendix D, and RFC 6238, appendix B.
static void test_one_time_codes_of_the_standards(void **state) {
    (void)state;
    static const char *const hotps[] = {"755224", "287082", "359152", "969429", "338314",
                                        "254676", "287922", "162583", "399871", "520489"};
    struct str secret = STR("12345678901234567890");
    char code[9];
    for (uint64_t i = 0; i < 10; i++) {
        hotp(secret, i, 6, code);
        assert_string_equal(code, hotps[i]);
    }
    static const struct {
        int64_t seconds;
        const char *code;
    } totps[] = {{59, "94287082"},         {1111111109, "07081804"}, {1111111111, "14050471"},
                 {1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"}};
    for (size_t i = 0; i < sizeof totps / sizeof *totps; i++) {
        hotp(secret, (uint64_t)otp_step(totps[i].seconds * SECOND), 8, code);
        assert_string_equal(code, totps[i].code);
    }
}

static void test_a_code_is_good_for_its_time_and_once(void **state) {
    (void)state;
    struct str secret = STR("12345678901234567890");
    micros now = 1234567890 * SECOND;
    int64_t step = otp_step(now), found = 0;
    char code[9];
    for (int64_t off = -3; off <= 3; off++) {
        hotp(secret, (uint64_t)(step + off), 6, code);
        bool near = off >= -1 && off <= 1;
        assert_int_equal(otp_check(secret, str_z(code), now, 0, &found), near);
        if (near)
            assert_int_equal(found, step + off);
        // One that was taken, or is older than one that was.
        assert_false(otp_check(secret, str_z(code), now, step + (off > 0 ? off : 1), &found));
    }
    hotp(secret, (uint64_t)step, 6, code);
    char spaced[20];
    snprintf(spaced, sizeof spaced, "%.3s %s", code, code + 3);
    assert_true(otp_check(secret, str_z(spaced), now, step - 1, &found));
    static const char *const none[] = {"", "12345", "1234567", "12345x", "-12345", "      "};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(otp_check(secret, str_z(none[i]), now, 0, &found));
}

static void test_base32_of_the_standard(void **state) {
    (void)state;
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "MY"},
                                             {"fo", "MZXQ"},
                                             {"foo", "MZXW6"},
                                             {"foob", "MZXW6YQ"},
                                             {"fooba", "MZXW6YTB"},
                                             {"foobar", "MZXW6YTBOI"}};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char out[BASE32_TEXT(6)];
        base32((const uint8_t *)vectors[i][0], strlen(vectors[i][0]), out);
        assert_string_equal(out, vectors[i][1]);
    }
    uint8_t sha[SHA1_SIZE];
    sha1_of(STR("abc"), sha);
    static const uint8_t abc[] = {0xa9, 0x99, 0x3e, 0x36}; // FIPS 180-4
    assert_memory_equal(sha, abc, sizeof abc);
}

static void test_base64_is_strict(void **state) {
    (void)state;
    struct buf b = BUF_INIT(1000), c = BUF_INIT(1000);
    for (size_t n = 0; n < 70; n++) {
        char bytes[70];
        crypto_random(bytes, n);
        for (int is_url = 0; is_url < 2; is_url++) {
            buf_clear(&b);
            buf_clear(&c);
            (is_url ? base64url_put : base64_put)(&b, (struct str){bytes, n});
            assert_true((is_url ? base64url_get : base64_get)(&c, buf_view(&b)));
            assert_true(str_eq(buf_view(&c), (struct str){bytes, n}));
        }
    }
    const char *bad[] = {"A", "AA", "AB==", "AA=A", "AAAA=", "A A=", "AA-_"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(base64_get(&b, str_z(bad[i])));
    buf_release(&b);
    buf_release(&c);
}

static void test_passwords_and_signatures(void **state) {
    (void)state;
    char hash[CRYPTO_PASSWORD];
    assert_true(crypto_password_hash(STR("zażółć"), hash));
    assert_true(crypto_password_matches(STR("zażółć"), hash));
    assert_false(crypto_password_matches(STR("zazolc"), hash));
    struct sign_seed seed;
    crypto_sign_new(&seed);
    struct sign_public public = crypto_sign_public(&seed);
    struct signature s = crypto_sign_with(&seed, STR("note"));
    assert_true(crypto_sign_check(&public, STR("note"), &s));
    assert_false(crypto_sign_check(&public, STR("nota"), &s));
}

static void test_documents(void **state) {
    (void)state;
    struct arena a = ARENA_INIT;
    struct doc *o = doc_object(&a);
    doc_set_int(&a, o, "n", 1);
    doc_set_z(&a, o, "s", "x");
    struct doc *list = doc_set_array(&a, o, "l");
    doc_add(list, doc_bool(&a, true));
    struct doc *copy = doc_copy(&a, o);
    assert_true(doc_equal(o, copy));
    assert_true(doc_remove(copy, STR("s")));
    assert_false(doc_equal(o, copy));
    doc_set_z(&a, copy, "s", "x"); // another order, the same value
    assert_true(doc_equal(o, copy));
    doc_replace(copy, STR("n"), doc_int(&a, 2));
    assert_int_equal(doc_get_int(copy, "n", 0), 2);
    assert_true(doc_is_null(doc_get(copy, STR("absent"))));
    assert_int_equal(doc_get_text(copy, "n").n, 0);
    doc_each(child, doc_get(copy, STR("s")))
        fail_msg("a string has no children: %p", (void *)child);
    arena_release(&a);
}

static void test_errors_cut_their_arguments_between_characters(void **state) {
    (void)state;
    char longer[400] = "";
    for (int i = 0; i < 130; i++)
        memcpy(longer + 3 * i, "€", 4);
    struct error e = {0};
    assert_int_equal(error_set(&e, INVALID, "name", "{1} before {0}", longer, "b", NULL), INVALID);
    char text[1000];
    error_text(&e, text, sizeof text);
    assert_true(utf8_valid(str_z(text)));
    assert_memory_equal(text, "b before €", 12);
    error_text(&e, text, 12);
    assert_string_equal(text, "b before ");
}

int main(void) {
    crypto_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_runs_cleanups_and_reuses),
        cmocka_unit_test(test_buf_refuses_past_its_maximum),
        cmocka_unit_test(test_str_int_takes_the_whole_range_and_nothing_else),
        cmocka_unit_test(test_utf8_by_the_standard),
        cmocka_unit_test(test_clock_reads_what_it_writes),
        cmocka_unit_test(test_zones_know_summer_time),
        cmocka_unit_test(test_hash_and_mac_of_the_standards),
        cmocka_unit_test(test_one_time_codes_of_the_standards),
        cmocka_unit_test(test_a_code_is_good_for_its_time_and_once),
        cmocka_unit_test(test_base32_of_the_standard),
        cmocka_unit_test(test_base64_is_strict),
        cmocka_unit_test(test_passwords_and_signatures),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_errors_cut_their_arguments_between_characters),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
