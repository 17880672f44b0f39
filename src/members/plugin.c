/* SPDX-License-Identifier: MIT */
#include "plugin.h"

#include "base/bytes.h"
#include "host/module.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_LENGTH_MAX = 64 };

struct loaded {
    struct loaded *next;
    struct memberchat_store_plugin plugin;
    char path[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the list */
static struct loaded *list;

static const struct plugin_builtin *builtins; /* or NULL */

void plugin_set_builtins(const struct plugin_builtin *table)
{
    builtins = table;
}

static const struct plugin_builtin *find_builtin(const char *name)
{
    for (const struct plugin_builtin *row = builtins; row && row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

bool plugin_is_builtin(const char *name)
{
    return find_builtin(name) != NULL;
}

static bool is_good_name(const char *name)
{
    return *name && strlen(name) <= NAME_LENGTH_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

/* "file, ldap": what store_*.so there are, for the message that one is not. */
static void list_names(const char *folder, char *out, size_t size)
{
    DIR *dir = opendir(folder);
    size_t length = 0;
    snprintf(out, size, "none");
    for (struct dirent *entry; dir && length < size && (entry = readdir(dir));) {
        size_t name_length = strlen(entry->d_name);
        if (name_length > 9 && memcmp(entry->d_name, "store_", 6) == 0 &&
            strcmp(entry->d_name + name_length - 3, ".so") == 0)
            length += (size_t)snprintf(out + length, size - length, "%s%.*s", length ? ", " : "",
                                       (int)name_length - 9, entry->d_name + 6);
    }
    if (dir)
        closedir(dir);
}

/* Of those that every store has beside its plugin's. */
static bool is_host_key(const char *name)
{
    static const char *const keys[] = {"plugin", "cache", "breaker", "member", NULL};
    return span_is_one_of(span_of(name), keys);
}

static const char *key_fault(const struct memberchat_store_plugin *plugin, size_t index)
{
    static const size_t sizes[] = {
        [MEMBERCHAT_STRING] = sizeof(const char *),
        [MEMBERCHAT_PATH] = sizeof(const char *),
        [MEMBERCHAT_BOOL] = sizeof(bool),
        [MEMBERCHAT_INTEGER] = sizeof(int64_t),
        [MEMBERCHAT_DURATION] = sizeof(int64_t),
        [MEMBERCHAT_SIZE] = sizeof(int64_t),
        [MEMBERCHAT_CHOICE] = sizeof(int64_t),
        [MEMBERCHAT_LIST] = sizeof(struct memberchat_list),
        [MEMBERCHAT_MAP] = sizeof(struct memberchat_map),
    };
    const struct memberchat_key *key = &plugin->keys[index];
    if (!key->name || !key->help)
        return "has no name or no help line";
    if (is_host_key(key->name))
        return "has a name that belongs to memberchat";
    if (key->type < MEMBERCHAT_STRING || key->type > MEMBERCHAT_MAP)
        return "has a type that does not exist";
    if (key->offset > plugin->settings_size ||
        plugin->settings_size - key->offset < sizes[key->type])
        return "lies outside of the settings";
    if (key->type == MEMBERCHAT_CHOICE && !key->choices)
        return "is a choice without choices";
    for (size_t i = 0; i < index; i++)
        if (strcmp(plugin->keys[i].name, key->name) == 0)
            return "is there twice";
    return NULL;
}

static bool keys_are_good(const struct memberchat_store_plugin *plugin, struct reason *why)
{
    for (uint32_t i = 0; i < plugin->key_count; i++) {
        const char *name = plugin->keys[i].name, *fault = key_fault(plugin, i);
        if (fault) {
            reason_set(why, "its key \"%s\" %s", name ? name : "", fault);
            return false;
        }
    }
    return true;
}

/* Whether a plugin can be used; if not, the reason is set. */
static bool is_usable(const struct memberchat_store_plugin *plugin, const char *name,
                      struct reason *why)
{
    size_t needed = offsetof(struct memberchat_store_plugin, close) + sizeof plugin->close;
    if (!plugin)
        reason_set(why, "memberchat_store_plugin() returned nothing");
    else if (plugin->abi != MEMBERCHAT_STORE_ABI)
        reason_set(why,
                   "it speaks version %u of the plugin interface, this memberchat version %u: "
                   "rebuild one of them",
                   plugin->abi, MEMBERCHAT_STORE_ABI);
    else if (plugin->size < needed)
        reason_set(why, "its plugin struct has %u bytes, at least %zu are needed", plugin->size,
                   needed);
    else if (!plugin->name || strcmp(plugin->name, name) != 0)
        reason_set(why, "it calls itself \"%s\", not \"%s\"", plugin->name ? plugin->name : "",
                   name);
    else if (!plugin->version || !plugin->summary || !plugin->open || !plugin->lookup ||
             !plugin->close || (plugin->key_count && !plugin->keys))
        reason_set(why, "it lacks version, summary, keys, open, lookup or close");
    else
        return keys_are_good(plugin, why);
    return false;
}

/* Loads and checks; the caller holds the lock. */
static const struct memberchat_store_plugin *load_path(const char *path, const char *name,
                                                       struct reason *why)
{
    module_entry entry = module_find(path, "memberchat_store_plugin", why);
    const struct memberchat_store_plugin *found = entry ? entry() : NULL;
    if (!entry || !is_usable(found, name, why))
        return NULL;
    struct loaded *loaded = calloc(1, sizeof *loaded + strlen(path) + 1);
    if (!loaded) {
        reason_set(why, "out of memory");
        return NULL;
    }
    strcpy(loaded->path, path);
    size_t known = found->size < sizeof loaded->plugin ? found->size : sizeof loaded->plugin;
    memcpy(&loaded->plugin, found, known);
    loaded->next = list;
    list = loaded;
    return &loaded->plugin;
}

static const struct memberchat_store_plugin *find_loaded(const char *path)
{
    for (const struct loaded *known = list; known; known = known->next)
        if (strcmp(known->path, path) == 0)
            return &known->plugin;
    return NULL;
}

const struct memberchat_store_plugin *plugin_load(const char *folder, const char *name,
                                                  struct reason *why)
{
    char path[PATH_MAX], names[256];
    struct reason fault;
    const struct memberchat_store_plugin *plugin;
    const struct plugin_builtin *builtin = find_builtin(name);
    if (builtin)
        return builtin->entry();
    if (!is_good_name(name)) {
        reason_set(why,
                   "\"%s\" is not a valid name of a store plugin: use up to %d of a-z, 0-9 and _",
                   name, NAME_LENGTH_MAX);
        return NULL;
    }
    if ((size_t)snprintf(path, sizeof path, "%s/store_%s.so", folder, name) >= sizeof path) {
        reason_set(why, "the path of the plugin folder is too long");
        return NULL;
    }
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        list_names(folder, names, sizeof names);
        reason_set(why,
                   "there is no store plugin \"%s\" in this installation (in %s: %s); -L or "
                   "MEMBERCHAT_PLUGIN_DIR names another folder",
                   name, folder, names);
        return NULL;
    }
    pthread_mutex_lock(&lock);
    plugin = find_loaded(path);
    if (!plugin)
        plugin = load_path(path, name, &fault);
    pthread_mutex_unlock(&lock);
    if (!plugin)
        reason_set(why, "%s cannot be used: %s", path, fault.text);
    return plugin;
}
