/* SPDX-License-Identifier: MIT
 *
 * rest_pool.h: things that are dear to make and used by one thread at a time.
 */
#ifndef MEMBERCHAT_REST_POOL_H
#define MEMBERCHAT_REST_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rest_pool_kind {
    void *(*make)(void *maker); /* NULL: no memory */
    void (*unmake)(void *thing);
    void *maker;
};

struct rest_pool;

/* At most `most` things; none is made before it is needed.  NULL: no memory. */
struct rest_pool *rest_pool_new(size_t most, const struct rest_pool_kind *kind);
void rest_pool_free(struct rest_pool *pool); /* all things are back */

/* A thing that is in use; it has to be given back. */
struct rest_loan {
    void *thing;
    unsigned generation;
};

/* The thing that was used last, or a new one.  False when all are in use for
 * `patience_ms`, or memory is out. */
bool rest_pool_take(struct rest_pool *pool, int64_t patience_ms, struct rest_loan *loan_r);
void rest_pool_give(struct rest_pool *pool, const struct rest_loan *loan);

/* Unmakes what nobody used for `idle_ms`. */
void rest_pool_trim(struct rest_pool *pool, int64_t idle_ms);

/* Everything that is there now is unmade: at once, or when it comes back. */
void rest_pool_renew(struct rest_pool *pool);

#endif
