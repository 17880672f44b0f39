/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN 1024
#define BLOCK_MAX (64 * 1024)

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    alignas(max_align_t) char data[];
};

/* A block with room for `size` bytes; each is twice as large as the one before it. */
static struct arena_block *add_block(struct arena *arena, size_t size)
{
    size_t room = arena->blocks ? 2 * arena->blocks->size : BLOCK_MIN;
    if (room > BLOCK_MAX)
        room = BLOCK_MAX;
    if (room < size)
        room = size;
    struct arena_block *block = calloc(1, sizeof *block + room);
    if (!block)
        return NULL;
    block->size = room;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

/* Room that begins at a multiple of `unit`. */
static void *take(struct arena *arena, size_t size, size_t unit)
{
    struct arena_block *block = arena->blocks;
    size_t start = block ? (block->used + unit - 1) / unit * unit : 0;
    if (size > PTRDIFF_MAX - sizeof *block) {
        block = NULL;
    } else if (!block || start > block->size || block->size - start < size) {
        block = add_block(arena, size);
        start = 0;
    }
    if (!block) {
        arena->failed = true;
        return NULL;
    }
    block->used = start + size;
    return block->data + start;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return take(arena, size, alignof(max_align_t));
}

const char *arena_string(struct arena *arena, struct span text)
{
    size_t length = text.length < PTRDIFF_MAX ? text.length : PTRDIFF_MAX; /* which is refused */
    char *copy = take(arena, length + 1, 1);
    if (copy && length)
        memcpy(copy, text.data, length);
    return copy;
}

const char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = take(arena, length < 0 ? SIZE_MAX : (size_t)length + 1, 1);
    if (!text)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

void arena_free(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        explicit_bzero(block->data, block->used);
        free(block);
    }
    arena->failed = false;
}
