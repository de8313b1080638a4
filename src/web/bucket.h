// Token buckets by key, in bounded memory: how often an address or an account may try a password.
#ifndef CRONISTA_WEB_BUCKET_H
#define CRONISTA_WEB_BUCKET_H

#include "base/clock.h"
#include "base/str.h"

struct buckets;

// A key may spend `burst` tokens at once and gets one back every `refill`. Keys are kept as keyed hashes in a table of
// fixed size; when it is full the fullest bucket near the new key's place gives way, so that an attacker with
// many addresses can only make others forget what they had left, never use theirs up.
struct buckets *buckets_new(double burst, micros refill, size_t keys);
void buckets_free(struct buckets *);
// Takes one token. 0 when there was one; else how long until there will be. Any thread.
micros buckets_take(struct buckets *, struct str key, micros now);
// Of what is known from elsewhere: there is none, and one again after this time.
void buckets_wait(struct buckets *, struct str key, micros wait, micros now);
// Gives one back (a right password is not an attempt).
void buckets_return(struct buckets *, struct str key, micros now);

#endif
