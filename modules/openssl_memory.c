/* SPDX-License-Identifier: MIT */
#include "openssl_memory.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <malloc.h>
#include <pthread.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define POOL_SIZE (2 * 1024 * 1024) /* untouched pages cost nothing */
#define UNIT      alignof(max_align_t)

/* For private numbers, twice over during a reload: an RSA key takes a kilobyte of it, others far
 * less.  Where it is used up, no key can be read. */
#define VAULT_LARGE ((size_t)16 * 1024 * 1024)
#define VAULT_USUAL ((size_t)4 * 1024 * 1024) /* leaves half of the usual limit to others */
#define VAULT_PIECE 32

/* What libcrypto's two tables of a vault take, of two bits for each piece. */
#define VAULT_TABLES (VAULT_LARGE / VAULT_PIECE / 2 + 4096)

/* One piece of the pool; never used again. */
struct piece {
    alignas(max_align_t) size_t size;
    alignas(max_align_t) char data[];
};

static alignas(max_align_t) char pool[POOL_SIZE];
static atomic_size_t used;
static bool ours;            /* libcrypto allocates here */
static atomic_bool starting; /* what it allocates comes from the pool */

static bool is_of_pool(const void *memory)
{
    return (uintptr_t)memory >= (uintptr_t)pool && (uintptr_t)memory < (uintptr_t)pool + POOL_SIZE;
}

static size_t size_of(void *memory)
{
    if (!is_of_pool(memory))
        return malloc_usable_size(memory);
    const char *piece = (const char *)memory - offsetof(struct piece, data);
    return ((const struct piece *)(const void *)piece)->size;
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
    if (!memory || is_of_pool(memory))
        return;
    explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

static void *retake(void *memory, size_t size, const char *file, int line)
{
    if (!memory)
        return take(size, file, line);
    if (size == 0) {
        give(memory, file, line);
        return NULL;
    }
    size_t before = size_of(memory);
    void *moved = take(size, file, line);
    if (!moved)
        return NULL;
    memcpy(moved, memory, before < size ? before : size);
    give(memory, file, line);
    return moved;
}

/* libcrypto ends the process where it has no memory for a vault's tables. */
static bool has_room_for_tables(void)
{
    void *room = ours ? pool : malloc(VAULT_TABLES);
    bool some = room != NULL;
    if (room != pool)
        free(room);
    return some;
}

/* libcrypto locks it, where it may, leaves it out of dumps and wipes what is freed.  Beyond the
 * limit nothing of it would be locked; one that fits is large enough for 2,000 RSA keys. */
static void make_vault(void)
{
    struct rlimit limit;
    bool usual = getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur >= 2 * VAULT_USUAL &&
                 limit.rlim_cur < 2 * VAULT_LARGE;
    if (CRYPTO_secure_malloc_initialized() || !has_room_for_tables())
        return;
    atomic_store(&starting, ours);
    CRYPTO_secure_malloc_init(usual ? VAULT_USUAL : VAULT_LARGE, VAULT_PIECE);
    atomic_store(&starting, false);
}

static void start(void)
{
    ours = CRYPTO_set_mem_functions(take, retake, give) == 1;
    if (ours) {
        atomic_store(&starting, true);
        EVP_PKEY_CTX_free(EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL));
        ERR_clear_error();
        atomic_store(&starting, false);
    }
}

void openssl_start(bool lock)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT, vault_once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
    if (lock)
        pthread_once(&vault_once, make_vault);
}
