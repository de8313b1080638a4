#include "base/otp.h"
#include <stdio.h>
#include "base/hash.h"

void hotp(struct str secret, uint64_t counter, int digits, char *out) {
    static const uint32_t powers[] = {1000000, 10000000, 100000000};
    uint8_t message[8], mac[SHA1_SIZE];
    for (int i = 0; i < 8; i++)
        message[i] = (uint8_t)(counter >> (56 - 8 * i));
    sha1_mac(secret, (struct str){(const char *)message, sizeof message}, mac);
    // RFC 4226, section 5.3: dynamic truncation.
    const uint8_t *at = mac + (mac[SHA1_SIZE - 1] & 15);
    uint32_t number =
        (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    snprintf(out, (size_t)digits + 1, "%0*u", digits, number % powers[digits - OTP_DIGITS]);
}

int64_t otp_step(micros now) {
    return now / (OTP_PERIOD * SECOND);
}

bool otp_check(struct str secret, struct str typed, micros now, int64_t last, int64_t *step) {
    char digits[OTP_DIGITS];
    size_t n = 0;
    for (size_t i = 0; i < typed.n; i++) {
        if (typed.p[i] == ' ')
            continue;
        if (n == OTP_DIGITS || typed.p[i] < '0' || typed.p[i] > '9')
            return false;
        digits[n++] = typed.p[i];
    }
    if (n != OTP_DIGITS)
        return false;
    bool right = false;
    // All three are computed, whichever it is.
    for (int64_t at = otp_step(now) - 1; at <= otp_step(now) + 1; at++) {
        char code[OTP_DIGITS + 1];
        hotp(secret, (uint64_t)at, OTP_DIGITS, code);
        if (bytes_eq(code, digits, OTP_DIGITS) && at > last && !right) {
            right = true;
            *step = at;
        }
    }
    return right;
}

void base32(const uint8_t *bytes, size_t n, char *out) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint32_t held = 0;
    int bits = 0;
    for (size_t i = 0; i < n; i++) {
        held = (held << 8 | bytes[i]) & 0xfff;
        bits += 8;
        while (bits >= 5) {
            bits -= 5;
            *out++ = letters[held >> bits & 31];
        }
    }
    if (bits)
        *out++ = letters[held << (5 - bits) & 31];
    *out = 0;
}
