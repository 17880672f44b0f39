/* SPDX-License-Identifier: MIT
 * Spans of bytes and growing buffers.  A span owns nothing; data NULL means
 * "no value", which is not the same as an empty one. */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const char *data;
    size_t length;
};

#define SPAN_NONE ((struct span){NULL, 0})

struct span span_of(const char *string); /* NULL gives SPAN_NONE */
bool span_equal(struct span a, struct span b);
bool span_matches(struct span a, struct span b);      /* in upper or lower case, ASCII only */
bool span_equal_nocase(struct span a, const char *b); /* the same */
bool span_is_one_of(struct span text, const char *const words[]); /* NULL ends them */

/* Without those of `blanks` at its ends. */
struct span span_trim(struct span text, const char *blanks);

/* Takes the first line off, without its newline.  False: nothing is left. */
bool span_next_line(struct span *rest, struct span *line_r);

/* As a C string; what does not fit is cut off. */
const char *span_copy(struct span text, char *room, size_t size);

/* A buffer owns its bytes; zero-initialised is empty.  When memory runs out,
 * `failed` stays set, what was added since is lost, and nothing else happens:
 * the user of the content checks `failed` once, at the end. */
struct bytes {
    char *data;
    size_t length, capacity;
    bool failed, borrowed; /* borrowed: the memory belongs to the caller, and does not grow */
};

/* An empty buffer in memory of the caller's, which outlives it. */
struct bytes bytes_within(char *memory, size_t size);

void bytes_add(struct bytes *buf, const char *data, size_t length);
void bytes_add_span(struct bytes *buf, struct span span);
void bytes_add_string(struct bytes *buf, const char *string);
void bytes_add_number(struct bytes *buf, int64_t number); /* in decimal */
void bytes_addf(struct bytes *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds a JSON string with its quotes (RFC 8259, section 7), or null for
 * SPAN_NONE.  The span is UTF-8. */
void bytes_add_json(struct bytes *buf, struct span span);

/* The same without the quotes: for a part of a JSON string. */
void bytes_add_json_part(struct bytes *buf, struct span span);

void bytes_add_hex(struct bytes *buf, struct span span); /* two lower-case digits a byte */

void bytes_add_base64(struct bytes *buf, struct span span); /* RFC 4648, section 4 */

/* Percent-encodes all but the unreserved bytes (RFC 3986, section 2.3). */
void bytes_add_percent(struct bytes *buf, struct span span);

/* Adds a text in quotation marks, with a backslash before each of these and each backslash in it.
 */
void bytes_add_quoted(struct bytes *buf, struct span span);

/* Adds a word of a shell's command (POSIX): in quotation marks, if it needs them. */
void bytes_add_shell(struct bytes *buf, struct span span);

/* Room for `length` more bytes; NULL when there is none. */
char *bytes_reserve(struct bytes *buf, size_t length);

/* Becomes a copy of `span`, and takes no more memory than that. */
void bytes_copy(struct bytes *buf, struct span span);

/* The content with a NUL behind it, "" when empty or failed. */
const char *bytes_string(struct bytes *buf);
struct span bytes_span(const struct bytes *buf);

void bytes_reset(struct bytes *buf); /* empty, memory kept, bytes wiped */
void bytes_free(struct bytes *buf);  /* bytes wiped */

#endif
