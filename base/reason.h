/* SPDX-License-Identifier: MIT
 * Why something failed, in words for people.  A reason is never the verdict: that is
 * the bool or enum beside it.  Setting one cannot fail, so no failure gets lost. */
#ifndef REASON_H
#define REASON_H

#include <stdarg.h>
#include <stddef.h>

enum { REASON_MAX = 1024 };

/* Zero-initialised is empty; text ends with NUL, and a character is never cut in two. */
struct reason {
    char text[REASON_MAX];
};

void reason_set(struct reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts what the reason is about in front of it: "PREFIX: ...". */
void reason_prefix(struct reason *reason, const char *prefix);

/* As reason_set() into other room, of 64 bytes or more.  What does not fit is most often a path,
 * and what is wrong with it stands behind: the middle is left out, with "..." in its place. */
void reason_write(char *room, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

#endif
