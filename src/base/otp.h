// One-time passwords by a clock: RFC 6238 (TOTP) over RFC 4226 (HOTP) with HMAC-SHA-1, steps of 30 seconds and six digits, which
// is what authenticator programs know. Also base32 (RFC 4648, section 6), in which people type their secrets.
#ifndef CRONISTA_BASE_OTP_H
#define CRONISTA_BASE_OTP_H

#include "base/clock.h"
#include "base/str.h"

#define OTP_SECRET 20 // bytes, as RFC 4226 recommends
#define OTP_DIGITS 6
#define OTP_PERIOD 30 // seconds

// The digits (6 to 8) for a counter, with a zero behind them.
void hotp(struct str secret, uint64_t counter, int digits, char *out);
int64_t otp_step(micros now); // the counter of that moment
// Whether it is the code of this step, the one before or the one after (clocks differ), and later than `last`, the step of the
// newest code that was taken: none is taken twice. Blanks in what was typed are passed over. *step: whose it is.
bool otp_check(struct str secret, struct str typed, micros now, int64_t last, int64_t *step);

// Capital letters without padding. out: (n * 8 + 4) / 5 characters and a zero.
#define BASE32_TEXT(n) (((n)*8 + 4) / 5 + 1)
void base32(const uint8_t *bytes, size_t n, char *out);

#endif
