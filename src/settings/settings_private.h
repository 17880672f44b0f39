/* SPDX-License-Identifier: MIT
 * What the files that read the configuration, settings_load.c at their top, have in common. */
#ifndef SETTINGS_PRIVATE_H
#define SETTINGS_PRIVATE_H

#include "config_fill.h"
#include "settings.h"

struct app_index {
    uint8_t digest[SHA256_LENGTH]; /* of the API key: says nothing about its bytes */
    const struct app *app;
};

/* One way through a configuration. */
struct loading {
    struct settings *settings;
    const struct config_node *root;
    const char *plugin_folder;
    const struct settings_choice *choice;
    bool once;                             /* for one request */
    const struct config_node **app_groups; /* of settings->apps */
    char *folder;                          /* PATH_MAX bytes: the one that was checked last */
    struct config_report *report;
};

/* Whether any of some parts is to be read. */
static inline bool loading_wants(const struct loading *loading, unsigned parts)
{
    return (loading->choice->parts & parts) != 0;
}

/* Add an entry to settings->stores or settings->apps, which have room for it, from a group
 * of `stores` or `apps`.  The stores that an app names are read first, or with it. */
struct settings_store *settings_read_store(const struct loading *loading,
                                           const struct config_node *group);
void settings_read_app(const struct loading *loading, const struct config_node *group);

/* The groups "token" and "access_token" of an app. */
void settings_read_token(const struct loading *loading, struct app *app,
                         const struct config_node *group);
void settings_read_access(const struct loading *loading, struct app *app,
                          const struct config_node *group);

/* The group `member` of a store; what it needs is in `arena`.  NULL: no memory. */
const struct mapping *settings_read_member(const struct config_node *group, struct arena *arena,
                                           struct config_report *report);

/* The API secrets of an app. */
void settings_read_secrets(const struct loading *loading, struct app *app,
                           const struct config_node *group);

/* Whom an app denies tokens, and which earlier tokens it accepts. */
void settings_read_moderation(const struct loading *loading, struct app *app,
                              const struct config_node *group);

/* Warns of the folder of `path` if any user can put other files there. */
void settings_check_folder(const struct loading *loading, const struct config_node *group,
                           const char *key, const char *path);

/* Once all apps are read: sorts them for those that look for one, and reports what two have
 * in common. */
void settings_index_apps(const struct loading *loading);
void settings_warn_of_shared(const struct loading *loading);

/* Makes the set of public keys, once all apps are read. */
void settings_make_jwks(const struct loading *loading);

/* Every table of keys of the core with the name of its group, for the test that
 * holds tables, manual and sample configuration against each other. */
struct settings_table {
    const char *group; /* "", "log", "stores.NAME", ... */
    const struct memberchat_key *keys;
    size_t count;
};
extern const struct settings_table settings_tables[4], settings_store_tables[3],
    settings_member_tables[1], settings_app_tables[1], settings_token_tables[2];

#endif
