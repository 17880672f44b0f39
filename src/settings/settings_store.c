/* SPDX-License-Identifier: MIT */
#include "settings_private.h"

#include "members/plugin.h"

#include "base/file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct store_values {
    const char *plugin;
};

#define HOUR 3600000LL
#define DAY  (24 * HOUR)

static const struct memberchat_key store_keys[] = {
    {MEMBERCHAT_KEY(struct store_values, plugin, "plugin", STRING, NULL, 1, 64,
                    "the store plugin to use, such as \"file\""),
     .flags = MEMBERCHAT_KEY_REQUIRED},
    {.name = "cache", .type = CONFIG_GROUP, .help = "what is remembered of the store's answers"},
    {.name = "breaker", .type = CONFIG_GROUP, .help = "when a store that is down is left alone"},
    {.name = "member", .type = CONFIG_GROUP, .help = "what is made of a member that it knows"},
};

static const struct memberchat_key cache_keys[] = {
    {MEMBERCHAT_KEY(struct cache_settings, size, "size", INTEGER, "100000", 0, 100000000,
                    "members kept; 0 switches the cache off")},
    {MEMBERCHAT_KEY(struct cache_settings, ttl_ms, "ttl", DURATION, "60s", 1, DAY,
                    "how long a member counts as known")},
    {MEMBERCHAT_KEY(struct cache_settings, negative_ttl_ms, "negative_ttl", DURATION, "5s", 0, DAY,
                    "how long an id counts as known not to be there")},
    {MEMBERCHAT_KEY(struct cache_settings, stale_ms, "stale", DURATION, "5m", 0, 30 * DAY,
                    "how long beyond ttl a known member is served while the store is unavailable")},
};

static const struct memberchat_key breaker_keys[] = {
    {MEMBERCHAT_KEY(struct breaker_settings, failures, "failures", INTEGER, "5", 0, 1000000,
                    "failed look-ups in a row until the store is left alone; 0: never")},
    {MEMBERCHAT_KEY(struct breaker_settings, open_ms, "open", DURATION, "1s", 1, HOUR,
                    "how long it is left alone the first time; twice as long each further time")},
    {MEMBERCHAT_KEY(struct breaker_settings, max_open_ms, "max_open", DURATION, "30s", 1, HOUR,
                    "how long it is left alone at most")},
};

const struct settings_table settings_store_tables[] = {
    {"stores.NAME", store_keys, CONFIG_COUNT(store_keys)},
    {"stores.NAME.cache", cache_keys, CONFIG_COUNT(cache_keys)},
    {"stores.NAME.breaker", breaker_keys, CONFIG_COUNT(breaker_keys)},
};

/* The values of a group: those of the core and those of the plugin. */
static void *read_values(const struct loading *loading, const struct config_node *group,
                         const struct memberchat_store_plugin *plugin, struct arena *arena)
{
    struct store_values values = {0};
    void *own = arena_alloc(arena, plugin->settings_size + 1);
    const struct config_table tables[] = {
        CONFIG_TABLE(store_keys, &values),
        {plugin->keys, plugin->key_count, own},
    };
    if (own)
        config_fill(group, tables, 2, arena, loading->report);
    return own;
}

/* Anyone who can change the plugin, or put another one in its place, controls the program. */
static void check_plugin_mode(const struct loading *loading, const struct config_node *group,
                              const char *name)
{
    char path[PATH_MAX];
    struct stat st;
    int length = snprintf(path, sizeof path, "%s/store_%s.so", loading->plugin_folder, name);
    if (length < 0 || (size_t)length >= sizeof path)
        return;
    if (stat(path, &st) == 0 && file_mode_refused(st.st_mode))
        config_warning(loading->report, group, "plugin",
                       "any user of this machine can write to %s (mode %04o): chmod o-w it", path,
                       st.st_mode & 07777u);
    settings_check_folder(loading, group, "plugin", path);
}

static const struct memberchat_store_plugin *load_plugin(const struct loading *loading,
                                                         const struct config_node *group)
{
    const struct config_node *node = config_child(group, "plugin");
    struct reason why;
    if (!node || config_kind(node) != CONFIG_KIND_STRING) {
        config_error(loading->report, group, "plugin", "%s: %s",
                     node ? "expected a string in quotes" : "is missing", store_keys[0].help);
        return NULL;
    }
    const struct memberchat_store_plugin *plugin =
        plugin_load(loading->plugin_folder, config_string(node), &why);
    if (!plugin)
        config_error(loading->report, group, "plugin", "%s", why.text);
    else if (!plugin_is_builtin(config_string(node)))
        check_plugin_mode(loading, group, config_string(node));
    return plugin;
}

/* The key with which a plugin's reason begins, as in "uri: ..."; NULL: it names none. */
static const char *find_key(const struct memberchat_store_plugin *plugin, const char *reason)
{
    struct span name = {reason, strcspn(reason, ":")};
    for (uint32_t i = 0; i < plugin->key_count; i++)
        if (span_equal(name, span_of(plugin->keys[i].name)) &&
            strncmp(reason + name.length, ": ", 2) == 0)
            return plugin->keys[i].name;
    return NULL;
}

/* By the plugin's own judgement of settings that were read without a mistake. */
static void check_store(const struct loading *loading, const struct config_node *group,
                        const struct memberchat_store_plugin *plugin, struct store *store)
{
    struct store_report verdict;
    if (store_check(store, &verdict))
        return;
    const char *key = find_key(plugin, verdict.reason);
    const char *reason = verdict.reason + (key ? strlen(key) + 2 : 0);
    config_error(loading->report, group, key, "%s",
                 *reason ? reason : "the plugin refuses these settings");
}

/* The plugin's settings go to the store, which may outlive these settings. */
static struct store *make_store(const struct loading *loading, const struct config_node *group)
{
    const struct memberchat_store_plugin *plugin = load_plugin(loading, group);
    struct arena arena = {0};
    unsigned errors = loading->report->errors;
    if (!plugin)
        return NULL;
    const char *name = arena_string(&arena, span_of(config_name(group)));
    void *own = read_values(loading, group, plugin, &arena);
    const struct config_node *member = config_child(group, "member");
    const struct mapping *mapping =
        config_is_group(member) ? settings_read_member(member, &arena, loading->report) : NULL;
    struct store *store = NULL;
    if (arena.failed)
        arena_free(&arena);
    else
        store = store_new(name, plugin, own, mapping, &arena);
    if (!store)
        config_report_no_memory(loading->report);
    else if (loading->report->errors == errors)
        check_store(loading, group, plugin, store);
    return store;
}

/* ---- A group of `stores` ---- */

/* The settings of a group in the store's, or those where it is not there. */
static void read_part(const struct loading *loading, const struct config_node *store,
                      const char *name, const struct config_table *table)
{
    const struct config_node *group = config_child(store, name);
    config_fill(config_is_group(group) ? group : NULL, table, 1, &loading->settings->arena,
                loading->report);
}

struct settings_store *settings_read_store(const struct loading *loading,
                                           const struct config_node *group)
{
    struct settings *settings = loading->settings;
    struct settings_store *store = &settings->stores[settings->store_count];
    const struct config_table cache = CONFIG_TABLE(cache_keys, &store->cache);
    const struct config_table breaker = CONFIG_TABLE(breaker_keys, &store->breaker);

    store->name = arena_string(&settings->arena, span_of(config_name(group)));
    store->place = arena_format(&settings->arena, "%s:%u: stores.%s", config_file(group),
                                config_line(group), config_name(group));
    if (!store->place)
        return NULL;
    settings->store_count++;
    read_part(loading, group, "cache", &cache);
    unsigned errors = loading->report->errors;
    read_part(loading, group, "breaker", &breaker);
    if (loading->report->errors == errors && store->breaker.max_open_ms < store->breaker.open_ms)
        config_error(loading->report, config_child(group, "breaker"), "max_open",
                     "is less than \"open\"");
    store->store = make_store(loading, group);
    if (loading->once)
        return store;
    store->fingerprint = config_fingerprint(group, &settings->arena);
    store->cached = store->store && (config_child(group, "cache") || !store_is_local(store->store));
    return store;
}
