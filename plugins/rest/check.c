/* SPDX-License-Identifier: MIT */
#include "check.h"

#include "base/json.h"
#include "base/networks.h"
#include "client.h"
#include "template.h"

#include <stdlib.h>
#include <string.h>

static const struct rest_values sample = {{"x", 1}, {"x", 1}};

static bool fail_without_memory(struct reason *why)
{
    reason_set(why, "out of memory");
    return false;
}

static bool read_place(const char *what, const char *url, struct rest_place *place_r,
                       struct reason *why)
{
    switch (rest_place_read(url, place_r)) {
    case REST_URL_GOOD:
        return true;
    case REST_URL_BAD:
        reason_set(why,
                   "%s must be a URL with https:// or http://, a host and, if any, a valid port",
                   what);
        return false;
    case REST_URL_NO_MEMORY:
        break;
    }
    return fail_without_memory(why);
}

/* A URL to which members and credentials go; `what` names its key, and begins the reason. */
static bool check_target(const struct rest_settings *settings, const char *what, const char *url,
                         struct reason *why)
{
    struct rest_place place;
    if (!read_place(what, url, &place, why))
        return false;
    bool https = rest_place_is_https(&place);
    if (place.credentials)
        reason_set(why, "%s must not hold credentials: use \"username\" and \"password_file\"",
                   what);
    else if (!https && !network_is_loopback(place.host) && !settings->allow_http)
        reason_set(why,
                   "%s would send members and credentials in clear text: use https, or set "
                   "\"allow_http = true\"",
                   what);
    else if (!https && (settings->ca_file || settings->cert_file))
        reason_set(why, "%s is http: \"ca_file\" and \"cert_file\" work with https only", what);
    else
        return true;
    return false;
}

static bool check_url(const struct rest_settings *settings, struct reason *why)
{
    struct bytes url = {0};
    if (!rest_template_check_url(settings->url, why))
        return false;
    rest_template_expand(&url, settings->url, &sample, false);
    const char *text = bytes_string(&url);
    bool good = url.failed ? fail_without_memory(why) : check_target(settings, "url:", text, why);
    bytes_free(&url);
    return good;
}

static bool check_body(const struct rest_settings *settings, struct reason *why)
{
    struct bytes body = {0};
    struct json_object *document = NULL;
    struct reason fault;
    rest_template_expand(&body, settings->body, &sample, true);
    enum json_result result =
        body.failed ? JSON_NO_MEMORY
                    : json_read(bytes_span(&body), JSON_ANY | JSON_DEEP, &document, &fault);
    json_release(document);
    bytes_free(&body);
    if (result == JSON_NO_MEMORY)
        return fail_without_memory(why);
    if (result == JSON_BROKEN)
        reason_set(why, "body: must be JSON, with {id} and {appId} inside strings: %s", fault.text);
    return result == JSON_GOOD;
}

static bool check_method(const struct rest_settings *settings, struct reason *why)
{
    bool post = settings->method == REST_POST;
    if (post && !settings->body)
        reason_set(why, "method: POST needs a \"body\"");
    else if (!post && settings->body)
        reason_set(why, "body: needs the \"method\" POST");
    else if (!rest_template_has_id(settings->url) &&
             !(post && rest_template_has_id(settings->body)))
        reason_set(why, "url: needs {id}%s: nothing tells the service whom to look for",
                   post ? ", or \"body\" does" : "");
    else
        return !post || check_body(settings, why);
    return false;
}

/* Whether a map has names of a list only; `what` is the map. */
static bool check_names(const char *what, const struct memberchat_map *map,
                        const char *const *names, size_t count, struct reason *why)
{
    for (size_t i = 0, j; i < map->count; i++) {
        for (j = 0; j < count && strcmp(map->names[i], names[j]) != 0;)
            j++;
        if (j == count) {
            reason_set(why, "%s: has no setting \"%s\"", what, map->names[i]);
            return false;
        }
    }
    return true;
}

static bool check_oauth(const struct rest_settings *settings, struct reason *why)
{
    static const char *const names[] = {"token_url", "client_id", "client_secret_file", "scope",
                                        "audience"};
    const struct memberchat_map *map = &settings->oauth2;
    if (!map->count)
        return true;
    if (!check_names("oauth2", map, names, sizeof names / sizeof *names, why))
        return false;
    for (size_t i = 0; i < 3; i++) {
        const char *value = rest_map_value(map, names[i]);
        if (!value || !*value) {
            reason_set(why, "oauth2: needs \"%s\"", names[i]);
            return false;
        }
    }
    return check_target(settings, "oauth2: token_url", rest_map_value(map, "token_url"), why);
}

static bool check_credentials(const struct rest_settings *settings, struct reason *why)
{
    if (settings->username && !settings->password_file)
        reason_set(why, "username: needs \"password_file\"");
    else if (settings->password_file && !settings->username)
        reason_set(why, "password_file: needs \"username\"");
    else if (settings->username && settings->bearer_token_file)
        reason_set(why, "bearer_token_file: \"username\" is set, too: keep one of them");
    else if (settings->oauth2.count && (settings->username || settings->bearer_token_file))
        reason_set(why, "oauth2: \"%s\" is set, too: keep one of them",
                   settings->username ? "username" : "bearer_token_file");
    else if (settings->username && strchr(settings->username, ':'))
        reason_set(why, "username: must not have a colon");
    else if (settings->key_file && !settings->cert_file)
        reason_set(why, "key_file: needs \"cert_file\"");
    else
        return true;
    return false;
}

/* RFC 9110, section 5.6.2. */
static size_t token_length(const char *text)
{
    return strspn(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static bool is_header_line(const char *line)
{
    size_t name = token_length(line);
    if (name == 0 || line[name] != ':')
        return false;
    const char *value = line + name + 1 + strspn(line + name + 1, " ");
    for (const char *at = value; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
    return *value;
}

static bool check_headers(const struct rest_settings *settings, struct reason *why)
{
    static const char *const ours[] = {"Accept-Encoding",  "Connection", "Content-Length",
                                       "Expect",           "Host",       "TE",
                                       "Transfer-Encoding"};
    bool authorized = settings->username || settings->bearer_token_file || settings->oauth2.count;
    for (size_t i = 0; i < settings->headers.count; i++) {
        const char *line = settings->headers.items[i];
        struct span name = {line, token_length(line)};
        if (!is_header_line(line)) {
            reason_set(why, "headers: entry %zu is not a line such as \"Name: value\"", i + 1);
            return false;
        }
        for (size_t j = 0; j < sizeof ours / sizeof *ours; j++)
            if (span_equal_nocase(name, ours[j])) {
                reason_set(why, "headers: must not set %s", ours[j]);
                return false;
            }
        if (authorized && span_equal_nocase(name, "Authorization")) {
            reason_set(why, "headers: another key sets Authorization, too: keep one of them");
            return false;
        }
    }
    return true;
}

static bool check_proxy(const struct rest_settings *settings, struct reason *why)
{
    struct rest_place place;
    return !settings->proxy || read_place("proxy:", settings->proxy, &place, why);
}

static bool check_statuses(const struct rest_settings *settings, struct reason *why)
{
    for (size_t i = 0; i < settings->not_found_statuses.count; i++) {
        const char *text = settings->not_found_statuses.items[i];
        long status = strspn(text, "0123456789") == 3 && !text[3] ? strtol(text, NULL, 10) : 0;
        if ((status < 400 || status > 499 || status == 401 || status == 429) && status != 204) {
            reason_set(why,
                       "not_found_statuses: \"%s\" cannot mean that nobody has the id; use 204, or "
                       "400 to 499 without 401 and 429",
                       text);
            return false;
        }
    }
    return true;
}

static bool check_pointer(const char *key, const char *pointer, struct reason *why)
{
    if (!pointer || json_is_pointer(pointer))
        return true;
    reason_set(why, "%s: \"%s\" is not a JSON Pointer, such as \"/user/name\"", key, pointer);
    return false;
}

static bool check_pointers(const struct rest_settings *settings, struct reason *why)
{
    const struct memberchat_map *attributes = &settings->attributes;
    bool good = check_pointer("member_pointer", settings->member_pointer, why) &&
                check_pointer("id_pointer", settings->id_pointer, why) &&
                check_pointer("name_pointer", settings->name_pointer, why) &&
                check_pointer("avatar_pointer", settings->avatar_pointer, why) &&
                check_pointer("role_pointer", settings->role_pointer, why) &&
                check_pointer("state_pointer", settings->state_pointer, why);
    for (size_t i = 0; i < attributes->count && good; i++)
        good = check_pointer("attributes", attributes->values[i], why);
    return good;
}

static bool check_not_found_when(const struct rest_settings *settings, struct reason *why)
{
    static const char *const names[] = {"pointer", "value"};
    const struct memberchat_map *map = &settings->not_found_when;
    if (!map->count)
        return true;
    const char *pointer = rest_map_value(map, "pointer"), *value = rest_map_value(map, "value");
    if (!check_names("not_found_when", map, names, 2, why))
        return false;
    if (!pointer || !*pointer || !value || !*value) {
        reason_set(why, "not_found_when: needs a \"pointer\" and a \"value\"");
        return false;
    }
    return check_pointer("not_found_when", pointer, why);
}

bool rest_check_settings(const struct rest_settings *settings, struct reason *why)
{
    static bool (*const checks[])(const struct rest_settings *, struct reason *) = {
        check_url,   check_method,   check_credentials, check_oauth,          check_headers,
        check_proxy, check_statuses, check_pointers,    check_not_found_when,
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (!checks[i](settings, why))
            return false;
    return true;
}

bool rest_check_per_app(const struct rest_settings *settings)
{
    bool found = rest_template_has_app(settings->url) ||
                 (settings->body && rest_template_has_app(settings->body));
    for (size_t i = 0; i < settings->headers.count; i++)
        found |= rest_template_has_app(settings->headers.items[i]);
    return found;
}
