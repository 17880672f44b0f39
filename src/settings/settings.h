/* SPDX-License-Identifier: MIT
 * Everything that the configuration says, checked and ready for use.  Immutable
 * once open: a reload makes a new one. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "base/arena.h"
#include "config.h"
#include "members/denied.h"
#include "members/directory.h"
#include "token/token.h"
#include "host/log.h"
#include "base/networks.h"

#define APP_SECRETS_MAX 2

/* A group of `apps`, as it is written. */
struct app_settings {
    const char *api_key;
    const char *chat_server_url;
    const char *app_id;
    const char *guest_id_prefix;                 /* "" where it is not set */
    const char *denied_file, *tokens_not_before; /* NULL where they are not set */
    bool guests, extended_response;
    struct memberchat_list cors_origins, stores;
    struct memberchat_list secrets, digests; /* wiped once they are in struct app */
    const char *secret_file;
};

struct token_settings {
    int64_t algorithm;
    const char *key_file, *key_id;
    const char *issuer, *audience;
    int64_t ttl_ms, guest_ttl_ms, clock_skew_ms;
    const char *claims;                              /* path of the template, or NULL */
    struct memberchat_list next_keys, previous_keys; /* their paths, once they are read */
};

/* JWTs of others that name a guest. */
struct access_settings {
    int64_t algorithm;
    const char *key_file, *issuer;
    const char *audience; /* NULL: any */
};

struct app {
    struct app_settings settings;
    struct token_settings token;
    const char *id;
    uint8_t secrets[APP_SECRETS_MAX][SHA256_LENGTH]; /* SHA-256 of each */
    size_t secret_count;
    struct token_profile profile;
    struct key_ring keys; /* the profile's, those before it and those after it */
    struct access_settings access;
    struct key_ring access_keys;    /* empty: none are accepted */
    struct denied *denied;          /* NULL: nobody is */
    int64_t tokens_not_before;      /* unix seconds; 0: any time */
    struct settings_store **stores; /* asked in order */
    struct directory **directories; /* the same, once they are open; borrowed */
    size_t store_count;
};

/* A group of `stores`. */
struct settings_store {
    const char *name;
    const char *place;       /* "FILE:LINE: stores.NAME", for messages */
    const char *fingerprint; /* equal ones may share a directory */
    struct store *store;     /* until the directory has it */
    struct directory *directory;
    struct cache_settings cache;
    bool cached;
    struct breaker_settings breaker;
};

/* The public keys of all apps (RFC 7517, section 5), and what changes with them. */
struct jwks {
    struct bytes text;
    struct bytes etag;
};

/* The top of the file, and its small groups, as they are written. */
struct top_settings {
    int64_t threads, request_timeout_ms, body_limit;
    struct memberchat_list trusted_proxies;
    bool sandbox;
};

/* How ids of people stand in the log. */
enum log_ids { LOG_IDS_PLAIN, LOG_IDS_HASHED, LOG_IDS_OFF };

struct log_settings {
    const char *target;
    int64_t level, format;            /* enum log_level, enum log_format */
    const char *place, *access_place; /* "FILE:LINE: log.target", for messages */
    const char *access;               /* NULL: no access log; "": it is in the log; else its path */
    int64_t ids;                      /* enum log_ids */
};

/* Of /metrics and /status, and of the figures that they show. */
struct status_settings {
    struct memberchat_list allow;
    const char *file; /* NULL: memory */
    const char *password_file;
    const char *place; /* "FILE:LINE: status.file", for messages */
    bool show_ids;
};

/* What is counted against tokens_per_minute. */
enum limit_per { LIMIT_PER_ADDRESS, LIMIT_PER_APP };

struct limit_settings {
    int64_t failures, failure_window_ms; /* 0: wrong credentials are not counted */
    int64_t tokens_per_minute, per;      /* 0: any number; enum limit_per */
};

struct settings {
    struct arena arena;
    struct top_settings top;
    struct log_settings log;
    struct limit_settings limits;
    struct status_settings status;
    bool request_timeout_set;
    struct network *trusted_proxies;
    size_t trusted_proxy_count;
    struct network *status_allow; /* status.allow.count of them */
    struct settings_store *stores;
    size_t store_count;
    struct app *apps;
    size_t app_count;
    struct jwks jwks;
    struct span base_path;    /* of the environment, SPAN_NONE: none is set */
    struct app_index *by_key; /* the apps, sorted by the digest of the API key */
    const struct app **by_id; /* the same, sorted by appId */
    const char *mistake;      /* the first one, where settings_read_names() made them */
};

/* What of a configuration is read: for one request, no more than it needs.  Mistakes in
 * the rest go unnoticed. */
enum {
    SETTINGS_STORES = 1u,     /* all stores */
    SETTINGS_APPS = 2u,       /* all apps */
    SETTINGS_KEYS = 4u,       /* their keys and claims */
    SETTINGS_ONE_APP = 8u,    /* the app with the API key below; keys and claims only of */
                              /* this one, and only if the API secret is right, too */
    SETTINGS_APP_STORES = 16u /* and the stores that it names */
};
struct settings_choice {
    unsigned parts;
    struct span api_key, api_secret; /* with SETTINGS_ONE_APP */
};

/* Reads and checks a configuration: values, key files, plugins and what they say of their
 * settings.  `choice` NULL: all of it.  Opens no store, asks no network.  All mistakes are
 * in the report; NULL when there was one. */
struct settings *settings_read(const char *path, const char *plugin_folder,
                               const struct settings_choice *choice, struct config_report *report);

/* For what must not wait until the mistakes of a configuration are mended: what can be read of the
 * group `status`, and of the names of the stores, the apps and their denied_file.  NULL: none. */
struct settings *settings_read_names(const char *path, struct config_report *mistakes);

/* Opens the stores; those of `previous` (or NULL) that are the same are shared.
 * `once`: for one request.  False: the report says why. */
bool settings_open(struct settings *settings, const struct settings *previous, bool once,
                   struct config_report *report);

/* For one request of one app: opens the stores that it asks. */
bool settings_open_app(struct settings *settings, const struct app *app,
                       struct config_report *report);

void settings_free(struct settings *settings);

/* Whether a secret is one of the app's (NULL: of no app), in the same time for any. */
bool settings_secret_matches(const struct app *app, struct span secret);

/* The app with this API key, in a time that does not tell how much of a key was
 * right.  NULL when there is none. */
const struct app *settings_find_app(const struct settings *settings, struct span api_key);
const struct app *settings_find_app_id(const struct settings *settings, const char *id);
struct settings_store *settings_find_store(const struct settings *settings, const char *name);

#endif
