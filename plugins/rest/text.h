/* SPDX-License-Identifier: MIT
 *
 * rest_text.h: text that grows, and reasons in words.
 */
#ifndef MEMBERCHAT_REST_TEXT_H
#define MEMBERCHAT_REST_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Owns its bytes; zero-initialised is empty.  When memory runs out, `failed`
 * stays set and what is added is lost: who uses the text looks at it once. */
struct rest_text {
    char *bytes;
    size_t length, capacity;
    bool failed;
};

/* Room for `length` more bytes; NULL when there is none. */
char *rest_text_reserve(struct rest_text *text, size_t length);
void rest_text_add(struct rest_text *text, const char *bytes, size_t length);
void rest_text_add_string(struct rest_text *text, const char *string);
const char *rest_text_string(struct rest_text *text); /* "" when it failed */
void rest_text_reset(struct rest_text *text);         /* empty, memory kept */
void rest_text_free(struct rest_text *text);          /* bytes wiped */

struct rest_reason {
    char text[256];
};

void rest_reason_set(struct rest_reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
