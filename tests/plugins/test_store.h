/* SPDX-License-Identifier: MIT
 *
 * test_store.h: the least that a store has to do, for plugins that differ from
 * a good one in one point.
 */
#ifndef MEMBERCHAT_TEST_STORE_H
#define MEMBERCHAT_TEST_STORE_H

#include "memberchat_store.h"

#include <string.h>

struct test_store {
    const struct memberchat_services *services;
};

static inline void *test_store_open(const void *settings,
                                    const struct memberchat_services *services, uint32_t how,
                                    struct memberchat_result *result)
{
    static struct test_store store; /* one is enough: it only points to the services */

    (void)settings;
    (void)how;
    (void)result;
    store.services = services;
    return &store;
}

/* Finds everybody. */
static inline enum memberchat_outcome test_store_lookup(void *handle, const char *id,
                                                        size_t id_length, int64_t deadline,
                                                        struct memberchat_result *result)
{
    const struct test_store *store = handle;

    (void)deadline;
    store->services->set(result, MEMBERCHAT_ID, id, id_length);
    return MEMBERCHAT_FOUND;
}

static inline void test_store_close(void *handle)
{
    (void)handle;
}

static inline bool test_id_is(const char *id, size_t id_length, const char *text)
{
    return id_length == strlen(text) && memcmp(id, text, id_length) == 0;
}

#endif
