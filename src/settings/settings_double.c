/* SPDX-License-Identifier: MIT
 * What two apps must not have in common, and the order in which apps are found. */
#include "settings_private.h"

#include <stdlib.h>
#include <string.h>

static int compare_digests(const void *a, const void *b)
{
    const struct app_index *one = a, *other = b;
    int order = memcmp(one->digest, other->digest, SHA256_LENGTH);
    return order ? order : (one->app > other->app) - (one->app < other->app);
}

static int compare_ids(const void *a, const void *b)
{
    const struct app *one = *(const struct app *const *)a;
    const struct app *other = *(const struct app *const *)b;
    int order = strcmp(one->id, other->id);
    return order ? order : (one > other) - (one < other);
}

static const struct config_node *group_of(const struct loading *loading, const struct app *app)
{
    return loading->app_groups[app - loading->settings->apps];
}

static bool same_digest(const struct app_index *a, const struct app_index *b)
{
    return memcmp(a->digest, b->digest, SHA256_LENGTH) == 0;
}

static void report_double(const struct loading *loading, const struct app *app,
                          const struct app *first, const char *key)
{
    config_error(loading->report, group_of(loading, app), key, "is also that of the app \"%s\"",
                 first->id);
}

/* Sorts the apps by API key and by id; both must be there and unique. */
void settings_index_apps(const struct loading *loading)
{
    struct settings *settings = loading->settings;
    size_t count = settings->app_count, keys = 0;
    settings->by_key = arena_alloc(&settings->arena, (count + 1) * sizeof *settings->by_key);
    settings->by_id = arena_alloc(&settings->arena, (count + 1) * sizeof *settings->by_id);
    if (settings->arena.failed)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct app *app = &settings->apps[i];
        settings->by_id[i] = app;
        settings->by_key[keys].app = app;
        if (app->settings.api_key)
            crypto_sha256(span_of(app->settings.api_key), settings->by_key[keys++].digest);
    }
    qsort(settings->by_key, keys, sizeof *settings->by_key, compare_digests);
    qsort(settings->by_id, count, sizeof *settings->by_id, compare_ids);
    for (size_t i = 1; i < keys; i++)
        if (same_digest(&settings->by_key[i - 1], &settings->by_key[i]))
            report_double(loading, settings->by_key[i].app, settings->by_key[i - 1].app, "api_key");
    for (size_t i = 1; i < count; i++)
        if (strcmp(settings->by_id[i - 1]->id, settings->by_id[i]->id) == 0)
            report_double(loading, settings->by_id[i], settings->by_id[i - 1], "app_id");
}

/* ---- What two apps had better not share ---- */

static void add_secrets(const struct app *app, struct app_index *entries, size_t *count)
{
    for (size_t i = 0; i < app->secret_count; i++) {
        entries[*count].app = app;
        memcpy(entries[(*count)++].digest, app->secrets[i], SHA256_LENGTH);
    }
}

/* A signing key that the chat server has, too; a public key may be shared. */
static void add_signing_key(const struct app *app, struct app_index *entries, size_t *count)
{
    static const char text[] = "two apps with one key";
    uint8_t signature[KEY_SIGNATURE_MAX];
    const struct key *key = app->profile.key;
    size_t length = key && key->hmac ? key_sign(key, span_of(text), signature) : 0;
    if (!length)
        return;
    entries[*count].app = app;
    crypto_sha256((struct span){(const char *)signature, length}, entries[(*count)++].digest);
}

static void warn_of_same(const struct loading *loading, const char *key, const char *meaning,
                         void (*add)(const struct app *app, struct app_index *entries,
                                     size_t *count))
{
    const struct settings *settings = loading->settings;
    struct arena arena = {0};
    size_t count = 0;
    struct app_index *entries =
        arena_alloc(&arena, (settings->app_count * APP_SECRETS_MAX + 1) * sizeof *entries);
    for (size_t i = 0; entries && i < settings->app_count; i++)
        add(&settings->apps[i], entries, &count);
    if (entries)
        qsort(entries, count, sizeof *entries, compare_digests);
    else
        config_report_no_memory(loading->report);
    for (size_t i = 1; i < count; i++)
        if (same_digest(&entries[i - 1], &entries[i]) && entries[i].app != entries[i - 1].app)
            config_warning(loading->report, group_of(loading, entries[i].app), key,
                           "is also that of the app \"%s\": %s", entries[i - 1].app->id, meaning);
    arena_free(&arena);
}

void settings_warn_of_shared(const struct loading *loading)
{
    warn_of_same(loading, "api_secret", "each can sign in as the other", add_secrets);
    warn_of_same(
        loading, "token.key_file",
        "anyone who has it can make tokens for both, and a chat server may take the tokens "
        "of one for the other's",
        add_signing_key);
}
