/* SPDX-License-Identifier: MIT
 *
 * store_serial.c: a store for one thread at a time, which tells on a host that
 * lets two in: all look-ups from then on are MISCONFIGURED.
 */
#include "memberchat_store.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

struct serial_store {
    const struct memberchat_services *services;
    atomic_int inside;
    atomic_bool crowded;
};

static void *serial_open(const void *settings, const struct memberchat_services *services,
                         uint32_t how, struct memberchat_result *result)
{
    struct serial_store *store = calloc(1, sizeof *store);

    (void)settings;
    (void)how;
    if (store == NULL)
        services->reason(result, "out of memory");
    else
        store->services = services;
    return store;
}

/* Stays inside for a moment, so that a second thread would be seen. */
static void serial_visit(struct serial_store *store)
{
    const struct timespec pause = {0, 2000000};

    if (atomic_fetch_add(&store->inside, 1) > 0)
        atomic_store(&store->crowded, true);
    nanosleep(&pause, NULL);
    atomic_fetch_sub(&store->inside, 1);
}

static enum memberchat_outcome serial_probe(void *handle, int64_t deadline,
                                            struct memberchat_result *result)
{
    struct serial_store *store = handle;

    (void)deadline;
    serial_visit(store);
    if (!atomic_load(&store->crowded))
        return MEMBERCHAT_FOUND;
    store->services->reason(result, "two threads were in a store that is for one");
    return MEMBERCHAT_MISCONFIGURED;
}

static enum memberchat_outcome serial_lookup(void *handle, const char *id, size_t id_length,
                                             int64_t deadline, struct memberchat_result *result)
{
    enum memberchat_outcome outcome = serial_probe(handle, deadline, result);

    if (outcome == MEMBERCHAT_FOUND)
        ((struct serial_store *)handle)->services->set(result, MEMBERCHAT_ID, id, id_length);
    return outcome;
}

static void serial_reload(void *handle, bool asked)
{
    (void)asked;
    serial_visit(handle);
}

static const struct memberchat_store_plugin serial_plugin = {
    .abi = MEMBERCHAT_STORE_ABI,
    .size = sizeof(struct memberchat_store_plugin),
    .name = "serial",
    .version = "1",
    .summary = "a store for one thread at a time, for tests",
    .open = serial_open,
    .lookup = serial_lookup,
    .reload = serial_reload,
    .probe = serial_probe,
    .close = free,
};

const struct memberchat_store_plugin *memberchat_store_plugin(void)
{
    return &serial_plugin;
}
