/* SPDX-License-Identifier: MIT
 * The top of the configuration, and the way through its groups. */
#include "settings_private.h"

#include <stdlib.h>
#include <string.h>

static const struct memberchat_key top_keys[] = {
    {MEMBERCHAT_KEY(struct top_settings, threads, "threads", INTEGER, "8", 1, 256,
                    "requests that one process handles at once")},
    {MEMBERCHAT_KEY(struct top_settings, request_timeout_ms, "request_timeout", DURATION, "3s", 10,
                    60000,
                    "upper bound for all store look-ups of one request; 2s as CGI where not set")},
    {MEMBERCHAT_KEY(struct top_settings, body_limit, "body_limit", SIZE, "16k", 1024, 16 << 20,
                    "the largest request body")},
    {MEMBERCHAT_KEY(struct top_settings, trusted_proxies, "trusted_proxies", LIST, NULL, 0, 1000,
                    "addresses and networks whose X-Forwarded-For is believed")},
    {.name = "log", .type = CONFIG_GROUP, .help = "where the log goes and what is in it"},
    {.name = "status", .type = CONFIG_GROUP, .help = "who may see /metrics and /status"},
    {.name = "stores",
     .type = CONFIG_GROUP,
     .flags = MEMBERCHAT_KEY_REQUIRED,
     .help = "the member stores, a group each"},
    {.name = "apps",
     .type = CONFIG_GROUP,
     .flags = MEMBERCHAT_KEY_REQUIRED,
     .help = "the apps, a group each"},
};

static const struct memberchat_key log_keys[] = {
    {MEMBERCHAT_KEY(struct log_settings, level, "level", CHOICE, "info", 0, 0,
                    "the least important kind of line that is written"),
     .choices = "error warning info debug"},
    {MEMBERCHAT_KEY(struct log_settings, format, "format", CHOICE, "text", 0, 0,
                    "what a line looks like"),
     .choices = "text json"},
    {MEMBERCHAT_KEY(struct log_settings, target, "target", STRING, "stderr", 1, 4096,
                    "stderr, syslog, or the path of a file")},
};

static const struct memberchat_key status_keys[] = {
    {MEMBERCHAT_KEY(struct status_settings, allow, "allow", LIST, NULL, 0, 1000,
                    "addresses and networks that may see them")},
};

const struct settings_table settings_tables[] = {
    {"", top_keys, CONFIG_COUNT(top_keys)},
    {"log", log_keys, CONFIG_COUNT(log_keys)},
    {"status", status_keys, CONFIG_COUNT(status_keys)},
};

/* ---- Reading ---- */

static struct network *read_nets(struct settings *settings, const struct memberchat_list *texts,
                                 const struct config_node *group, const char *key,
                                 struct config_report *report)
{
    struct network *nets = arena_alloc(&settings->arena, (texts->count + 1) * sizeof *nets);
    for (size_t i = 0; i < texts->count; i++)
        if (!network_parse(texts->items[i], &nets[i]))
            config_error(report, group, key,
                         "\"%s\" is no address or network, such as \"127.0.0.1\" or "
                         "\"2001:db8::/32\"",
                         texts->items[i]);
    return nets;
}

static void read_log(struct settings *settings, const struct config_node *group,
                     struct config_report *report)
{
    const struct config_table table = CONFIG_TABLE(log_keys, &settings->log);
    config_fill(group, &table, 1, &settings->arena, report);
    const char *target = settings->log.target;
    if (target && strcmp(target, "stderr") != 0 && strcmp(target, "syslog") != 0)
        settings->log.target = config_resolve_path(group, target, &settings->arena);
}

static void read_top(struct settings *settings, const struct config_node *root,
                     struct config_report *report)
{
    const struct config_table top = CONFIG_TABLE(top_keys, &settings->top);
    const struct config_table status = CONFIG_TABLE(status_keys, &settings->status);
    const struct config_node *log_group = config_child(root, "log");
    const struct config_node *status_group = config_child(root, "status");
    config_fill(root, &top, 1, &settings->arena, report);
    settings->request_timeout_set = config_child(root, "request_timeout") != NULL;
    settings->trusted_proxies =
        read_nets(settings, &settings->top.trusted_proxies, root, "trusted_proxies", report);
    settings->trusted_proxy_count = settings->top.trusted_proxies.count;
    read_log(settings, config_is_group(log_group) ? log_group : NULL, report);
    if (config_is_group(status_group)) {
        config_fill(status_group, &status, 1, &settings->arena, report);
        read_nets(settings, &settings->status.allow, status_group, "allow", report);
        config_warning(report, status_group, NULL,
                       "has no effect yet: this version has no /metrics and no /status");
    }
}

/* The groups of a group, of which there must be one at least. */
static unsigned count_groups(const struct config_node *root, const char *name,
                             struct config_report *report)
{
    const struct config_node *group = config_child(root, name);
    unsigned count = config_is_group(group) ? config_count(group) : 0;
    if (!config_is_group(group))
        return 0;
    if (count == 0)
        config_error(report, root, name, "is empty");
    for (const struct config_node *child = config_first(group); child; child = config_next(child))
        if (!config_is_group(child)) {
            config_error(report, child, NULL, "expected a group in braces");
            count = 0;
        }
    return count;
}

/* Two apps must not be taken for one another. */
static void index_app(struct settings *settings, const struct app *app,
                      const struct config_node *group, struct config_report *report)
{
    const struct app *other = app->config.api_key ? settings_index_app(settings, app) : NULL;
    if (!other)
        return;
    bool same_id = strcmp(other->id, app->id) == 0;
    config_error(report, group, same_id ? "app_id" : "api_key", "is also that of the app \"%s\"",
                 other->id);
}

static void read_all(struct settings *settings, const struct config_node *root,
                     const char *plugin_folder, bool once, struct config_report *report)
{
    unsigned stores = count_groups(root, "stores", report);
    unsigned apps = count_groups(root, "apps", report);
    const struct config_node *stores_group = config_child(root, "stores");
    const struct config_node *apps_group = config_child(root, "apps");
    read_top(settings, root, report);
    settings->stores = arena_alloc(&settings->arena, (stores + 1) * sizeof *settings->stores);
    settings->apps = arena_alloc(&settings->arena, (apps + 1) * sizeof *settings->apps);
    const struct config_node *group = stores ? config_first(stores_group) : NULL;
    for (; group; group = config_next(group))
        settings_read_store(settings, &settings->stores[settings->store_count++], group,
                            plugin_folder, once, report);
    for (group = apps ? config_first(apps_group) : NULL; group; group = config_next(group)) {
        struct app *app = &settings->apps[settings->app_count++];
        settings_read_app(settings, app, group, plugin_folder, once, report);
        index_app(settings, app, group, report);
    }
    settings->jwks = arena_alloc(&settings->arena, sizeof *settings->jwks);
    if (!once)
        settings_make_jwks(settings, apps_group, report);
}

static void read_environment(struct settings *settings)
{
    const char *base_path = getenv("MEMBERCHAT_BASE_PATH");
    if (base_path)
        settings->base_path = span_of(arena_string(&settings->arena, span_of(base_path)));
}

/* Settings that hold on to the file's tree. */
static struct settings *load(const char *path, const char *plugin_folder, bool once,
                             struct config_report *report)
{
    struct config *config = config_open(path, report);
    struct settings *settings = config ? calloc(1, sizeof *settings) : NULL;
    if (!settings) {
        config_close(config);
        return NULL;
    }
    settings->source = config;
    read_environment(settings);
    read_all(settings, config_root(config), plugin_folder, once, report);
    if (report->errors) {
        settings_free(settings);
        return NULL;
    }
    return settings;
}

struct settings *settings_load(const char *path, const char *plugin_folder,
                               struct config_report *report)
{
    struct settings *settings = load(path, plugin_folder, false, report);
    if (settings) {
        config_close(settings->source);
        settings->source = NULL;
    }
    return settings;
}

struct settings *settings_load_once(const char *path, const char *plugin_folder,
                                    struct config_report *report)
{
    return load(path, plugin_folder, true, report);
}
