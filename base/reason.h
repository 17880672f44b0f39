/* SPDX-License-Identifier: MIT
 * Why something failed, in words for people.  A reason is never the verdict: that is
 * the bool or enum beside it.  Setting one cannot fail, so no failure gets lost. */
#ifndef REASON_H
#define REASON_H

enum { REASON_MAX = 1024 };

/* Zero-initialised is empty; text ends with NUL, and a character is never cut in two. */
struct reason {
    char text[REASON_MAX];
};

void reason_set(struct reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
