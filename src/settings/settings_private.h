/* SPDX-License-Identifier: MIT
 * The parts of settings_load.c that have files of their own. */
#ifndef SETTINGS_PRIVATE_H
#define SETTINGS_PRIVATE_H

#include "config_fill.h"
#include "settings.h"

/* Fill one entry from one group of `stores` or `apps`.  Names of stores are
 * looked up in settings->stores, which are read first.  `once`: what belongs to the
 * store's plugin is read when the store is first asked, and what belongs to the app's
 * tokens by settings_finish_app(). */
void settings_read_store(struct settings *settings, struct settings_store *store,
                         const struct config_node *group, const char *plugin_folder, bool once,
                         struct config_report *report);
void settings_read_app(struct settings *settings, struct app *app, const struct config_node *group,
                       const char *plugin_folder, bool once, struct config_report *report);

/* The groups "token" and "access_token" of an app, of which the second may be NULL. */
void settings_read_token(struct settings *settings, struct app *app,
                         const struct config_node *group, const char *plugin_folder,
                         struct config_report *report);
void settings_read_access(struct settings *settings, struct app *app,
                          const struct config_node *group, const char *plugin_folder,
                          struct config_report *report);

/* Frees what an app has beside the arena. */
void settings_free_app(struct app *app);

/* Makes the set of public keys, once all apps are read; `apps` is their group. */
void settings_make_jwks(const struct settings *settings, const struct config_node *apps,
                        struct config_report *report);

/* Every table of keys of the core with the name of its group, for the test that
 * holds tables, manual and sample configuration against each other. */
struct settings_table {
    const char *group; /* "", "log", "stores.NAME", ... */
    const struct memberchat_key *keys;
    size_t count;
};
extern const struct settings_table settings_tables[3], settings_store_tables[3],
    settings_app_tables[1], settings_token_tables[2];

#endif
