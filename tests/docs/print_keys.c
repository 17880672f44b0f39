/* SPDX-License-Identifier: MIT
 * Prints every key of every table, one a line:
 *   PAGE <tab> GROUP <tab> KEY <tab> TYPE <tab> FLAGS <tab> DEFAULT <tab> CHOICES <tab> HELP
 * with "-" where there is none.  PAGE is the manual page that must have it.
 * Arguments: the folder of plugins, and the names of those to load. */
#include "members/plugin.h"
#include "settings/settings_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *type_name(uint32_t type)
{
    static const char *const names[] = {
        [MEMBERCHAT_STRING] = "string",     [MEMBERCHAT_PATH] = "path",
        [MEMBERCHAT_BOOL] = "boolean",      [MEMBERCHAT_INTEGER] = "integer",
        [MEMBERCHAT_DURATION] = "duration", [MEMBERCHAT_SIZE] = "size",
        [MEMBERCHAT_CHOICE] = "choice",     [MEMBERCHAT_LIST] = "list",
        [MEMBERCHAT_MAP] = "map",
    };
    if (type == CONFIG_GROUPS)
        return "list";
    if (type == CONFIG_SWITCH)
        return "switch";
    return type == CONFIG_GROUP ? "group" : names[type];
}

static const char *or_dash(const char *text)
{
    return text && *text ? text : "-";
}

static void print_table(const char *page, const char *group, const struct memberchat_key *keys,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct memberchat_key *key = &keys[i];
        printf("%s\t%s\t%s\t%s\t%s%s\t%s\t%s\t%s\n", page, or_dash(group), key->name,
               type_name(key->type), key->flags & MEMBERCHAT_KEY_REQUIRED ? "required" : "optional",
               key->flags & MEMBERCHAT_KEY_SECRET ? ",secret" : "", or_dash(key->fallback),
               or_dash(key->choices), or_dash(key->help));
    }
}

static void print_core(const struct settings_table *tables, size_t count)
{
    for (size_t i = 0; i < count; i++)
        print_table("memberchat.conf", tables[i].group, tables[i].keys, tables[i].count);
}

int main(int argc, char **argv)
{
    print_core(settings_tables, CONFIG_COUNT(settings_tables));
    print_core(settings_store_tables, CONFIG_COUNT(settings_store_tables));
    print_core(settings_member_tables, CONFIG_COUNT(settings_member_tables));
    print_core(settings_app_tables, CONFIG_COUNT(settings_app_tables));
    print_core(settings_token_tables, CONFIG_COUNT(settings_token_tables));
    for (int i = 2; i < argc; i++) {
        struct reason why;
        const struct memberchat_store_plugin *plugin = plugin_load(argv[1], argv[i], &why);
        if (!plugin) {
            fprintf(stderr, "%s\n", why.text);
            return EXIT_FAILURE;
        }
        bool sql = strstr("mysql pgsql sqlite", argv[i]);
        char page[128];
        snprintf(page, sizeof page, "memberchat-store-%s", sql ? "sql" : argv[i]);
        print_table(page, "stores.NAME", plugin->keys, plugin->key_count);
    }
    return EXIT_SUCCESS;
}
