/* SPDX-License-Identifier: MIT */
#include "config_value.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DIGITS "0123456789"

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit duration_units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                             {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit size_units[] = {
    {"", 1}, {"k", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {NULL, 0}};

static bool parse_with_unit(const char *text, const struct unit *units, int64_t *value_r)
{
    char digits[20];
    size_t length = strspn(text, DIGITS);
    if (length == 0 || length >= sizeof digits)
        return false;
    memcpy(digits, text, length);
    digits[length] = '\0';
    for (; units->name; units++)
        if (strcmp(text + length, units->name) == 0)
            return text_parse_integer(digits, value_r) &&
                   !__builtin_mul_overflow(*value_r, units->factor, value_r);
    return false;
}

/* In the largest unit that it is a multiple of. */
static const char *format_with_unit(int64_t value, const struct unit *units, char buffer[32])
{
    const struct unit *best = units;
    for (; value && units->name; units++)
        if (value % units->factor == 0)
            best = units;
    snprintf(buffer, 32, "%lld%s", (long long)(value / best->factor), best->name);
    return buffer;
}

bool value_parse_duration(const char *text, int64_t *ms_r)
{
    return parse_with_unit(text, duration_units, ms_r);
}

bool value_parse_size(const char *text, int64_t *bytes_r)
{
    return parse_with_unit(text, size_units, bytes_r);
}

const char *value_format_duration(int64_t ms, char buffer[32])
{
    return format_with_unit(ms, duration_units, buffer);
}

const char *value_format_size(int64_t bytes, char buffer[32])
{
    return format_with_unit(bytes, size_units, buffer);
}

int64_t value_find_choice(const char *choices, const char *word)
{
    size_t length = strlen(word);
    int64_t index = 0;
    for (const char *p = choices; *p; index++) {
        size_t here = strcspn(p, " ");
        if (here == length && memcmp(p, word, length) == 0)
            return index;
        p += here;
        p += strspn(p, " ");
    }
    return -1;
}

bool value_begins_name(char c)
{
    return text_is_letter(c) || c == '*';
}

bool value_continues_name(char c)
{
    return value_begins_name(c) || text_is_digit(c) || c == '-' || c == '_';
}

/* Digits, a point and an exponent, as far as they go. */
static size_t number_length(const char *text, bool *fraction_r)
{
    size_t sign = *text == '+' || *text == '-', at = sign;
    at += strspn(text + at, DIGITS);
    size_t digits = at - sign;
    *fraction_r = text[at] == '.';
    if (*fraction_r) {
        size_t more = strspn(text + at + 1, DIGITS);
        at += 1 + more;
        digits += more;
    }
    if (digits && (text[at] == 'e' || text[at] == 'E')) {
        size_t exponent = at + 1 + (text[at + 1] == '+' || text[at + 1] == '-');
        size_t more = strspn(text + exponent, DIGITS);
        *fraction_r = *fraction_r || more;
        at = more ? exponent + more : at;
    }
    return digits ? at : 0;
}

size_t value_measure_number(const char *text, int *base_r)
{
    bool fraction = false;
    size_t length;
    *base_r = 10;
    if (*text == '0' && (text[1] == 'x' || text[1] == 'X')) {
        *base_r = 16;
        length = strspn(text + 2, DIGITS "abcdefABCDEF");
        length += length ? 2 : 0;
    } else {
        length = number_length(text, &fraction);
        *base_r = fraction ? 0 : 10;
    }
    if (length && !fraction && text[length] == 'L')
        length += text[length + 1] == 'L' ? 2 : 1;
    return value_continues_name(text[length]) || text[length] == '.' ? 0 : length;
}

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

unsigned value_distance(const char *a, const char *b, unsigned limit)
{
    enum { LONGEST = 63 };
    unsigned rows[3][LONGEST + 1]; /* two rows ago, the last one, this one */
    size_t na = strlen(a), nb = strlen(b);
    if (na > LONGEST || nb > LONGEST)
        return limit + 1;
    for (size_t j = 0; j <= nb; j++)
        rows[1][j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        rows[2][0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned best = rows[1][j - 1] + !same_letter(a[i - 1], b[j - 1]);
            if (rows[1][j] + 1 < best)
                best = rows[1][j] + 1;
            if (rows[2][j - 1] + 1 < best)
                best = rows[2][j - 1] + 1;
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                same_letter(a[i - 2], b[j - 1]) && rows[0][j - 2] + 1 < best)
                best = rows[0][j - 2] + 1;
            rows[2][j] = best;
        }
        memcpy(rows[0], rows[1], sizeof rows[0]);
        memcpy(rows[1], rows[2], sizeof rows[1]);
    }
    return rows[1][nb] > limit ? limit + 1 : rows[1][nb];
}

struct value_match value_match_start(const char *wanted)
{
    return (struct value_match){.wanted = wanted, .limit = strlen(wanted) < 4 ? 2 : 3};
}

void value_match_try(struct value_match *match, const char *candidate)
{
    size_t length = strlen(match->wanted);
    bool begins = length > 3 && strncasecmp(match->wanted, candidate, length) == 0 &&
                  candidate[length] && strchr("_-", candidate[length]);
    unsigned distance = begins ? 1 : value_distance(match->wanted, candidate, match->limit);
    if (distance >= match->limit)
        return;
    match->limit = distance;
    match->best = candidate;
}
