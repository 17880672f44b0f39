/* SPDX-License-Identifier: MIT
 * Memory that lives and dies together: everything that a configuration says.
 * Freed as a whole, and wiped then, because secrets are in it. */
#ifndef ARENA_H
#define ARENA_H

#include "bytes.h"

/* Zero-initialised is empty.  Once memory has run out, `failed` stays set until
 * arena_free(): the owner of the arena looks at it before it believes what was made. */
struct arena {
    struct arena_block *blocks;
    bool failed;
};

/* Zeroed and aligned for any type.  NULL: out of memory. */
void *arena_alloc(struct arena *arena, size_t size);

/* Copies with a NUL behind them.  NULL: out of memory. */
const char *arena_string(struct arena *arena, struct span text);
const char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void arena_free(struct arena *arena);

#endif
