/* SPDX-License-Identifier: MIT
 * From the path of a configuration to settings in use: read, check, open, set up
 * the log, tell what is wrong. */
#ifndef LOAD_H
#define LOAD_H

#include "settings.h"

/* The path that -c gave (or NULL), else $MEMBERCHAT_CONF, else the built-in one;
 * the same for the plugins' folder and $MEMBERCHAT_PLUGIN_DIR. */
const char *load_config_path(const char *option);
const char *load_plugin_folder(const char *option);

enum load_how {
    LOAD_RESIDENT, /* stores are opened now */
    LOAD_ONCE      /* each when it is first asked */
};

/* NULL: the log, or where there is none yet standard error, has said why.
 * `previous` (or NULL) shares its stores with the new settings. */
struct settings *load_settings(const char *path, const char *plugin_folder,
                               const struct settings *previous, enum load_how how);

/* What LOAD_ONCE has left for the request that needs it: an app's keys and claims, or
 * those of all apps.  False: the log has said why. */
bool load_app(const struct app *app);
bool load_jwks(const struct settings *settings);

#endif
