/* SPDX-License-Identifier: MIT
 * Memory that lives and dies together: everything that a configuration says.
 * Freed as a whole, and wiped then, because secrets are in it. */
#ifndef ARENA_H
#define ARENA_H

#include "bytes.h"

struct arena {
    struct arena_block *blocks;
};

/* Zeroed and aligned for any type; memory that runs out while a configuration
 * is read ends the process with a message: there is nothing to go back to. */
void *arena_alloc(struct arena *arena, size_t size);
const char *arena_string(struct arena *arena, struct span text);
const char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *arena);

#endif
