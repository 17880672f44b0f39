/* SPDX-License-Identifier: MIT */
#include "plugin.h"

#include "host/module.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const plugin_host_keys[] = {"plugin", "cache", "breaker", NULL};

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

static const struct memberchat_store_plugin *find_builtin(const char *name)
{
    for (const struct plugin_builtin *row = builtins; row && row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row->entry();
    return NULL;
}

static bool good_name(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

/* "file, ldap": what store_*.so there are, for the message that one is not. */
static void add_names_in(struct bytes *out, const char *folder)
{
    DIR *dir = opendir(folder);
    size_t before = out->length;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        size_t length = strlen(entry->d_name);
        if (length > 9 && memcmp(entry->d_name, "store_", 6) == 0 &&
            strcmp(entry->d_name + length - 3, ".so") == 0)
            bytes_addf(out, "%s%.*s", out->length > before ? ", " : "", (int)length - 9,
                       entry->d_name + 6);
    }
    if (dir)
        closedir(dir);
    if (out->length == before)
        bytes_add_string(out, "none");
}

static bool is_host_key(const char *name)
{
    for (size_t i = 0; plugin_host_keys[i]; i++)
        if (strcmp(plugin_host_keys[i], name) == 0)
            return true;
    return false;
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

/* What is wrong with a plugin, false when nothing is. */
static bool find_fault(const struct memberchat_store_plugin *plugin, const char *name,
                       struct bytes *why_r)
{
    size_t needed = offsetof(struct memberchat_store_plugin, close) + sizeof plugin->close;
    if (!plugin)
        bytes_add_string(why_r, "memberchat_store_plugin() returned nothing");
    else if (plugin->abi != MEMBERCHAT_STORE_ABI)
        bytes_addf(why_r,
                   "it speaks version %u of the plugin interface, this memberchat version %u: "
                   "rebuild the one or the other",
                   plugin->abi, MEMBERCHAT_STORE_ABI);
    else if (plugin->size < needed)
        bytes_addf(why_r, "its plugin struct has %u bytes, at least %zu are needed", plugin->size,
                   needed);
    else if (!plugin->name || strcmp(plugin->name, name) != 0)
        bytes_addf(why_r, "it calls itself \"%s\", not \"%s\"", plugin->name ? plugin->name : "",
                   name);
    else if (!plugin->version || !plugin->summary || !plugin->open || !plugin->lookup ||
             !plugin->close || (plugin->key_count && !plugin->keys))
        bytes_add_string(why_r, "it lacks version, summary, keys, open, lookup or close");
    else
        for (uint32_t i = 0; i < plugin->key_count; i++) {
            const char *fault = key_fault(plugin, i);
            if (!fault)
                continue;
            bytes_addf(why_r, "its key \"%s\" %s", plugin->keys[i].name ? plugin->keys[i].name : "",
                       fault);
            return true;
        }
    return why_r->length > 0;
}

/* Loads and checks; the caller holds the lock. */
static const struct memberchat_store_plugin *load_path(const char *path, const char *name,
                                                       struct bytes *why_r)
{
    struct reason why;
    module_entry entry = module_find(path, "memberchat_store_plugin", &why);
    const struct memberchat_store_plugin *found = entry ? entry() : NULL;
    if (!entry)
        bytes_add_string(why_r, why.text);
    if (!entry || find_fault(found, name, why_r))
        return NULL;
    struct loaded *loaded = calloc(1, sizeof *loaded + strlen(path) + 1);
    if (!loaded) {
        bytes_add_string(why_r, "out of memory");
        return NULL;
    }
    strcpy(loaded->path, path);
    size_t known = found->size < sizeof loaded->plugin ? found->size : sizeof loaded->plugin;
    memcpy(&loaded->plugin, found, known);
    loaded->next = list;
    list = loaded;
    return &loaded->plugin;
}

const struct memberchat_store_plugin *plugin_load(const char *folder, const char *name,
                                                  struct bytes *why_r)
{
    const struct memberchat_store_plugin *plugin = find_builtin(name);
    struct bytes path = {0}, fault = {0};
    if (plugin)
        return plugin;
    bytes_addf(&path, "%s/store_%s.so", folder, name);
    if (!good_name(name)) {
        bytes_addf(why_r, "\"%s\" is no name of a store plugin", name);
    } else if (access(bytes_string(&path), F_OK) != 0) {
        bytes_addf(why_r, "there is no store plugin \"%s\" in this installation (in %s: ", name,
                   folder);
        add_names_in(why_r, folder);
        bytes_add_string(why_r, ")");
    } else {
        pthread_mutex_lock(&lock);
        for (struct loaded *known = list; known && !plugin; known = known->next)
            if (strcmp(known->path, bytes_string(&path)) == 0)
                plugin = &known->plugin;
        if (!plugin)
            plugin = load_path(bytes_string(&path), name, &fault);
        pthread_mutex_unlock(&lock);
        if (!plugin)
            bytes_addf(why_r, "%s cannot be used: %s", bytes_string(&path), bytes_string(&fault));
    }
    bytes_free(&path);
    bytes_free(&fault);
    return plugin;
}
