/* SPDX-License-Identifier: MIT
 * Everything that the configuration says, checked and ready for use.  Immutable
 * once open: a reload makes a new one. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "base/arena.h"
#include "token/claims.h"
#include "config.h"
#include "base/crypto.h"
#include "members/directory.h"
#include "token/keys.h"
#include "host/log.h"
#include "base/networks.h"

#define APP_SECRETS_MAX 2

/* A group of `apps`, as it is written. */
struct app_settings {
    const char *api_key;
    const char *chat_server_url;
    const char *app_id;
    bool guests, extended_response;
    struct memberchat_list cors_origins, stores;
    struct memberchat_list secrets, digests; /* wiped once they are in struct app */
    const char *secret_file;
};

struct token_settings {
    int64_t algorithm;
    const char *key_file, *key_id;
    const char *issuer, *audience;
    int64_t ttl_ms, guest_ttl_ms;
    const char *claims; /* path of the template, or NULL */
    struct memberchat_list next_keys, previous_keys;
};

/* JWTs of others that name a guest. */
struct access_settings {
    int64_t algorithm;
    const char *key_file, *issuer;
    const char *audience; /* NULL: any */
};

struct app {
    struct app_settings config;
    struct token_settings token;
    const char *id;
    uint8_t secrets[APP_SECRETS_MAX][SHA256_LENGTH]; /* SHA-256 of each */
    size_t secret_count;
    const struct key *key; /* that signs */
    struct key_ring keys;  /* that one, those before it and those after it */
    const struct claims *claims;
    struct span token_header; /* of every token: the encoded header and its dot */
    struct access_settings access;
    struct key_ring access_keys;    /* empty: none are accepted */
    struct settings_store **stores; /* asked in order */
    struct directory **directories; /* the same, once they are open; borrowed */
    size_t store_count;
    struct app_later *later; /* token, access and what is made of them are to be read; else NULL */
};

/* A group of `stores`. */
struct settings_store {
    const char *name;
    const char *fingerprint; /* equal ones may share a directory */
    struct store *store;     /* until the directory has it */
    struct directory *directory;
    struct cache_settings cache;
    bool cached;
    struct breaker_settings breaker;
};

/* The public keys of all apps (RFC 7517, section 5), and what changes with them. */
struct jwks {
    struct bytes text; /* empty, in settings for one request: not made yet */
    struct bytes etag;
};

/* The top of the file, and its small groups, as they are written. */
struct top_settings {
    int64_t threads, request_timeout_ms, body_limit;
    struct memberchat_list trusted_proxies;
};

struct log_settings {
    const char *target;
    int64_t level, format; /* enum log_level, enum log_format */
};

struct status_settings {
    struct memberchat_list allow;
};

struct settings {
    struct arena arena;
    struct config *source; /* of settings that are for one request; else NULL */
    struct top_settings top;
    struct log_settings log;
    struct status_settings status;
    bool request_timeout_set;
    struct network *trusted_proxies;
    size_t trusted_proxy_count;
    struct settings_store *stores;
    size_t store_count;
    struct app *apps;
    size_t app_count;
    struct jwks *jwks;
    struct span base_path;            /* of the environment, SPAN_NONE: none is set */
    struct app_index *by_key, *by_id; /* the apps, by API key and by appId */
};

/* Reads and checks a configuration: values, key files, plugins and what they
 * say of their settings.  Opens no store, asks no network.  All mistakes are in
 * the report; NULL when there was one. */
struct settings *settings_load(const char *path, const char *plugin_folder,
                               struct config_report *report);

/* The same for one request: a plugin is loaded, its settings are read, and its store
 * is opened when it is first asked, and the groups token and access_token of an app are
 * read by settings_finish_app(); mistakes in them are found then.
 * `plugin_folder` is borrowed. */
struct settings *settings_load_once(const char *path, const char *plugin_folder,
                                    struct config_report *report);

/* Reads what settings for one request have put off of an app, or of all, and makes
 * settings->jwks.  False: the report says why. */
bool settings_finish_app(const struct app *app, struct config_report *report);
bool settings_finish_jwks(const struct settings *settings, struct config_report *report);

/* Opens the stores; those of `previous` (or NULL) that are the same are shared.
 * `once`: for one request, each store when it is first asked.  False: the report
 * says why. */
bool settings_open(struct settings *settings, const struct settings *previous, bool once,
                   struct config_report *report);
void settings_free(struct settings *settings);

/* Makes an app known by its API key and its id.  NULL, or the app that has one of
 * them already. */
const struct app *settings_index_app(struct settings *settings, const struct app *app);

/* The app with this API key, in a time that does not tell how much of a key was
 * right.  NULL when there is none. */
const struct app *settings_find_app(const struct settings *settings, struct span api_key);
const struct app *settings_find_app_id(const struct settings *settings, const char *id);
struct settings_store *settings_find_store(const struct settings *settings, const char *name);

#endif
