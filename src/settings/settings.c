/* SPDX-License-Identifier: MIT */
#include "settings_private.h"

#include <stdlib.h>
#include <string.h>

/* ---- Opening and closing ---- */

/* The directory of `previous` that the same group has made, or NULL. */
static struct directory *find_same(const struct settings_store *entry,
                                   const struct settings *previous)
{
    for (size_t i = 0; previous && i < previous->store_count; i++)
        if (strcmp(previous->stores[i].name, entry->name) == 0 &&
            strcmp(previous->stores[i].fingerprint, entry->fingerprint) == 0 &&
            store_wants_same(directory_store(previous->stores[i].directory), entry->store))
            return previous->stores[i].directory;
    return NULL;
}

static bool open_store(struct settings_store *entry, const struct settings *previous, bool once,
                       struct config_report *report)
{
    struct store_report verdict;
    struct directory *same = find_same(entry, previous);
    if (same) {
        entry->directory = directory_hold(same);
        return true;
    }
    if (!store_open(entry->store, once ? MEMBERCHAT_OPEN_ONCE : 0, &verdict)) {
        config_tell_file(report, CONFIG_ERROR, entry->place, "%s", verdict.reason);
        return false;
    }
    entry->directory =
        directory_new(entry->store, entry->cached ? &entry->cache : NULL, &entry->breaker);
    entry->store = NULL;
    if (!entry->directory)
        config_report_no_memory(report);
    return entry->directory != NULL;
}

/* The stores of an app learn which attributes its claims name. */
static void want_attributes(const struct app *app, struct config_report *report)
{
    size_t index = 0;
    struct span name;
    bool good = true;
    while (app->profile.claims && (name = claims_next_attribute(app->profile.claims, &index)).data)
        for (size_t i = 0; i < app->store_count; i++)
            good = (!app->stores[i]->store || store_want(app->stores[i]->store, name)) && good;
    if (!good)
        config_report_no_memory(report);
}

/* Once the stores of an app are open. */
static void take_directories(struct settings *settings, struct app *app,
                             struct config_report *report)
{
    app->directories =
        arena_alloc(&settings->arena, (app->store_count + 1) * sizeof *app->directories);
    for (size_t i = 0; app->directories && i < app->store_count; i++)
        app->directories[i] = app->stores[i]->directory;
    if (!app->directories)
        config_report_no_memory(report);
}

bool settings_open(struct settings *settings, const struct settings *previous, bool once,
                   struct config_report *report)
{
    unsigned errors = report->errors;
    for (size_t i = 0; i < settings->app_count; i++)
        want_attributes(&settings->apps[i], report);
    for (size_t i = 0; i < settings->store_count; i++)
        open_store(&settings->stores[i], previous, once, report);
    for (size_t i = 0; i < settings->app_count; i++)
        take_directories(settings, &settings->apps[i], report);
    return report->errors == errors;
}

bool settings_open_app(struct settings *settings, const struct app *app,
                       struct config_report *report)
{
    unsigned errors = report->errors;
    want_attributes(app, report);
    for (size_t i = 0; i < app->store_count; i++)
        if (!app->stores[i]->directory)
            open_store(app->stores[i], NULL, true, report);
    take_directories(settings, &settings->apps[app - settings->apps], report);
    return report->errors == errors;
}

void settings_free(struct settings *settings)
{
    if (!settings)
        return;
    for (size_t i = 0; i < settings->store_count; i++) {
        store_close(settings->stores[i].store);
        directory_release(settings->stores[i].directory);
    }
    for (size_t i = 0; i < settings->app_count; i++) {
        key_ring_free(&settings->apps[i].keys);
        key_ring_free(&settings->apps[i].access_keys);
        denied_free(settings->apps[i].denied);
    }
    bytes_free(&settings->jwks.text);
    bytes_free(&settings->jwks.etag);
    arena_free(&settings->arena);
    free(settings);
}

/* ---- Finding ---- */

static int compare_key(const void *digest, const void *entry)
{
    return memcmp(digest, ((const struct app_index *)entry)->digest, SHA256_LENGTH);
}

const struct app *settings_find_app(const struct settings *settings, struct span api_key)
{
    uint8_t digest[SHA256_LENGTH];
    crypto_sha256(api_key, digest);
    const struct app_index *entry = settings->app_count
                                        ? bsearch(digest, settings->by_key, settings->app_count,
                                                  sizeof *settings->by_key, compare_key)
                                        : NULL;
    return entry ? entry->app : NULL;
}

static int compare_id(const void *id, const void *entry)
{
    return strcmp(id, (*(const struct app *const *)entry)->id);
}

const struct app *settings_find_app_id(const struct settings *settings, const char *id)
{
    const struct app **entry =
        settings->app_count
            ? bsearch(id, settings->by_id, settings->app_count, sizeof *settings->by_id, compare_id)
            : NULL;
    return entry ? *entry : NULL;
}

struct settings_store *settings_find_store(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->store_count; i++)
        if (strcmp(settings->stores[i].name, name) == 0)
            return &settings->stores[i];
    return NULL;
}

/* Compares with all places, whatever the first ones say. */
bool settings_secret_matches(const struct app *app, struct span secret)
{
    static const uint8_t nobody[APP_SECRETS_MAX][SHA256_LENGTH];
    const uint8_t(*known)[SHA256_LENGTH] = app ? app->secrets : nobody;
    size_t count = app ? app->secret_count : 0;
    uint8_t digest[SHA256_LENGTH];
    bool match = false;
    crypto_sha256(secret, digest);
    for (size_t i = 0; i < APP_SECRETS_MAX; i++) {
        bool equal = crypto_equal(digest, known[i], SHA256_LENGTH);
        match = (equal && i < count) || match;
    }
    explicit_bzero(digest, sizeof digest);
    return match;
}
