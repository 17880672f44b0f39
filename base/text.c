/* SPDX-License-Identifier: MIT */
#include "text.h"

size_t text_utf8_sequence(struct span text)
{
    /* Unicode, table 3-7: first byte, length, and the range of the second byte */
    static const struct {
        unsigned char first_low, first_high, length, second_low, second_high;
    } rows[] = {
        {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
        {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf},
        {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
    };
    if (text.length == 0)
        return 0;
    const unsigned char *byte = (const unsigned char *)text.data;
    if (byte[0] < 0x80)
        return 1;
    size_t row = 0, rows_count = sizeof rows / sizeof *rows;
    while (row < rows_count && (byte[0] < rows[row].first_low || byte[0] > rows[row].first_high))
        row++;
    if (row == rows_count || text.length < rows[row].length)
        return 0;
    if (byte[1] < rows[row].second_low || byte[1] > rows[row].second_high)
        return 0;
    for (size_t i = 2; i < rows[row].length; i++)
        if (byte[i] < 0x80 || byte[i] > 0xbf)
            return 0;
    return rows[row].length;
}

bool text_is_plain(struct span text)
{
    size_t at = 0;
    while (at < text.length) {
        unsigned char byte = (unsigned char)text.data[at];
        if (byte >= 0x20 && byte < 0x7f) {
            at++;
            continue;
        }
        size_t length = text_utf8_sequence((struct span){text.data + at, text.length - at});
        bool c1 = length == 2 && byte == 0xc2 && (unsigned char)text.data[at + 1] < 0xa0;
        if (length < 2 || c1)
            return false;
        at += length;
    }
    return true;
}

bool text_is_alphanumeric(struct span text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!text_is_letter(text.data[i]) && !text_is_digit(text.data[i]))
            return false;
    return text.length > 0;
}

int text_hex_digit(char c)
{
    if (text_is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool text_parse_integer(const char *text, int64_t *value_r)
{
    bool negative = *text == '-';
    int64_t value = 0;
    const char *p = text + negative;
    if (!*p)
        return false;
    for (; *p; p++) {
        if (!text_is_digit(*p) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *p - '0', &value))
            return false;
    }
    *value_r = negative ? -value : value;
    return true;
}
