/* SPDX-License-Identifier: MIT
 *
 * rest_settings.c: see rest_settings.h.
 */
#include "settings.h"

#include "answer.h"
#include "client.h"
#include "template.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KEY(MEMBER, TYPE, DEFAULT, MIN, MAX, HELP)                                                 \
    .name = #MEMBER, .fallback = DEFAULT, .help = HELP, .type = MEMBERCHAT_##TYPE, .min = MIN,     \
    .max = MAX, .offset = offsetof(struct rest_settings, MEMBER)

enum { URL_MAX = 2048, BODY_MAX = 16384, POINTER_MAX = 256, MINUTE = 60000 };

const struct memberchat_key rest_keys[REST_KEY_COUNT] = {
    {KEY(url, STRING, NULL, 1, URL_MAX,
         "the URL that is asked, with {id} in the place of the member's id"),
     .flags = MEMBERCHAT_KEY_REQUIRED},
    {KEY(method, CHOICE, "GET", 0, 0, "how it is asked"), .choices = "GET POST"},
    {KEY(body, STRING, NULL, 1, BODY_MAX, "JSON to send with POST, with {id} in a string of it")},
    {KEY(headers, LIST, NULL, 0, REST_HEADERS_MAX, "lines to send, such as \"Name: value\""),
     .flags = MEMBERCHAT_KEY_SECRET},
    {KEY(username, STRING, NULL, 1, 256, "user name for Basic authentication")},
    {KEY(password_file, PATH, NULL, 0, 0, "the file with the password of \"username\"")},
    {KEY(bearer_token_file, PATH, NULL, 0, 0, "the file with a token to send")},
    {KEY(cert_file, PATH, NULL, 0, 0, "the file with our certificate, PEM")},
    {KEY(key_file, PATH, NULL, 0, 0, "the file with the key of \"cert_file\", PEM")},
    {KEY(ca_file, PATH, NULL, 0, 0, "the file with the only CAs to trust, PEM")},
    {KEY(tls_verify, BOOL, "true", 0, 0, "whether the service has to prove who it is")},
    {KEY(allow_http, BOOL, "false", 0, 0, "whether http will do for another machine, too")},
    {KEY(connect_timeout, DURATION, "1s", 1, MINUTE, "how long connecting may take, TLS included")},
    {KEY(timeout, DURATION, "2s", 1, MINUTE, "how long a look-up may take")},
    {KEY(max_body, SIZE, "64k", 1, 16 << 20, "a larger answer is refused")},
    {KEY(connections, INTEGER, "32", 1, 1024, "connections at once, at most")},
    {KEY(http_version, CHOICE, "1.1", 0, 0, "the version of HTTP to speak"), .choices = "1.1 2"},
    {KEY(proxy, STRING, NULL, 1, URL_MAX, "the URL of a proxy to go through"),
     .flags = MEMBERCHAT_KEY_SECRET},
    {KEY(follow_redirects, BOOL, "false", 0, 0, "whether to go where the same host redirects to")},
    {KEY(not_found_statuses, LIST, NULL, 0, 32,
         "statuses, beside 404 and 410, that mean that there is no such member"),
     .flags = MEMBERCHAT_KEY_NUMBERS},
    {KEY(id_pointer, STRING, REST_ID_POINTER, 0, POINTER_MAX, "where the answer has the id")},
    {KEY(name_pointer, STRING, "/appUserName", 0, POINTER_MAX,
         "where the answer has the shown name")},
    {KEY(avatar_pointer, STRING, "/appUserProfileImgUrl", 0, POINTER_MAX,
         "where the answer has the URL of a picture")},
    {KEY(role_pointer, STRING, NULL, 0, POINTER_MAX, "where the answer has the role")},
    {KEY(state_pointer, STRING, NULL, 0, POINTER_MAX,
         "where the answer says whether the member is active")},
    {KEY(active_values, LIST, "ACTIVE", 1, 64, "states of active members, in any case"),
     .flags = MEMBERCHAT_KEY_NUMBERS},
    {KEY(attributes, MAP, NULL, 0, 32, "further members of the answer, each with its pointer")},
};

/* Each of these says what is wrong, or leaves the reason empty. */

static void check_url(const struct rest_settings *settings, struct rest_reason *reason)
{
    static const struct rest_values sample = {"x", "x", 1, 1};
    struct rest_text url = {0};
    if (!rest_template_check_url(settings->url, reason))
        return;
    rest_template_expand(&url, settings->url, &sample, REST_PERCENT);
    struct rest_place place = rest_client_read_url(rest_text_string(&url));
    rest_text_free(&url);
    if (!place.valid || !(place.http || place.https))
        rest_reason_set(reason, "\"url\" must be a URL that begins with https:// or http:// and a "
                                "host, with a good port if any");
    else if (place.credentials)
        rest_reason_set(reason, "\"url\" must not hold credentials: use \"username\" and "
                                "\"password_file\"");
    else if (place.http && !place.loopback && !settings->allow_http)
        rest_reason_set(reason, "\"url\" would send members and credentials in clear text: use "
                                "https, or set \"allow_http = true\"");
    else if (place.http && (settings->ca_file || settings->cert_file))
        rest_reason_set(reason, "\"ca_file\" and \"cert_file\" are of use with https only");
}

static void check_method(const struct rest_settings *settings, struct rest_reason *reason)
{
    static const struct rest_values sample = {"x", "x", 1, 1};
    struct rest_text body = {0};
    bool post = settings->method == REST_POST;
    if (post != (settings->body != NULL)) {
        rest_reason_set(reason, post ? "\"method\" POST needs a \"body\""
                                     : "\"body\" needs the \"method\" POST");
        return;
    }
    if (!rest_template_has_id(settings->url) && !(post && rest_template_has_id(settings->body))) {
        rest_reason_set(reason, "nothing tells the service whom to look for: \"url\"%s needs {id}",
                        post ? " or \"body\"" : "");
        return;
    }
    if (!post)
        return;
    rest_template_expand(&body, settings->body, &sample, REST_JSON);
    if (body.failed || !rest_answer_is_json(body.bytes, body.length))
        rest_reason_set(reason, "\"body\" must be JSON, with {id} and {appId} inside of strings");
    rest_text_free(&body);
}

static void check_credentials(const struct rest_settings *settings, struct rest_reason *reason)
{
    if ((settings->username != NULL) != (settings->password_file != NULL))
        rest_reason_set(reason, "\"username\" and \"password_file\" need each other");
    else if (settings->username && settings->bearer_token_file)
        rest_reason_set(reason, "\"username\" and \"bearer_token_file\" exclude each other");
    else if (settings->username && strchr(settings->username, ':'))
        rest_reason_set(reason, "\"username\" must not hold a colon");
    else if (settings->key_file && !settings->cert_file)
        rest_reason_set(reason, "\"key_file\" needs \"cert_file\"");
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
    const char *value = line + name + 1;
    if (name == 0 || line[name] != ':')
        return false;
    value += strspn(value, " ");
    for (const char *at = value; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
    return *value != '\0';
}

static void check_headers(const struct rest_settings *settings, struct rest_reason *reason)
{
    static const char *const ours[] = {"Accept-Encoding",  "Connection", "Content-Length",
                                       "Expect",           "Host",       "TE",
                                       "Transfer-Encoding"};
    bool authorized = settings->username || settings->bearer_token_file;
    for (size_t i = 0; i < settings->headers.count; i++) {
        const char *line = settings->headers.items[i];
        size_t length = token_length(line);
        if (!is_header_line(line)) {
            rest_reason_set(reason, "entry %zu of \"headers\" is no line such as \"Name: value\"",
                            i + 1);
            return;
        }
        for (size_t j = 0; j < sizeof ours / sizeof *ours; j++)
            if (length == strlen(ours[j]) && strncasecmp(line, ours[j], length) == 0)
                rest_reason_set(reason, "\"headers\" must not set %s", ours[j]);
        if (authorized && length == 13 && strncasecmp(line, "Authorization", length) == 0)
            rest_reason_set(reason, "\"headers\" and other keys both set Authorization");
    }
}

static void check_proxy(const struct rest_settings *settings, struct rest_reason *reason)
{
    if (!settings->proxy)
        return;
    struct rest_place place = rest_client_read_url(settings->proxy);
    if (!place.valid || !(place.http || place.https))
        rest_reason_set(reason,
                        "\"proxy\" must be a URL that begins with http:// or https:// and a "
                        "host, with a good port if any");
}

static void check_statuses(const struct rest_settings *settings, struct rest_reason *reason)
{
    for (size_t i = 0; i < settings->not_found_statuses.count; i++) {
        const char *text = settings->not_found_statuses.items[i];
        long status = strspn(text, "0123456789") == 3 && !text[3] ? strtol(text, NULL, 10) : 0;
        if ((status < 400 || status > 499 || status == 401 || status == 429) && status != 204)
            rest_reason_set(reason,
                            "\"not_found_statuses\": \"%s\" cannot mean that; possible are 204 and "
                            "400 to 499 without 401 and 429",
                            text);
    }
}

static void check_pointer(const char *key, const char *pointer, struct rest_reason *reason)
{
    if (pointer && !rest_answer_is_pointer(pointer))
        rest_reason_set(reason, "%s: \"%s\" is no JSON Pointer, such as \"/user/name\"", key,
                        pointer);
}

static void check_mapping(const struct rest_settings *settings, struct rest_reason *reason)
{
    check_pointer("id_pointer", settings->id_pointer, reason);
    check_pointer("name_pointer", settings->name_pointer, reason);
    check_pointer("avatar_pointer", settings->avatar_pointer, reason);
    check_pointer("role_pointer", settings->role_pointer, reason);
    check_pointer("state_pointer", settings->state_pointer, reason);
    for (size_t i = 0; i < settings->attributes.count; i++)
        check_pointer(settings->attributes.names[i], settings->attributes.values[i], reason);
}

bool rest_settings_check(const struct rest_settings *settings, struct rest_reason *reason)
{
    static void (*const checks[])(const struct rest_settings *, struct rest_reason *) = {
        check_url,   check_method,   check_credentials, check_headers,
        check_proxy, check_statuses, check_mapping,
    };
    reason->text[0] = '\0';
    for (size_t i = 0; i < sizeof checks / sizeof *checks && !reason->text[0]; i++)
        checks[i](settings, reason);
    return !reason->text[0];
}
