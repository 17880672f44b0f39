/* SPDX-License-Identifier: MIT
 * The lexical rules of RFC 8259: words, numbers, strings with their escapes, and UTF-8.
 * The grammar is json.c's.  A pure function on bytes. */
#ifndef JSON_GATE_H
#define JSON_GATE_H

#include "bytes.h"

/* NULL when all of the text is well formed; else what is wrong at *offset_r.  `halves`:
 * an escape of half a surrogate pair is let through. */
const char *json_gate_check(struct span text, bool halves, size_t *offset_r);

/* Adds what a well-formed string, without its quotes, stands for.  Half a surrogate pair
 * becomes NUL, and NUL in a member's `name` U+FFFD. */
void json_unescape(struct bytes *out, struct span string, bool name);

#endif
