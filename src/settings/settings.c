/* SPDX-License-Identifier: MIT */
#include "settings_private.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h> /* memory that runs out while a configuration is read ends the process */

struct app_index {
    UT_hash_handle hh;                 /* in settings->by_key */
    UT_hash_handle by_id;              /* in settings->by_id */
    uint8_t key_digest[SHA256_LENGTH]; /* of the API key: says nothing about its bytes */
    const struct app *app;
};

/* ---- Opening and closing ---- */

static bool open_store(struct settings_store *entry, const struct settings *previous, bool once,
                       struct config_report *report)
{
    struct store_report verdict;
    for (size_t i = 0; previous && i < previous->store_count; i++)
        if (strcmp(previous->stores[i].name, entry->name) == 0 &&
            strcmp(previous->stores[i].fingerprint, entry->fingerprint) == 0) {
            entry->directory = directory_hold(previous->stores[i].directory);
            return true;
        }
    if (once)
        store_open_later(entry->store);
    if (!once && !store_open(entry->store, &verdict)) {
        bytes_addf(&report->text, "store %s: %s\n", entry->name, verdict.reason);
        report->errors++;
        return false;
    }
    entry->directory =
        directory_new(entry->store, entry->cached ? &entry->cache : NULL, &entry->breaker);
    entry->store = NULL;
    return entry->directory != NULL;
}

bool settings_open(struct settings *settings, const struct settings *previous, bool once,
                   struct config_report *report)
{
    bool good = true;
    for (size_t i = 0; i < settings->store_count; i++)
        good = open_store(&settings->stores[i], previous, once, report) && good;
    for (size_t i = 0; i < settings->app_count; i++) {
        struct app *app = &settings->apps[i];
        app->directories =
            arena_alloc(&settings->arena, (app->store_count + 1) * sizeof *app->directories);
        for (size_t s = 0; s < app->store_count; s++)
            app->directories[s] = app->stores[s]->directory;
    }
    return good;
}

void settings_free(struct settings *settings)
{
    if (!settings)
        return;
    for (size_t i = 0; i < settings->store_count; i++) {
        store_close(settings->stores[i].store);
        directory_release(settings->stores[i].directory);
    }
    for (size_t i = 0; i < settings->app_count; i++)
        settings_free_app(&settings->apps[i]);
    if (settings->jwks) {
        bytes_free(&settings->jwks->text);
        bytes_free(&settings->jwks->etag);
    }
    config_close(settings->source);
    HASH_CLEAR(hh, settings->by_key);
    HASH_CLEAR(by_id, settings->by_id);
    arena_free(&settings->arena);
    free(settings);
}

/* ---- Finding ---- */

const struct app *settings_index_app(struct settings *settings, const struct app *app)
{
    struct app_index *entry = arena_alloc(&settings->arena, sizeof *entry), *other = NULL;
    struct span api_key = span_of(app->config.api_key);
    entry->app = app;
    crypto_sha256(api_key, entry->key_digest);
    HASH_FIND(by_id, settings->by_id, app->id, strlen(app->id), other);
    if (!other)
        HASH_FIND(hh, settings->by_key, entry->key_digest, SHA256_LENGTH, other);
    if (other)
        return other->app;
    HASH_ADD_KEYPTR(by_id, settings->by_id, app->id, strlen(app->id), entry);
    HASH_ADD(hh, settings->by_key, key_digest, SHA256_LENGTH, entry);
    return NULL;
}

const struct app *settings_find_app(const struct settings *settings, struct span api_key)
{
    uint8_t digest[SHA256_LENGTH];
    struct app_index *entry;
    crypto_sha256(api_key, digest);
    HASH_FIND(hh, settings->by_key, digest, sizeof digest, entry);
    return entry ? entry->app : NULL;
}

const struct app *settings_find_app_id(const struct settings *settings, const char *id)
{
    struct app_index *entry;
    HASH_FIND(by_id, settings->by_id, id, strlen(id), entry);
    return entry ? entry->app : NULL;
}

struct settings_store *settings_find_store(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->store_count; i++)
        if (strcmp(settings->stores[i].name, name) == 0)
            return &settings->stores[i];
    return NULL;
}
