/* SPDX-License-Identifier: MIT
 * The lexical rules of RFC 8259 that json-c does not hold anyone to: NaN, single
 * quotes, control bytes in strings, escapes of half a surrogate pair, UTF-8 that
 * is none, numbers that are none.  The grammar stays json-c's.  A pure function on
 * bytes. */
#ifndef JSON_GATE_H
#define JSON_GATE_H

#include "bytes.h"

/* NULL when the text may go to the parser; else what is wrong at *offset_r.  An
 * escaped NUL in a member's name, where json-c would cut the name off, is
 * overwritten with the escape of U+FFFD. */
const char *json_gate_check(char *text, size_t length, size_t *offset_r);

#endif
