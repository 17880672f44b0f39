/* SPDX-License-Identifier: MIT */
#include "ecdsa_form.h"

#include <string.h>

#define HALF     (ECDSA_RAW / 2)
#define SEQUENCE 0x30
#define INTEGER  0x02

/* One INTEGER at *at, right-aligned in `out`.  Lengths here are below 128. */
static bool read_number(const uint8_t *der, size_t length, size_t *at, uint8_t out[HALF])
{
    if (length - *at < 2 || der[*at] != INTEGER)
        return false;
    size_t count = der[*at + 1];
    *at += 2;
    if (count == 0 || count > length - *at || der[*at] > 0x7f)
        return false;
    const uint8_t *number = der + *at;
    *at += count;
    if (count > 1 && number[0] == 0) {
        number++;
        count--;
    }
    if (count > HALF)
        return false;
    memset(out, 0, HALF - count);
    memcpy(out + HALF - count, number, count);
    return true;
}

bool ecdsa_from_der(const uint8_t *der, size_t length, uint8_t raw[ECDSA_RAW])
{
    size_t at = 2;
    return length >= 2 && der[0] == SEQUENCE && der[1] == length - 2 &&
           read_number(der, length, &at, raw) && read_number(der, length, &at, raw + HALF) &&
           at == length;
}

static size_t write_number(const uint8_t number[HALF], uint8_t *out)
{
    size_t skip = 0;
    while (skip < HALF - 1 && number[skip] == 0)
        skip++;
    size_t zero = number[skip] > 0x7f, count = HALF - skip;
    out[0] = INTEGER;
    out[1] = (uint8_t)(zero + count);
    out[2] = 0;
    memcpy(out + 2 + zero, number + skip, count);
    return 2 + zero + count;
}

size_t ecdsa_to_der(const uint8_t raw[ECDSA_RAW], uint8_t der[ECDSA_DER_MAX])
{
    size_t length = write_number(raw, der + 2);
    length += write_number(raw + HALF, der + 2 + length);
    der[0] = SEQUENCE;
    der[1] = (uint8_t)length;
    return 2 + length;
}
