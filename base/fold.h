/* SPDX-License-Identifier: MIT
 * Whether two ids are the same but for upper and lower case.  Pure, whatever the locale. */
#ifndef FOLD_H
#define FOLD_H

#include "bytes.h"

/* Letters of the Latin, Greek, Cyrillic and Armenian scripts; others are equal to themselves, as is
 * what is not UTF-8.  Accents count. */
bool text_fold_equal(struct span a, struct span b);

#endif
