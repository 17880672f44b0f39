/* SPDX-License-Identifier: MIT
 * How single values of a configuration are written.  Pure functions on text. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "base/bytes.h"

#include <stdint.h>

bool value_parse_duration(const char *text, int64_t *ms_r); /* "500ms", "5s", "10m", "1h", "7d" */
bool value_parse_size(const char *text, int64_t *bytes_r);  /* "512", "16k", "1M", "1G" */

/* Whether a character begins the name of a setting, or is in one further on. */
bool value_begins_name(char c);
bool value_continues_name(char c);

/* How many bytes at the start of `text` are a number; 0: it is not a number.  *base_r: 10 or
 * 16, or 0 for a fraction. */
size_t value_measure_number(const char *text, int *base_r);

/* The position of a word among words that blanks separate, -1: none. */
int64_t value_find_choice(const char *choices, const char *word);

/* As they are written in the configuration, for messages.  The text is in `buffer`. */
const char *value_format_duration(int64_t ms, char buffer[32]);
const char *value_format_size(int64_t bytes, char buffer[32]);

/* How many single-letter mistakes (also: two letters swapped) lie between two
 * names, letter case not counting; more than `limit` counts as limit + 1. */
unsigned value_distance(const char *a, const char *b, unsigned limit);

/* The name that was meant: of those tried, the most similar one, with one or two mistakes or
 * without the words at its end; NULL: there is none. */
struct value_match {
    const char *best;
    const char *wanted;
    unsigned limit;
};
struct value_match value_match_start(const char *wanted);
void value_match_try(struct value_match *match, const char *candidate);

/* Three arguments for "%s%s%s" at the end of a message: what was meant, or nothing. */
#define VALUE_MATCH_HINT(match)                                                                    \
    (match)->best ? " (did you mean \"" : "", (match)->best ? (match)->best : "",                  \
        (match)->best ? "\"?)" : ""

#endif
