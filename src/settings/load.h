/* SPDX-License-Identifier: MIT
 * From the path of a configuration to settings in use: read, check, open, set up
 * the log, tell what is wrong. */
#ifndef LOAD_H
#define LOAD_H

#include "settings.h"

/* The path that -c gave (or NULL), else $MEMBERCHAT_CONF, else the built-in one; the same for the
 * plugins' folder and $MEMBERCHAT_PLUGIN_DIR, where ../lib/memberchat from the program comes last,
 * if the built-in one has no plugins. */
const char *load_config_path(const char *option);
const char *load_plugin_folder(const char *option);

/* Settings to serve with; `previous` (or NULL) shares its stores with them.  NULL: the
 * log, or where there is none yet standard error, has said why. */
struct settings *load_resident(const char *path, const char *plugin_folder,
                               const struct settings *previous);

/* The same for one request, which needs no more than what is chosen. */
struct settings *load_once(const char *path, const char *plugin_folder,
                           const struct settings_choice *choice);

/* What load_resident() does, told in the report, without a change to the log; also whether
 * the log could be written. */
struct settings *load_tried(const char *path, const char *plugin_folder,
                            struct config_report *report);

#endif
