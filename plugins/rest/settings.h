/* SPDX-License-Identifier: MIT
 * The keys of a REST store. */
#ifndef REST_SETTINGS_H
#define REST_SETTINGS_H

#include "memberchat_store.h"

enum { REST_GET, REST_POST };        /* indices of the choices of "method" */
enum { REST_HTTP_1_1, REST_HTTP_2 }; /* and of "http_version" */

#define REST_HEADERS_MAX 32 /* of the configuration */

struct rest_settings {
    const char *url, *body;
    int64_t method;
    struct memberchat_list headers;
    const char *username, *password_file, *bearer_token_file;
    const char *ca_file, *cert_file, *key_file;
    bool tls_verify, allow_http, follow_redirects;
    int64_t connect_timeout, timeout; /* milliseconds */
    int64_t max_body;                 /* bytes */
    int64_t connections, http_version;
    const char *proxy;          /* NULL: none */
    const char *member_pointer; /* NULL: the document is the member */
    const char *id_pointer, *name_pointer, *avatar_pointer, *role_pointer, *state_pointer;
    struct memberchat_list active_values, not_found_statuses;
    struct memberchat_map attributes, not_found_when, oauth2;
};

/* The value of a name; NULL where the map lacks it. */
const char *rest_map_value(const struct memberchat_map *map, const char *name);

#define REST_KEY_COUNT 30
extern const struct memberchat_key rest_keys[REST_KEY_COUNT];

#endif
