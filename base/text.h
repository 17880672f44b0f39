/* SPDX-License-Identifier: MIT
 * What a piece of text from outside may contain.  Pure functions on bytes. */
#ifndef TEXT_H
#define TEXT_H

#include "bytes.h"

/* The length in bytes of the well-formed UTF-8 sequence at the start of `text`
 * (Unicode, table 3-7), 0 when there is none. */
size_t text_utf8_sequence(struct span text);

/* Well-formed UTF-8 and nothing of the categories C0, DEL and C1. */
bool text_is_plain(struct span text);

/* ASCII only, in every locale. */
static inline bool text_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool text_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline char text_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* One or more of [A-Za-z0-9]. */
bool text_is_alphanumeric(struct span text);

/* The value of a hexadecimal digit, -1 for another byte. */
int text_hex_digit(char c);

/* What a noun behind the number ends in: "%zu line%s". */
static inline const char *text_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* A whole decimal number with an optional sign.  False for anything else, and for what
 * does not fit. */
bool text_parse_integer(const char *text, int64_t *value_r);

#endif
