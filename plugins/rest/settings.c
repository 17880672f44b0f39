/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <string.h>

#define KEY(MEMBER, TYPE, DEFAULT, MIN, MAX, HELP)                                                 \
    MEMBERCHAT_KEY(struct rest_settings, MEMBER, #MEMBER, TYPE, DEFAULT, MIN, MAX, HELP)

enum { URL_MAX = 2048, BODY_MAX = 16384, POINTER_MAX = 256, MINUTE = 60000 };

const struct memberchat_key rest_keys[REST_KEY_COUNT] = {
    {KEY(url, STRING, NULL, 1, URL_MAX, "the URL to ask, where {id} stands for the member's id"),
     .flags = MEMBERCHAT_KEY_REQUIRED},
    {KEY(method, CHOICE, "GET", 0, 0, "how to ask"), .choices = "GET POST"},
    {KEY(body, STRING, NULL, 1, BODY_MAX, "JSON to send with POST, with {id} inside a string")},
    {KEY(headers, LIST, NULL, 0, REST_HEADERS_MAX, "lines to send, such as \"Name: value\""),
     .flags = MEMBERCHAT_KEY_SECRET},
    {KEY(username, STRING, NULL, 1, 256, "user name for Basic authentication")},
    {KEY(password_file, PATH, NULL, 0, 0, "file with the password of \"username\"")},
    {KEY(bearer_token_file, PATH, NULL, 0, 0, "file with a token to send")},
    {KEY(oauth2, MAP, NULL, 3, 5, "where and how to fetch a token to send (client credentials)"),
     .flags = MEMBERCHAT_KEY_PATHS},
    {KEY(cert_file, PATH, NULL, 0, 0, "file with our certificate, PEM")},
    {KEY(key_file, PATH, NULL, 0, 0, "file with the key of \"cert_file\", PEM")},
    {KEY(ca_file, PATH, NULL, 0, 0, "file with the only CAs to trust, PEM")},
    {KEY(tls_verify, BOOL, "true", 0, 0, "whether the service must prove its identity")},
    {KEY(allow_http, BOOL, "false", 0, 0, "whether to use http with another machine")},
    {KEY(connect_timeout, DURATION, "1s", 1, MINUTE, "how long connecting may take, TLS included")},
    {KEY(timeout, DURATION, "2s", 1, MINUTE, "how long a request may take")},
    {KEY(max_body, SIZE, "64k", 1, 16 << 20, "a larger answer is refused")},
    {KEY(connections, INTEGER, "32", 1, 1024, "how many connections there may be at once")},
    {KEY(http_version, CHOICE, "1.1", 0, 0, "the version of HTTP to speak"), .choices = "1.1 2"},
    {KEY(proxy, STRING, NULL, 1, URL_MAX, "the URL of a proxy to go through"),
     .flags = MEMBERCHAT_KEY_SECRET},
    {KEY(follow_redirects, BOOL, "false", 0, 0, "whether to follow redirects on the same host")},
    {KEY(not_found_statuses, LIST, NULL, 0, 32,
         "statuses besides 404 and 410 that mean that there is no such member"),
     .flags = MEMBERCHAT_KEY_NUMBERS},
    {KEY(not_found_when, MAP, NULL, 2, 2,
         "the \"pointer\" and \"value\" that mean that there is no such member"),
     .flags = MEMBERCHAT_KEY_NUMBERS},
    {KEY(member_pointer, STRING, NULL, 0, POINTER_MAX,
         "where the answer has the member; the pointers below count from there")},
    {KEY(id_pointer, STRING, "/appUserId", 0, POINTER_MAX, "where the answer has the id")},
    {KEY(name_pointer, STRING, "/appUserName", 0, POINTER_MAX,
         "where the answer has the shown name")},
    {KEY(avatar_pointer, STRING, "/appUserProfileImgUrl", 0, POINTER_MAX,
         "where the answer has the URL of a picture")},
    {KEY(role_pointer, STRING, NULL, 0, POINTER_MAX, "where the answer has the role")},
    {KEY(state_pointer, STRING, NULL, 0, POINTER_MAX,
         "where the answer says whether the member is active")},
    {KEY(active_values, LIST, "ACTIVE", 1, 64, "states of active members, in any case"),
     .flags = MEMBERCHAT_KEY_NUMBERS},
    {KEY(attributes, MAP, NULL, 0, 32, "further values of the answer, each with its pointer")},
};

const char *rest_map_value(const struct memberchat_map *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->names[i], name) == 0)
            return map->values[i];
    return NULL;
}
