/* SPDX-License-Identifier: MIT */
#include "origin.h"
#include "settings_private.h"

#include "config_value.h"

#include "base/text.h"

#include <string.h>

#define API_KEY_MAX   256
#define URL_MAX_BYTES 2048
#define PREFIX_MAX    32

static const struct memberchat_key app_keys[] = {
    {MEMBERCHAT_KEY(struct app_settings, api_key, "api_key", STRING, NULL, 1, API_KEY_MAX,
                    "what the application server signs in with"),
     .flags = MEMBERCHAT_KEY_REQUIRED},
    {MEMBERCHAT_KEY(struct app_settings, chat_server_url, "chat_server_url", STRING, NULL, 1,
                    URL_MAX_BYTES, "the WebSocket URL of the chat server, handed to the client"),
     .flags = MEMBERCHAT_KEY_REQUIRED},
    {MEMBERCHAT_KEY(struct app_settings, guests, "guests", BOOL, "true", 0, 0,
                    "whether guests get tokens")},
    {MEMBERCHAT_KEY(struct app_settings, guest_id_prefix, "guest_id_prefix", STRING, NULL, 0,
                    PREFIX_MAX, "stands before every guest's id, so that it is never a member's")},
    {MEMBERCHAT_KEY(struct app_settings, cors_origins, "cors_origins", LIST, NULL, 0, 1000,
                    "origins of pages that may call the API from the browser; \"*\" for any")},
    {MEMBERCHAT_KEY(struct app_settings, denied_file, "denied_file", PATH, NULL, 0, 0,
                    "a list of ids that get no token, members and guests, an id a line")},
    {MEMBERCHAT_KEY(struct app_settings, tokens_not_before, "tokens_not_before", STRING, NULL, 1,
                    64, "a time; tokens issued before it are refused as accessToken")},
    {MEMBERCHAT_KEY(struct app_settings, extended_response, "extended_response", BOOL, "false", 0,
                    0, "whether answers also carry expiresAt and expiresIn")},
    {MEMBERCHAT_KEY(struct app_settings, app_id, "app_id", STRING, NULL, 1, 128,
                    "the appId, where it is not the name of the group")},
    {MEMBERCHAT_KEY(struct app_settings, digests, "api_secret_sha256", LIST, NULL, 1,
                    APP_SECRETS_MAX,
                    "SHA-256 of the API secret, in hexadecimal; two while it is "
                    "being changed"),
     .flags = MEMBERCHAT_KEY_SECRET},
    {MEMBERCHAT_KEY(struct app_settings, secrets, "api_secret", LIST, NULL, 1, APP_SECRETS_MAX,
                    "the API secret itself; two while it is being changed"),
     .flags = MEMBERCHAT_KEY_SECRET},
    {MEMBERCHAT_KEY(struct app_settings, secret_file, "api_secret_file", PATH, NULL, 0, 0,
                    "a file with the API secret; a second line while it is being changed")},
    {MEMBERCHAT_KEY(struct app_settings, stores, "store", LIST, NULL, 1, 16,
                    "the store of this app's members, or several that are asked in order"),
     .flags = MEMBERCHAT_KEY_REQUIRED},
    {.name = "token",
     .type = CONFIG_GROUP,
     .flags = MEMBERCHAT_KEY_REQUIRED,
     .help = "what the tokens are like; it must at least name a key_file"},
    {.name = "access_token", .type = CONFIG_GROUP, .help = "JWTs of others that name a guest"},
};

const struct settings_table settings_app_tables[] = {
    {"apps.NAME", app_keys, CONFIG_COUNT(app_keys)},
};

/* ---- Texts ---- */

static bool has_prefix(const char *text, const char *const *prefixes)
{
    for (size_t i = 0; prefixes[i]; i++)
        if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0 &&
            text[strlen(prefixes[i])] != '\0')
            return true;
    return false;
}

static bool is_prefix(const char *text)
{
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
           strlen(text);
}

static void check_texts(const struct loading *loading, const struct app *app,
                        const struct config_node *group)
{
    struct config_report *report = loading->report;
    static const char *const schemes[] = {"wss://", "ws://", "https://", "http://", NULL};
    const struct app_settings *settings = &app->settings;
    if (settings->api_key &&
        (strchr(settings->api_key, ':') || !text_is_plain(span_of(settings->api_key))))
        config_error(
            report, group, "api_key",
            "must be UTF-8 without a colon and control characters: it is sent as a user name");
    if (settings->chat_server_url && !text_is_plain(span_of(settings->chat_server_url)))
        config_error(report, group, "chat_server_url", "must be UTF-8 without control characters");
    else if (settings->chat_server_url && !has_prefix(settings->chat_server_url, schemes))
        config_error(report, group, "chat_server_url",
                     "\"%s\" must begin with wss://, ws://, https:// or http://",
                     settings->chat_server_url);
    if (settings->guest_id_prefix && !is_prefix(settings->guest_id_prefix))
        config_error(report, group, "guest_id_prefix",
                     "must be made of the characters A-Z, a-z, 0-9, _ and -");
    if (!text_is_plain(span_of(app->id)))
        config_error(report, group, "app_id", "must be UTF-8 without control characters");
    for (size_t i = 0; i < settings->cors_origins.count; i++)
        if (strcmp(settings->cors_origins.items[i], "*") != 0 &&
            !origin_is_exact(settings->cors_origins.items[i]))
            config_error(report, group, "cors_origins",
                         "\"%s\" is not an origin: write it as the browser sends it, in lower "
                         "case, without a path or a default port, IPv6 addresses compressed: "
                         "\"https://www.example.com\"",
                         settings->cors_origins.items[i]);
}

/* ---- Stores ---- */

/* The store with this name, read now where the app's own stores are wanted; NULL: there is
 * none, which is reported, here or where the stores are read, or it is not wanted. */
static struct settings_store *find_store(const struct loading *loading,
                                         const struct config_node *group, const char *name)
{
    const struct config_node *stores = config_child(loading->root, "stores");
    const struct config_node *node = config_child(stores, name);
    struct settings_store *store = settings_find_store(loading->settings, name);
    if (store)
        return store;
    if (config_is_group(node) && !loading_wants(loading, SETTINGS_STORES))
        return loading_wants(loading, SETTINGS_APP_STORES) ? settings_read_store(loading, node)
                                                           : NULL;
    bool told = loading_wants(loading, SETTINGS_STORES) &&
                (node || !config_is_group(stores) || !config_count(stores));
    if (loading->settings->arena.failed || told)
        return NULL;
    struct value_match match = value_match_start(name);
    for (node = config_is_group(stores) ? config_first(stores) : NULL; node;
         node = config_next(node))
        value_match_try(&match, config_name(node));
    config_error(loading->report, group, "store",
                 "there is no store \"%s\" in the group stores%s%s%s", name,
                 VALUE_MATCH_HINT(&match));
    return NULL;
}

static void find_stores(const struct loading *loading, struct app *app,
                        const struct config_node *group)
{
    const struct memberchat_list *names = &app->settings.stores;
    app->stores = arena_alloc(&loading->settings->arena, (names->count + 1) * sizeof *app->stores);
    for (size_t i = 0; app->stores && i < names->count; i++) {
        struct settings_store *store = find_store(loading, group, names->items[i]);
        if (!store)
            continue;
        app->stores[app->store_count++] = store;
        if (store->store)
            store_note_app(store->store, app->id);
    }
}

/* ---- A group of `apps` ---- */

static void read_tokens(const struct loading *loading, struct app *app,
                        const struct config_node *group)
{
    const struct config_node *token = config_child(group, "token");
    const struct config_node *access = config_child(group, "access_token");
    if (config_is_group(token))
        settings_read_token(loading, app, token);
    if (config_is_group(access))
        settings_read_access(loading, app, access);
}

/* Whether the rest of the app is wanted.  A caller without the secret does not learn from
 * the time it takes whether the key was right. */
static bool is_let_in(const struct loading *loading, const struct app *app)
{
    const struct settings_choice *choice = loading->choice;
    return !loading_wants(loading, SETTINGS_ONE_APP) ||
           (app->settings.api_key && span_equal(span_of(app->settings.api_key), choice->api_key) &&
            settings_secret_matches(app, choice->api_secret));
}

void settings_read_app(const struct loading *loading, const struct config_node *group)
{
    struct settings *settings = loading->settings;
    struct app *app = &settings->apps[settings->app_count];
    const struct config_table table = CONFIG_TABLE(app_keys, &app->settings);
    config_fill(group, &table, 1, &settings->arena, loading->report);
    app->id = app->settings.app_id ? app->settings.app_id
                                   : arena_string(&settings->arena, span_of(config_name(group)));
    if (settings->arena.failed)
        return;
    settings->app_count++;
    settings_read_secrets(loading, app, group);
    check_texts(loading, app, group);
    if (!is_let_in(loading, app))
        return;
    find_stores(loading, app, group);
    if (!loading_wants(loading, SETTINGS_KEYS))
        return;
    read_tokens(loading, app, group);
    settings_read_moderation(loading, app, group);
}
