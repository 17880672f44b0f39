/* SPDX-License-Identifier: MIT
 * From a group of settings to a struct, by a table of keys.  What a table says
 * about a key (memberchat_store.h) is checked here, for the core and for the
 * plugins alike; every mistake becomes a line of the report. */
#ifndef CONFIG_FILL_H
#define CONFIG_FILL_H

#include "config.h"
#include "memberchat_store.h"

/* Type of core keys that are groups: only their being a group is checked, their
 * owner reads them with a table of their own.  Nothing is written. */
#define CONFIG_GROUP 100u

/* The same for lists of groups: ( { a = 1 }, { a = 2 } ). */
#define CONFIG_GROUPS 101u

/* true, false or a path: const char *, "" for true and NULL for false. */
#define CONFIG_SWITCH 102u

/* One table of keys and the struct that they fill. */
struct config_table {
    const struct memberchat_key *keys;
    size_t count;
    void *settings;
};

#define CONFIG_COUNT(table) (sizeof(table) / sizeof *(table))
#define CONFIG_TABLE(table, out)                                                                   \
    {                                                                                              \
        (table), CONFIG_COUNT(table), (out)                                                        \
    }

/* Fills the structs of all tables from one group, reporting unknown keys, wrong
 * types, values out of range and missing required keys.  `group` NULL: from the
 * defaults alone.  A text with a mistake counts as absent, so that nothing else is said
 * of it.  Strings live in `arena`. */
void config_fill(const struct config_node *group, const struct config_table *tables,
                 size_t table_count, struct arena *arena, struct config_report *report);

/* `path` as seen from the file that holds `node`; from the current folder, if that is NULL. */
const char *config_resolve_path(const struct config_node *node, const char *path,
                                struct arena *arena);

#endif
