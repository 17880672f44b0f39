/* SPDX-License-Identifier: MIT
 * The top of the configuration, and the way through its groups. */
#include "settings_private.h"

#include "base/file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD_ADVISED 16 /* characters of status.password_file */

static const struct memberchat_key top_keys[] = {
    {MEMBERCHAT_KEY(struct top_settings, threads, "threads", INTEGER, "8", 1, 256,
                    "look-ups of one process that may wait for a network at once")},
    {MEMBERCHAT_KEY(struct top_settings, request_timeout_ms, "request_timeout", DURATION, "3s", 10,
                    60000,
                    "upper bound for all store look-ups of one request; 2s as CGI where not set")},
    {MEMBERCHAT_KEY(struct top_settings, body_limit, "body_limit", SIZE, "16k", 1024, 16 << 20,
                    "the largest request body")},
    {MEMBERCHAT_KEY(struct top_settings, trusted_proxies, "trusted_proxies", LIST, NULL, 0, 1000,
                    "addresses and networks whose X-Forwarded-For is believed")},
    {MEMBERCHAT_KEY(struct top_settings, sandbox, "sandbox", BOOL, "true", 0, 0,
                    "whether the responder forbids itself what it does not need")},
    {.name = "log", .type = CONFIG_GROUP, .help = "where the log goes and what is in it"},
    {.name = "status", .type = CONFIG_GROUP, .help = "who may see /metrics and /status"},
    {.name = "limits", .type = CONFIG_GROUP, .help = "how much is too much"},
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
    {.name = "access",
     .fallback = "false",
     .help = "whether each request writes a line; or the path of a file that has these lines",
     .offset = offsetof(struct log_settings, access),
     .type = CONFIG_SWITCH},
    {MEMBERCHAT_KEY(struct log_settings, ids, "ids", CHOICE, "plain", 0, 0,
                    "how the ids of members and guests stand in the log"),
     .choices = "plain hashed off"},
    {MEMBERCHAT_KEY(struct log_settings, target, "target", STRING, "stderr", 1, 4096,
                    "stderr, syslog, or the path of a file")},
};

static const struct memberchat_key status_keys[] = {
    {MEMBERCHAT_KEY(struct status_settings, allow, "allow", LIST, NULL, 0, 1000,
                    "addresses and networks that may see them")},
    {MEMBERCHAT_KEY(struct status_settings, password_file, "password_file", PATH, NULL, 0, 0,
                    "a file with the password that lets others see them, too")},
    {MEMBERCHAT_KEY(struct status_settings, file, "file", PATH, NULL, 0, 0,
                    "the file in which all processes count")},
    {MEMBERCHAT_KEY(struct status_settings, show_ids, "show_ids", BOOL, "false", 0, 0,
                    "whether the newest refusals show the ids of members")},
};

static const struct memberchat_key limit_keys[] = {
    {MEMBERCHAT_KEY(
        struct limit_settings, failures, "failures", INTEGER, "10", 0, 1000,
        "wrong credentials after which a client, or an API key, is held off; 0: never")},
    {MEMBERCHAT_KEY(struct limit_settings, failure_window_ms, "failure_window", DURATION, "1m",
                    1000, 3600000, "the time in which they are counted")},
    {MEMBERCHAT_KEY(struct limit_settings, tokens_per_minute, "tokens_per_minute", INTEGER, "0", 0,
                    1000000, "tokens that are issued in a minute; 0: any number")},
    {MEMBERCHAT_KEY(struct limit_settings, per, "per", CHOICE, "address", 0, 0,
                    "whether each client of an app has that limit, or each app"),
     .choices = "address app"},
};

const struct settings_table settings_tables[] = {
    {"", top_keys, CONFIG_COUNT(top_keys)},
    {"log", log_keys, CONFIG_COUNT(log_keys)},
    {"status", status_keys, CONFIG_COUNT(status_keys)},
    {"limits", limit_keys, CONFIG_COUNT(limit_keys)},
};

/* ---- The top ---- */

static struct network *read_nets(const struct loading *loading, const struct config_node *group,
                                 const char *key, const struct memberchat_list *texts)
{
    struct network *nets =
        arena_alloc(&loading->settings->arena, (texts->count + 1) * sizeof *nets);
    for (size_t i = 0; nets && i < texts->count; i++)
        if (!network_parse(texts->items[i], &nets[i]))
            config_error(loading->report, group, key,
                         "\"%s\" is not an address or network, such as \"127.0.0.1\" or "
                         "\"2001:db8::/32\"",
                         texts->items[i]);
    return nets;
}

/* The group of the root with this name, or NULL. */
static const struct config_node *root_group(const struct loading *loading, const char *name)
{
    const struct config_node *group = config_child(loading->root, name);
    return config_is_group(group) ? group : NULL;
}

/* "FILE:LINE: GROUP.KEY" */
static const char *place_of(const struct loading *loading, const char *name, const char *key)
{
    const struct config_node *group = root_group(loading, name);
    const struct config_node *node = group ? config_child(group, key) : NULL;
    node = node ? node : loading->root;
    return arena_format(&loading->settings->arena, "%s:%u: %s.%s", config_file(node),
                        config_line(node), name, key);
}

static void read_log(const struct loading *loading)
{
    struct settings *settings = loading->settings;
    const struct config_node *group = root_group(loading, "log");
    const struct config_table table = CONFIG_TABLE(log_keys, &settings->log);
    config_fill(group, &table, 1, &settings->arena, loading->report);
    const char *target = settings->log.target;
    if (target && strcmp(target, "stderr") != 0 && strcmp(target, "syslog") != 0)
        settings->log.target = config_resolve_path(group, target, &settings->arena);
    settings->log.place = place_of(loading, "log", "target");
    settings->log.access_place = place_of(loading, "log", "access");
}

/* Whether it holds a password now; it is read again for each page. */
static void check_password_file(const struct loading *loading, const struct config_node *group)
{
    const char *path = loading->settings->status.password_file;
    struct bytes file = {0};
    struct reason why;
    bool exposed = false;
    if (!path || loading->once)
        return;
    if (!file_read_secret(path, 4096, &file, &exposed, &why))
        config_error(loading->report, group, "password_file", "%s", why.text);
    else if (!file.length || file.data[0] == '\n' || file.data[0] == '\r')
        config_error(loading->report, group, "password_file",
                     "%s has no password in its first line", path);
    else if (strcspn(bytes_string(&file), "\r\n") < PASSWORD_ADVISED)
        config_warning(loading->report, group, "password_file",
                       "the password in %s can be guessed: nobody is held off who guesses right, "
                       "so it should have %d characters or more (openssl rand -hex 16)",
                       path, PASSWORD_ADVISED);
    if (exposed)
        config_warning(loading->report, group, "password_file",
                       "any user of this machine can read %s: chmod o-rwx it", path);
    settings_check_folder(loading, group, "password_file", path);
    bytes_free(&file);
}

static void read_status(const struct loading *loading)
{
    struct settings *settings = loading->settings;
    const struct config_node *group = root_group(loading, "status");
    const struct config_table table = CONFIG_TABLE(status_keys, &settings->status);
    if (!group)
        return;
    config_fill(group, &table, 1, &settings->arena, loading->report);
    settings->status_allow = read_nets(loading, group, "allow", &settings->status.allow);
    check_password_file(loading, group);
    settings->status.place = place_of(loading, "status", "file");
}

static void read_limits(const struct loading *loading)
{
    const struct config_table table = CONFIG_TABLE(limit_keys, &loading->settings->limits);
    config_fill(root_group(loading, "limits"), &table, 1, &loading->settings->arena,
                loading->report);
}

static void read_top(const struct loading *loading)
{
    struct settings *settings = loading->settings;
    const char *base_path = getenv("MEMBERCHAT_BASE_PATH");
    const struct config_table top = CONFIG_TABLE(top_keys, &settings->top);
    config_fill(loading->root, &top, 1, &settings->arena, loading->report);
    settings->request_timeout_set = config_child(loading->root, "request_timeout") != NULL;
    settings->trusted_proxies =
        read_nets(loading, loading->root, "trusted_proxies", &settings->top.trusted_proxies);
    settings->trusted_proxy_count = settings->top.trusted_proxies.count;
    if (base_path)
        settings->base_path = span_of(arena_string(&settings->arena, span_of(base_path)));
    read_log(loading);
    read_status(loading);
    read_limits(loading);
}

/* ---- Stores and apps ---- */

/* The groups of a group, of which there must be one at least. */
static unsigned count_groups(const struct loading *loading, const char *name)
{
    const struct config_node *group = root_group(loading, name);
    unsigned count = group ? config_count(group) : 0;
    if (!group)
        return 0;
    if (count == 0)
        config_error(loading->report, loading->root, name, "is empty: it needs at least one group");
    for (const struct config_node *child = config_first(group); child; child = config_next(child))
        if (!config_is_group(child)) {
            config_error(loading->report, child, NULL, "expected a group in braces");
            count = 0;
        }
    return count;
}

/* Whether an app signs in with the key that the choice names. */
static bool is_chosen(const struct loading *loading, const struct config_node *group)
{
    const struct config_node *key = config_child(group, "api_key");
    if (loading_wants(loading, SETTINGS_APPS))
        return true;
    struct span asked = loading->choice->api_key;
    struct span own = span_of(key ? config_string(key) : NULL);
    return own.data && own.length == asked.length && crypto_equal(own.data, asked.data, own.length);
}

static void read_stores_and_apps(struct loading *loading)
{
    struct settings *settings = loading->settings;
    unsigned stores = count_groups(loading, "stores");
    unsigned apps = count_groups(loading, "apps");
    settings->stores = arena_alloc(&settings->arena, (stores + 1) * sizeof *settings->stores);
    settings->apps = arena_alloc(&settings->arena, (apps + 1) * sizeof *settings->apps);
    loading->app_groups = arena_alloc(&settings->arena, (apps + 1) * sizeof *loading->app_groups);
    if (settings->arena.failed)
        return;
    const struct config_node *group = NULL;
    if (stores && loading_wants(loading, SETTINGS_STORES))
        group = config_first(root_group(loading, "stores"));
    for (; group; group = config_next(group))
        settings_read_store(loading, group);
    if (apps && loading_wants(loading, SETTINGS_APPS | SETTINGS_ONE_APP))
        group = config_first(root_group(loading, "apps"));
    for (; group; group = config_next(group))
        if (is_chosen(loading, group)) {
            loading->app_groups[settings->app_count] = group;
            settings_read_app(loading, group);
        }
}

/* ---- Names ---- */

/* The first of the groups of a group, with the number of them in *count_r. */
static const struct config_node *first_of(const struct loading *loading, const char *name,
                                          size_t *count_r)
{
    const struct config_node *group = root_group(loading, name);
    *count_r = group ? config_count(group) : 0;
    return group ? config_first(group) : NULL;
}

/* NULL: there is none. */
static const char *text_of(const struct config_node *group, const char *key)
{
    const struct config_node *value = config_child(group, key);
    return value ? config_string(value) : NULL;
}

static void read_names(struct loading *loading)
{
    struct settings *settings = loading->settings;
    struct arena *arena = &settings->arena;
    size_t stores, apps;
    const struct config_node *store = first_of(loading, "stores", &stores);
    const struct config_node *app = first_of(loading, "apps", &apps);
    settings->stores = arena_alloc(arena, (stores + 1) * sizeof *settings->stores);
    settings->apps = arena_alloc(arena, (apps + 1) * sizeof *settings->apps);
    loading->app_groups = arena_alloc(arena, (apps + 1) * sizeof *loading->app_groups);
    if (arena->failed)
        return;
    for (; store; store = config_next(store))
        settings->stores[settings->store_count++].name =
            arena_string(arena, span_of(config_name(store)));
    for (; app; app = config_next(app)) {
        struct app *entry = &settings->apps[settings->app_count];
        const char *id = text_of(app, "app_id"), *denied = text_of(app, "denied_file");
        loading->app_groups[settings->app_count++] = app;
        entry->id = arena_string(arena, span_of(id ? id : config_name(app)));
        if (denied)
            entry->settings.denied_file = config_resolve_path(app, denied, arena);
    }
    if (!arena->failed)
        settings_index_apps(loading);
}

/* Takes the first line that is no warning. */
static void take_mistake(struct span line, void *context)
{
    struct settings *settings = context;
    struct span place, text;
    if (!settings->mistake && !config_line_is_warning(line, &place, &text))
        settings->mistake = arena_string(&settings->arena, line);
}

struct settings *settings_read_names(const char *path, struct config_report *mistakes)
{
    struct config_report known = {0}; /* they are in `mistakes` */
    struct config *config = config_open_part(path, &known);
    struct settings *settings = config ? calloc(1, sizeof *settings) : NULL;
    if (settings) {
        struct loading loading = {
            .settings = settings, .root = config_root(config), .once = true, .report = &known};
        read_status(&loading);
        read_names(&loading);
        config_report_each(mistakes, take_mistake, settings);
    }
    config_close(config);
    config_report_free(&known);
    if (settings && !settings->arena.failed)
        return settings;
    settings_free(settings);
    return NULL;
}

/* ---- The file ---- */

static void read_all(struct loading *loading)
{
    read_top(loading);
    read_stores_and_apps(loading);
    if (loading->settings->arena.failed)
        return;
    settings_index_apps(loading);
    if (loading_wants(loading, SETTINGS_APPS) && !loading_wants(loading, SETTINGS_ONE_APP) &&
        loading_wants(loading, SETTINGS_KEYS))
        settings_make_jwks(loading);
    if (!loading->once)
        settings_warn_of_shared(loading);
}

struct settings *settings_read(const char *path, const char *plugin_folder,
                               const struct settings_choice *choice, struct config_report *report)
{
    static const struct settings_choice all = {.parts =
                                                   SETTINGS_STORES | SETTINGS_APPS | SETTINGS_KEYS};
    struct config *config = config_open(path, report);
    struct settings *settings = config ? calloc(1, sizeof *settings) : NULL;
    if (settings) {
        char folder[PATH_MAX] = "";
        struct loading loading = {.settings = settings,
                                  .root = config_root(config),
                                  .plugin_folder = plugin_folder,
                                  .choice = choice ? choice : &all,
                                  .once = choice != NULL,
                                  .folder = folder,
                                  .report = report};
        read_all(&loading);
    }
    if (config && (!settings || settings->arena.failed || report->text.failed))
        config_report_no_memory(report);
    config_close(config);
    if (report->errors) {
        settings_free(settings);
        return NULL;
    }
    return settings;
}
