/* SPDX-License-Identifier: MIT */
#ifndef RANDOM_H
#define RANDOM_H

#include <stddef.h>

/* Fills `out` from the kernel's generator.  Never fails: without randomness
 * there is nothing this program could rightly do, so it aborts.  Small requests
 * are served from a stock that each thread keeps, used once and wiped. */
void random_fill(void *out, size_t length);

#endif
