/* SPDX-License-Identifier: MIT */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdbool.h>
#include <stddef.h>

/* Fills `out` from the kernel's generator.  Small requests are served from a stock that each
 * thread keeps, used once and wiped.  False: there is no randomness, and whatever needed it must
 * be refused. */
bool random_fill(void *out, size_t length);

/* The same without a stock: for what is rarely needed, and for plugins, whose thread-local data
 * glibc allocates when it is first used, and ends the process where it cannot. */
bool random_seed(void *out, size_t length);

#endif
