/* SPDX-License-Identifier: MIT */
#include "settings_private.h"

#include "members/plugin.h"

#include <stdio.h>
#include <string.h>

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
static void *read_values(const struct memberchat_store_plugin *plugin,
                         const struct config_node *group, struct arena *arena,
                         struct config_report *report)
{
    struct store_values values = {0};
    void *own = arena_alloc(arena, plugin->settings_size + 1);
    const struct config_table tables[] = {
        CONFIG_TABLE(store_keys, &values),
        {plugin->keys, plugin->key_count, own},
    };
    config_fill(group, tables, 2, arena, report);
    return own;
}

static const struct memberchat_store_plugin *load_plugin(const char *folder,
                                                         const struct config_node *group,
                                                         struct config_report *report)
{
    const struct config_node *node = config_child(group, "plugin");
    struct bytes why = {0};
    if (!node || config_kind(node) != CONFIG_KIND_STRING) {
        config_error(report, group, "plugin", "%s: %s",
                     node ? "expected a string in quotes" : "is missing", store_keys[0].help);
        return NULL;
    }
    const struct memberchat_store_plugin *plugin = plugin_load(folder, config_string(node), &why);
    if (!plugin)
        config_error(report, group, "plugin", "%s", bytes_string(&why));
    bytes_free(&why);
    return plugin;
}

/* By the plugin's own judgement of settings that were read without a mistake. */
static void judge(struct store *store, const struct config_node *group,
                  struct config_report *report)
{
    struct store_report verdict;
    if (!store_check(store, &verdict))
        config_error(report, group, NULL, "%s",
                     verdict.reason[0] ? verdict.reason : "the plugin refuses these settings");
}

/* The plugin's settings go to the store, which may outlive these settings. */
static void make_store(struct settings_store *store, const struct config_node *group,
                       const char *plugin_folder, struct config_report *report)
{
    const struct memberchat_store_plugin *plugin = load_plugin(plugin_folder, group, report);
    struct arena arena = {0};
    unsigned errors = report->errors;
    if (!plugin)
        return;
    const char *name = arena_string(&arena, span_of(store->name));
    void *own = read_values(plugin, group, &arena, report);
    store->store = store_new(name, plugin, own, &arena);
    if (!store->store)
        config_error(report, group, NULL, "out of memory");
    else if (report->errors == errors)
        judge(store->store, group, report);
    store->cached = store->store && (config_child(group, "cache") || !store_is_local(store->store));
}

/* ---- For one request ---- */

struct later {
    struct settings *settings;
    const struct config_node *group;
    const char *plugin_folder;
};

/* The store is about to be asked. */
static bool prepare(struct store *store, void *context, struct store_report *report_r)
{
    const struct later *later = context;
    struct config_report report = {0};
    const struct memberchat_store_plugin *plugin =
        load_plugin(later->plugin_folder, later->group, &report);
    if (plugin) {
        store_set_plugin(store, plugin,
                         read_values(plugin, later->group, &later->settings->arena, &report));
        if (report.errors == 0)
            judge(store, later->group, &report);
    }
    const char *mistake = bytes_string(&report.text);
    *report_r = (struct store_report){0};
    if (report.errors)
        snprintf(report_r->reason, sizeof report_r->reason, "%.*s", (int)strcspn(mistake, "\n"),
                 mistake);
    bool good = report.errors == 0;
    if (!good)
        store_set_plugin(store, NULL, NULL);
    config_report_free(&report);
    return good;
}

static void make_store_later(struct settings *settings, struct settings_store *store,
                             const struct config_node *group, const char *plugin_folder,
                             struct config_report *report)
{
    struct later *later = arena_alloc(&settings->arena, sizeof *later);
    *later = (struct later){settings, group, plugin_folder};
    store->store = store_new_later(store->name, prepare, later);
    if (!store->store)
        config_error(report, group, NULL, "out of memory");
}

/* ---- A group of `stores` ---- */

void settings_read_store(struct settings *settings, struct settings_store *store,
                         const struct config_node *group, const char *plugin_folder, bool once,
                         struct config_report *report)
{
    const struct config_node *cache_group = config_child(group, "cache");
    const struct config_node *breaker_group = config_child(group, "breaker");
    const struct config_table cache = CONFIG_TABLE(cache_keys, &store->cache);
    const struct config_table breaker = CONFIG_TABLE(breaker_keys, &store->breaker);

    store->name = arena_string(&settings->arena, span_of(config_name(group)));
    config_fill(config_is_group(cache_group) ? cache_group : NULL, &cache, 1, &settings->arena,
                report);
    config_fill(config_is_group(breaker_group) ? breaker_group : NULL, &breaker, 1,
                &settings->arena, report);
    if (store->breaker.max_open_ms < store->breaker.open_ms)
        config_error(report, breaker_group, "max_open", "is less than \"open\"");
    if (once) {
        make_store_later(settings, store, group, plugin_folder, report);
        return;
    }
    store->fingerprint = config_fingerprint(group, &settings->arena);
    make_store(store, group, plugin_folder, report);
}
