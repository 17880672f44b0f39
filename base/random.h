/* SPDX-License-Identifier: MIT */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdbool.h>
#include <stddef.h>

/* Fills `out` from the kernel's generator.  Small requests are served from a stock that each
 * thread keeps, used once and wiped.  False: there is no randomness, and whatever needed it must
 * be refused. */
bool random_fill(void *out, size_t length);

#endif
