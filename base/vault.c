/* SPDX-License-Identifier: MIT */
#include "vault.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK ((size_t)16 * 1024)
#define SLOTS (CHUNK / VAULT_SLOT)

_Static_assert(VAULT_SLOT % alignof(max_align_t) == 0, "slots are aligned");
_Static_assert(SLOTS <= 32, "a bit for each");

/* Some pages, cut into slots.  The record of them is kept outside these pages. */
struct chunk {
    struct chunk *next;
    char *pages;
    uint32_t taken; /* a bit for each slot */
};

static bool no_locks;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards chunks, and what hangs on it */
static struct chunk *chunks;

void vault_skip_locks(void)
{
    no_locks = true;
}

bool vault_locks(void)
{
    return !no_locks;
}

static struct chunk *add_chunk(void)
{
    struct chunk *chunk = malloc(sizeof *chunk);
    void *pages =
        chunk ? mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
              : MAP_FAILED;
    if (pages == MAP_FAILED) {
        free(chunk);
        return NULL;
    }
    (void)mlock(pages, CHUNK); /* as far as the limit allows */
    (void)madvise(pages, CHUNK, MADV_DONTDUMP);
    *chunk = (struct chunk){chunks, pages, 0};
    chunks = chunk;
    return chunk;
}

static struct chunk *find_room(void)
{
    for (struct chunk *chunk = chunks; chunk; chunk = chunk->next)
        if (chunk->taken != (uint32_t)((UINT64_C(1) << SLOTS) - 1))
            return chunk;
    return add_chunk();
}

void *vault_take(size_t size)
{
    void *memory = NULL;
    if (size > VAULT_SLOT)
        return NULL;
    if (no_locks)
        return calloc(1, VAULT_SLOT);
    pthread_mutex_lock(&lock);
    struct chunk *chunk = find_room();
    if (chunk) {
        unsigned slot = 0;
        while (chunk->taken >> slot & 1)
            slot++;
        chunk->taken |= UINT32_C(1) << slot;
        memory = chunk->pages + slot * VAULT_SLOT;
    }
    pthread_mutex_unlock(&lock);
    return memory;
}

void vault_give(void *memory)
{
    if (!memory)
        return;
    explicit_bzero(memory, VAULT_SLOT);
    if (no_locks) {
        free(memory);
        return;
    }
    pthread_mutex_lock(&lock);
    struct chunk **at = &chunks;
    while ((uintptr_t)memory - (uintptr_t)(*at)->pages >= CHUNK)
        at = &(*at)->next;
    struct chunk *chunk = *at;
    size_t slot = ((uintptr_t)memory - (uintptr_t)chunk->pages) / VAULT_SLOT;
    chunk->taken &= ~(UINT32_C(1) << slot);
    if (!chunk->taken) {
        *at = chunk->next;
        munmap(chunk->pages, CHUNK);
        free(chunk);
    }
    pthread_mutex_unlock(&lock);
}
