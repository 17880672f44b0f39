/* SPDX-License-Identifier: MIT
 * Things that are expensive to make and used by one thread at a time: connections to a
 * directory, handles of a client library. */
#ifndef POOL_H
#define POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_BELIEVED_MS 100

struct pool_kind {
    /* Makes a thing by the deadline (clock_monotonic_ms()).  `why` is what pool_take()
     * was given.  NULL: it failed. */
    void *(*make)(void *context, int64_t deadline, void *why);
    /* Optional: whether an idle thing can be used again.  Does not wait, and is believed for
     * POOL_BELIEVED_MS. */
    bool (*is_good)(void *context, const void *thing);
    void (*unmake)(void *context, void *thing);
    void *context;
    size_t most;     /* in use and idle together; 0: any number */
    int64_t idle_ms; /* one that idles this long is unmade; 0: never */
    int64_t life_ms; /* so is an older one, sooner or later by a tenth; 0: never */
};

struct pool;

/* A thing in use.  It belongs to the borrower until pool_give(). */
struct pool_loan {
    void *thing;
    bool reused;            /* it has been given back before */
    struct pool_loan *next; /* this and what follows is the pool's */
    int64_t born, used, tested, life;
    unsigned generation;
};

enum pool_result {
    POOL_GOOD,
    POOL_BUSY,  /* all were in use until the deadline */
    POOL_FAILED /* make() failed, or memory ran out: then `why` is untouched */
};

/* NULL: no memory.  Nothing is made before it is needed. */
struct pool *pool_new(const struct pool_kind *kind);
void pool_free(struct pool *pool); /* everything is back; NULL is allowed */

/* The idle thing that was used last, or a new one.  Waits until `deadline` where as many
 * are in use as there may be. */
enum pool_result pool_take(struct pool *pool, int64_t deadline, void *why,
                           struct pool_loan **loan_r);

/* An idle thing, NULL when there is none.  Does not wait. */
struct pool_loan *pool_take_idle(struct pool *pool);

/* Takes a loan back: to keep it for the next borrower, or to unmake it. */
void pool_give(struct pool *pool, struct pool_loan *loan, bool keep);

/* Unmakes everything: what idles at once, what is in use when it comes back.  What
 * pool_take() returns afterwards was made afterwards. */
void pool_flush(struct pool *pool);

/* The same, unless it was done since `loan` was made: when many find at once that what
 * the pool has is dead, the first of them flushes. */
void pool_flush_before(struct pool *pool, const struct pool_loan *loan);

/* Unmakes what idled too long, is too old, or is not good any more. */
void pool_trim(struct pool *pool);

#endif
