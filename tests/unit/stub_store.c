/* SPDX-License-Identifier: MIT */
#include "stub_store.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What open() makes: the settings are the stub itself. */
struct handle {
    struct stub *stub;
    const struct memberchat_services *services;
};

static bool check(const void *settings, const struct memberchat_services *services,
                  struct memberchat_result *result)
{
    struct stub *stub = *(struct stub *const *)settings;
    if (atomic_load(&stub->odd))
        return stub->answer(services, result) == MEMBERCHAT_FOUND;
    if (stub->check_fails)
        services->reason(result, "these settings do not fit together");
    return !stub->check_fails;
}

static void *open_stub(const void *settings, const struct memberchat_services *services,
                       uint32_t how, struct memberchat_result *result)
{
    struct handle *handle = malloc(sizeof *handle);
    struct stub *stub = *(struct stub *const *)settings;
    atomic_store(&stub->how, how);
    if (!handle || stub->open_fails) {
        if (!stub->silent)
            services->reason(result, "it does not %s", "open");
        free(handle);
        return NULL;
    }
    atomic_fetch_add(&stub->opens, 1);
    *handle = (struct handle){stub, services};
    return handle;
}

static void enter(struct stub *stub)
{
    int now = atomic_fetch_add(&stub->inside, 1) + 1, most = atomic_load(&stub->most_inside);
    while (now > most && !atomic_compare_exchange_weak(&stub->most_inside, &most, now))
        continue;
}

/* Waits as long as the stub wants, or until the deadline; then it is too late. */
static enum memberchat_outcome take_time(const struct handle *handle, int64_t deadline)
{
    int64_t ms = atomic_load(&handle->stub->delay_ms);
    int64_t left = deadline - handle->services->now(handle->services);
    bool late = ms > left;
    ms = late ? left : ms;
    if (ms > 0)
        pause_ms(ms);
    return late ? MEMBERCHAT_UNAVAILABLE
                : (enum memberchat_outcome)atomic_load(&handle->stub->outcome);
}

static enum memberchat_outcome lookup(void *store, const char *id, size_t id_length,
                                      int64_t deadline, struct memberchat_result *result)
{
    struct handle *handle = store;
    struct stub *stub = handle->stub;
    const struct memberchat_services *services = handle->services;
    atomic_fetch_add(&stub->lookups, 1);
    enter(stub);
    enum memberchat_outcome outcome = take_time(handle, deadline);
    if (atomic_load(&stub->odd)) {
        outcome = stub->answer(services, result);
    } else if (outcome == MEMBERCHAT_FOUND) {
        services->set(result, MEMBERCHAT_ID, id, id_length);
        char name[200] = "Stub";
        if (stub->names_asker)
            snprintf(name, sizeof name, "%s/%s", services->app_id(result),
                     services->request_id(result));
        services->set(result, MEMBERCHAT_NAME, name, strlen(name));
    } else {
        services->reason(result, "as the stub was told");
        services->retry_after(result, atomic_load(&stub->retry_after_ms));
    }
    atomic_fetch_sub(&stub->inside, 1);
    return outcome;
}

static void reload(void *store, bool asked)
{
    struct stub *stub = ((struct handle *)store)->stub;
    enter(stub);
    atomic_fetch_add(&stub->reloads, asked ? 100 : 1);
    atomic_fetch_sub(&stub->inside, 1);
}

static enum memberchat_outcome probe(void *store, int64_t deadline,
                                     struct memberchat_result *result)
{
    struct handle *handle = store;
    atomic_fetch_add(&handle->stub->probes, 1);
    enter(handle->stub);
    enum memberchat_outcome outcome = take_time(handle, deadline);
    if (outcome != MEMBERCHAT_FOUND)
        handle->services->reason(result, "as the stub was told");
    atomic_fetch_sub(&handle->stub->inside, 1);
    return outcome;
}

static void describe(void *store, struct memberchat_holdings *holdings_r)
{
    struct handle *handle = store;
    if (handle->stub->counts)
        *holdings_r =
            (struct memberchat_holdings){.size = sizeof *holdings_r, .counted = true, .members = 7};
}

static void close_stub(void *store)
{
    atomic_fetch_add(&((struct handle *)store)->stub->closes, 1);
    free(store);
}

static bool per_app(const void *settings)
{
    return (*(struct stub *const *)settings)->per_app;
}

static struct store *make(struct stub *stub, bool bare)
{
    struct arena arena = {0};
    struct memberchat_store_plugin *plugin = arena_alloc(&arena, sizeof *plugin);
    struct stub **settings = arena_alloc(&arena, sizeof *settings);
    *settings = stub;
    *plugin = (struct memberchat_store_plugin){
        .abi = MEMBERCHAT_STORE_ABI,
        .size = sizeof *plugin,
        .name = "stub",
        .version = "1",
        .summary = "for tests",
        .flags = stub->flags,
        .settings_size = sizeof(struct stub *),
        .check = bare ? NULL : check,
        .open = open_stub,
        .lookup = lookup,
        .reload = bare ? NULL : reload,
        .probe = bare ? NULL : probe,
        .close = close_stub,
        .per_app = bare ? NULL : per_app,
        .describe = bare ? NULL : describe,
    };
    struct store *store = store_new("stubs", plugin, settings, NULL, &arena);
    assert_non_null(store);
    return store;
}

struct store *stub_store(struct stub *stub)
{
    return make(stub, false);
}

struct store *stub_store_bare(struct stub *stub)
{
    return make(stub, true);
}
