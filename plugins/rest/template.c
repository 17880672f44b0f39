/* SPDX-License-Identifier: MIT */
#include "template.h"

#include <string.h>

#define ID     "{id}"
#define APP_ID "{appId}"

/* The length of the placeholder at the start of `text`, 0 when there is none. */
static size_t placeholder_length(const char *text)
{
    static const char *const placeholders[] = {ID, APP_ID};
    for (size_t i = 0; i < 2; i++)
        if (strncmp(text, placeholders[i], strlen(placeholders[i])) == 0)
            return strlen(placeholders[i]);
    return 0;
}

void rest_template_expand(struct bytes *out, const char *template, const struct rest_values *values,
                          bool json)
{
    for (const char *at = template; *at;) {
        size_t literal = strcspn(at, "{");
        bytes_add(out, at, literal);
        at += literal;
        size_t length = placeholder_length(at);
        struct span value = length == strlen(ID) ? values->id : values->app_id;
        if (length && json)
            bytes_add_json_part(out, value);
        else if (length)
            bytes_add_percent(out, value);
        else if (*at)
            bytes_add(out, at, length = 1);
        at += length;
    }
}

bool rest_template_has_id(const char *template)
{
    return strstr(template, ID);
}

bool rest_template_has_app(const char *template)
{
    return strstr(template, APP_ID);
}

/* Where the path or the query begins. */
static const char *after_host(const char *url)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    return host + strcspn(host, "/?#");
}

static bool has_stray_brace(const char *url)
{
    for (const char *at = url; *(at += strcspn(at, "{}"));) {
        size_t length = placeholder_length(at);
        if (!length)
            return true;
        at += length;
    }
    return false;
}

static bool is_visible(const char *text)
{
    while (*text > 0x20 && *text < 0x7f)
        text++;
    return !*text;
}

bool rest_template_check_url(const char *url, struct reason *why)
{
    const char *brace = strchr(url, '{');
    if (!is_visible(url))
        reason_set(why, "url: holds a blank, a control character or one that is not ASCII: "
                        "write it percent-encoded");
    else if (has_stray_brace(url))
        reason_set(why, "url: may have the placeholders {id} and {appId}, and no other braces");
    else if (brace && brace < after_host(url))
        reason_set(why, "url: has a placeholder in its host: move it to the path or query");
    else if (strchr(url, '#'))
        reason_set(why, "url: has a fragment (#), which is never sent: leave it out");
    else
        return true;
    return false;
}

bool rest_template_takes_id(const char *url, struct span id)
{
    const char *placeholder = strstr(url, ID);
    const char *path = after_host(url);
    if (!placeholder || placeholder > path + strcspn(path, "?"))
        return true;
    for (size_t start = 0, end; start <= id.length; start = end + 1) {
        for (end = start; end < id.length && id.data[end] != '/' && id.data[end] != '\\';)
            end++;
        if ((end - start == 1 && id.data[start] == '.') ||
            (end - start == 2 && memcmp(id.data + start, "..", 2) == 0))
            return false;
    }
    return true;
}
