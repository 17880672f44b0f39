/* SPDX-License-Identifier: MIT */
#include "fold.h"

#include "text.h"

#include <stdint.h>

enum pairing {
    DISTANCE, /* every letter of the range has its small one so far behind it */
    EVEN,     /* lower-case letters follow the even ones ... */
    ODD       /* ... or the odd ones */
};

/* Unicode's simple case folding, capital letters in order. */
static const struct {
    uint32_t first, last;
    enum pairing pairing;
    uint32_t distance;
} ranges[] = {
    {'A', 'Z', DISTANCE, 32},     {0xc0, 0xd6, DISTANCE, 32},   {0xd8, 0xde, DISTANCE, 32},
    {0x100, 0x12f, EVEN, 1},      {0x132, 0x137, EVEN, 1},      {0x139, 0x148, ODD, 1},
    {0x14a, 0x177, EVEN, 1},      {0x179, 0x17e, ODD, 1},       {0x1cd, 0x1dc, ODD, 1},
    {0x1de, 0x1ef, EVEN, 1},      {0x1f8, 0x21f, EVEN, 1},      {0x386, 0x386, DISTANCE, 38},
    {0x388, 0x38a, DISTANCE, 37}, {0x38c, 0x38c, DISTANCE, 64}, {0x38e, 0x38f, DISTANCE, 63},
    {0x391, 0x3a1, DISTANCE, 32}, {0x3a3, 0x3ab, DISTANCE, 32}, {0x400, 0x40f, DISTANCE, 80},
    {0x410, 0x42f, DISTANCE, 32}, {0x460, 0x481, EVEN, 1},      {0x48a, 0x4bf, EVEN, 1},
    {0x4c1, 0x4ce, ODD, 1},       {0x4d0, 0x52f, EVEN, 1},      {0x531, 0x556, DISTANCE, 48},
    {0x1e00, 0x1e95, EVEN, 1},    {0x1ea0, 0x1eff, EVEN, 1},    {0xff21, 0xff3a, DISTANCE, 32},
};

static uint32_t fold(uint32_t letter)
{
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges && letter >= ranges[i].first; i++)
        if (letter <= ranges[i].last &&
            (ranges[i].pairing == DISTANCE || letter % 2 == (ranges[i].pairing == ODD)))
            return letter + ranges[i].distance;
    return letter;
}

/* Takes the first letter off; a byte that is not UTF-8 is none of them. */
static uint32_t take(struct span *text)
{
    size_t length = text_utf8_sequence(*text);
    uint32_t letter = 0;
    if (!length) {
        letter = UINT32_MAX - (unsigned char)*text->data;
        length = 1;
    } else {
        letter = (unsigned char)*text->data & 0x7fu >> (length > 1 ? length : 0);
        for (size_t i = 1; i < length; i++)
            letter = letter << 6 | ((unsigned char)text->data[i] & 0x3f);
    }
    text->data += length;
    text->length -= length;
    return letter;
}

bool text_fold_equal(struct span a, struct span b)
{
    if (span_equal(a, b)) /* nearly always */
        return true;
    while (a.length && b.length)
        if (fold(take(&a)) != fold(take(&b)))
            return false;
    return !a.length && !b.length;
}
