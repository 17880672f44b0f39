/* SPDX-License-Identifier: MIT */
#include "openssl_memory.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define POOL_SIZE (1024 * 1024) /* untouched pages cost nothing */
#define UNIT      alignof(max_align_t)

/* One piece of the pool; never used again. */
struct piece {
    alignas(max_align_t) size_t size;
    alignas(max_align_t) char data[];
};

static alignas(max_align_t) char pool[POOL_SIZE];
static atomic_size_t used;
static atomic_bool starting; /* what is allocated comes from the pool */

static bool is_of_pool(const void *memory)
{
    return (uintptr_t)memory >= (uintptr_t)pool && (uintptr_t)memory < (uintptr_t)pool + POOL_SIZE;
}

static void *take(size_t size, const char *file, int line)
{
    size_t whole = (sizeof(struct piece) + size + UNIT - 1) / UNIT * UNIT;
    (void)file;
    (void)line;
    if (!atomic_load(&starting) || size > POOL_SIZE)
        return malloc(size);
    size_t offset = atomic_fetch_add(&used, whole);
    if (offset > POOL_SIZE || whole > POOL_SIZE - offset)
        return malloc(size);
    struct piece *piece = (struct piece *)(void *)(pool + offset);
    piece->size = size;
    return piece->data;
}

static void give(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    if (!is_of_pool(memory))
        free(memory);
}

static void *retake(void *memory, size_t size, const char *file, int line)
{
    if (!memory || !is_of_pool(memory))
        return realloc(memory, size);
    const struct piece *piece =
        (const struct piece *)(const void *)((char *)memory - offsetof(struct piece, data));
    void *grown = take(size, file, line);
    if (grown)
        memcpy(grown, memory, piece->size < size ? piece->size : size);
    return grown;
}

static void start(void)
{
    if (CRYPTO_set_mem_functions(take, retake, give) != 1)
        return;
    atomic_store(&starting, true);
    EVP_PKEY_CTX_free(EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL));
    ERR_clear_error();
    atomic_store(&starting, false);
}

void openssl_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
}
