/* SPDX-License-Identifier: MIT
 * Loading store plugins.  A plugin stays loaded until the process ends: what
 * libraries start inside it (resolver threads, TLS) cannot be stopped safely. */
#ifndef PLUGIN_H
#define PLUGIN_H

#include "memberchat_store.h"
#include "base/reason.h"

/* Stores that are linked into the program: they are found before a folder is searched.  The table
 * ends with a NULL name, and is set before anything is loaded. */
struct plugin_builtin {
    const char *name;
    const struct memberchat_store_plugin *(*entry)(void);
};
void plugin_set_builtins(const struct plugin_builtin *table);
bool plugin_is_builtin(const char *name);

/* The plugin store_NAME.so of a folder, loaded now or earlier.  What is newer
 * or shorter than this host is filled up or refused: the result is complete as
 * of MEMBERCHAT_STORE_ABI.  NULL: the reason says why, and what to do. */
const struct memberchat_store_plugin *plugin_load(const char *folder, const char *name,
                                                  struct reason *why);

#endif
