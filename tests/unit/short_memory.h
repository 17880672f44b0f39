/* SPDX-License-Identifier: MIT
 * Allocations that fail in a test's own thread.  Only a program that links this has them. */
#ifndef SHORT_MEMORY_H
#define SHORT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* The allocation after `granted` others fails, and with `lasting` all that follow. */
void short_memory_start(size_t granted, bool lasting);

/* Allocations succeed again.  Whether one had failed: never under a sanitizer or valgrind,
 * which have an allocator of their own. */
bool short_memory_stop(void);

#endif
