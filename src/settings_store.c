/* SPDX-License-Identifier: MIT */
#include "settings_parts.h"

#include "plugin.h"

#include <string.h>

struct store_values {
    const char *plugin;
};

#define HOUR 3600000LL
#define DAY  (24 * HOUR)

static const struct memberchat_key store_keys[] = {
    CONFIG_KEY(struct store_values, plugin, "plugin", MEMBERCHAT_STRING, MEMBERCHAT_KEY_REQUIRED,
               NULL, 1, 64, "the store plugin to use, such as \"file\""),
    {.name = "cache", .type = CONFIG_GROUP, .help = "what is remembered of the store's answers"},
    {.name = "breaker", .type = CONFIG_GROUP, .help = "when a store that is down is left alone"},
};

static const struct memberchat_key cache_keys[] = {
    CONFIG_KEY(struct cache_settings, size, "size", MEMBERCHAT_INTEGER, 0, "100000", 0, 100000000,
               "members kept; 0 switches the cache off"),
    CONFIG_KEY(struct cache_settings, ttl_ms, "ttl", MEMBERCHAT_DURATION, 0, "60s", 1, DAY,
               "how long a member counts as known"),
    CONFIG_KEY(struct cache_settings, negative_ttl_ms, "negative_ttl", MEMBERCHAT_DURATION, 0, "5s",
               0, DAY, "how long an id counts as known not to be there"),
    CONFIG_KEY(struct cache_settings, stale_ms, "stale", MEMBERCHAT_DURATION, 0, "5m", 0, 30 * DAY,
               "how long beyond ttl a known member is served while the store is unavailable"),
};

static const struct memberchat_key breaker_keys[] = {
    CONFIG_KEY(struct breaker_settings, failures, "failures", MEMBERCHAT_INTEGER, 0, "5", 0,
               1000000, "failed look-ups in a row until the store is left alone; 0: never"),
    CONFIG_KEY(struct breaker_settings, open_ms, "open", MEMBERCHAT_DURATION, 0, "1s", 1, HOUR,
               "how long it is left alone the first time; twice as long each further time"),
    CONFIG_KEY(struct breaker_settings, max_open_ms, "max_open", MEMBERCHAT_DURATION, 0, "30s", 1,
               HOUR, "how long it is left alone at most"),
};

const struct settings_table settings_store_tables[] = {
    {"stores.NAME", store_keys, CONFIG_COUNT(store_keys)},
    {"stores.NAME.cache", cache_keys, CONFIG_COUNT(cache_keys)},
    {"stores.NAME.breaker", breaker_keys, CONFIG_COUNT(breaker_keys)},
};

/* The plugin's own keys, and then its own judgement of them.  They go to the
 * store, which may outlive these settings. */
static void read_plugin_keys(struct settings_store *store,
                             const struct memberchat_store_plugin *plugin,
                             const struct config_node *group, struct config_report *report)
{
    struct store_values values = {0};
    struct arena arena = {0};
    void *own = arena_alloc(&arena, plugin->settings_size + 1);
    const char *name = arena_string(&arena, span_of(store->name));
    unsigned errors = report->errors;
    const struct config_table tables[] = {
        CONFIG_TABLE(store_keys, &values),
        {plugin->keys, plugin->key_count, own},
    };
    config_fill(group, tables, 2, &arena, report);
    store->store = store_new(name, plugin, own, &arena);
    if (!store->store) {
        config_error(report, group, NULL, "out of memory");
        return;
    }
    struct store_report verdict;
    if (report->errors == errors && !store_check(store->store, &verdict))
        config_error(report, group, NULL, "%s",
                     verdict.reason[0] ? verdict.reason : "the plugin refuses these settings");
}

void settings_read_store(struct settings *settings, struct settings_store *store,
                         const struct config_node *group, const char *plugin_folder,
                         struct config_report *report)
{
    const struct config_node *cache_group = config_child(group, "cache");
    const struct config_node *breaker_group = config_child(group, "breaker");
    const struct config_node *plugin_node = config_child(group, "plugin");
    const struct config_table cache = CONFIG_TABLE(cache_keys, &store->cache);
    const struct config_table breaker = CONFIG_TABLE(breaker_keys, &store->breaker);
    struct strbuf why = {0};

    store->name = arena_string(&settings->arena, span_of(config_name(group)));
    store->fingerprint = config_fingerprint(group, &settings->arena);
    config_fill(config_is_group(cache_group) ? cache_group : NULL, &cache, 1, &settings->arena,
                report);
    config_fill(config_is_group(breaker_group) ? breaker_group : NULL, &breaker, 1,
                &settings->arena, report);
    if (store->breaker.max_open_ms < store->breaker.open_ms)
        config_error(report, breaker_group, "max_open", "is less than \"open\"");

    if (!plugin_node || config_kind(plugin_node) != CONFIG_KIND_STRING) {
        config_error(report, group, "plugin", "%s: %s",
                     plugin_node ? "expected a string in quotes" : "is missing",
                     store_keys[0].help);
        return;
    }
    const struct memberchat_store_plugin *plugin =
        plugin_load(plugin_folder, config_string(plugin_node), &why);
    if (plugin) {
        read_plugin_keys(store, plugin, group, report);
        store->cached = store->store && (cache_group || !store_is_local(store->store));
    } else {
        config_error(report, group, "plugin", "%s", strbuf_string(&why));
    }
    strbuf_free(&why);
}
