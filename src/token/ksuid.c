/* SPDX-License-Identifier: MIT */
#include "ksuid.h"

#include "base/clock.h"
#include "base/random.h"

#include <stddef.h>

#define EPOCH 1400000000

void ksuid_format(char out[KSUID_LENGTH], int64_t unix_seconds, const unsigned char payload[16])
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint32_t words[5]; /* the number of 160 bits, most significant word first */
    words[0] = (uint32_t)(unix_seconds - EPOCH);
    for (size_t i = 0; i < 4; i++) {
        const unsigned char *p = payload + 4 * i;
        words[i + 1] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
    for (size_t digit = KSUID_LENGTH; digit-- > 0;) {
        uint64_t rest = 0;
        for (size_t i = 0; i < 5; i++) {
            uint64_t value = rest << 32 | words[i];
            words[i] = (uint32_t)(value / 62);
            rest = value % 62;
        }
        out[digit] = digits[rest];
    }
}

bool ksuid_new(char out[KSUID_LENGTH])
{
    unsigned char payload[16];
    int64_t now;
    if (!random_fill(payload, sizeof payload) || !clock_unix_seconds(&now))
        return false;
    ksuid_format(out, now, payload);
    return true;
}
