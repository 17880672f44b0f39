/* SPDX-License-Identifier: MIT
 * Texts in other encodings, by iconv(3). */
#ifndef ENCODING_H
#define ENCODING_H

#include "base/bytes.h"
#include "base/reason.h"

/* Whether iconv knows it.  False: with a reason, also if memory is short. */
bool encoding_check(const char *name, struct reason *why);

/* Turns a text (from malloc) into UTF-8: from UTF-16 or UTF-32 where a byte order mark
 * says so, otherwise from `name`; UTF-8 is left as it is.  What cannot be converted becomes
 * a byte that is not UTF-8.  False: no memory, and *text_r is what it was. */
bool encoding_convert(const char *name, char **text_r, size_t *size_r);

/* Whether a converted text has no NUL bytes.  False: with a reason. */
bool encoding_is_text(const char *name, struct span text, struct reason *why);

/* Says which byte of line `number` is not in the encoding `name`, and which encoding
 * would fit what begins there; `text` begins with the line.  False: it is UTF-8. */
bool encoding_explain(const char *name, struct span line, struct span text, size_t number,
                      struct reason *why);

#endif
