/* SPDX-License-Identifier: MIT
 *
 * rest_template.c: see rest_template.h.
 */
#include "template.h"

#include <string.h>

#define ID     "{id}"
#define APP_ID "{appId}"

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* RFC 3986, sections 2.1 and 2.3. */
static void add_percent(struct rest_text *out, const char *bytes, size_t length)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        char encoded[] = {'%', digits[c >> 4], digits[c & 15]};
        if (is_unreserved(c))
            rest_text_add(out, &bytes[i], 1);
        else
            rest_text_add(out, encoded, sizeof encoded);
    }
}

/* RFC 8259, section 7. */
static void add_json(struct rest_text *out, const char *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        char escaped[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
        if (c < 0x20 || c == 0x7f) {
            rest_text_add(out, escaped, sizeof escaped);
        } else {
            if (c == '"' || c == '\\')
                rest_text_add(out, "\\", 1);
            rest_text_add(out, &bytes[i], 1);
        }
    }
}

void rest_template_expand(struct rest_text *out, const char *template,
                          const struct rest_values *values, enum rest_escape escape)
{
    void (*add)(struct rest_text *, const char *, size_t) =
        escape == REST_JSON ? add_json : add_percent;
    for (const char *at = template; *at;) {
        size_t literal = strcspn(at, "{");
        rest_text_add(out, at, literal);
        at += literal;
        if (strncmp(at, ID, strlen(ID)) == 0) {
            add(out, values->id, values->id_length);
            at += strlen(ID);
        } else if (strncmp(at, APP_ID, strlen(APP_ID)) == 0) {
            add(out, values->app_id, values->app_id_length);
            at += strlen(APP_ID);
        } else if (*at) {
            rest_text_add(out, at++, 1);
        }
    }
}

bool rest_template_has_id(const char *template)
{
    return strstr(template, ID) != NULL;
}

bool rest_template_has_app(const char *template)
{
    return strstr(template, APP_ID) != NULL;
}

/* Where the path or the query begins. */
static const char *behind_host(const char *url)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    return host + strcspn(host, "/?#");
}

/* Whether it has a brace that is not that of a placeholder. */
static bool has_stray_brace(const char *url)
{
    for (const char *at = url; *(at += strcspn(at, "{}"));) {
        if (strncmp(at, ID, strlen(ID)) == 0)
            at += strlen(ID);
        else if (strncmp(at, APP_ID, strlen(APP_ID)) == 0)
            at += strlen(APP_ID);
        else
            return true;
    }
    return false;
}

bool rest_template_check_url(const char *url, struct rest_reason *reason)
{
    const char *rest = behind_host(url);
    const char *brace = strchr(url, '{');
    for (const char *at = url; *at; at++)
        if ((unsigned char)*at <= 0x20 || (unsigned char)*at >= 0x7f) {
            rest_reason_set(reason, "\"url\" holds a blank, a control character or one that is not "
                                    "ASCII: write it percent-encoded");
            return false;
        }
    if (has_stray_brace(url))
        rest_reason_set(reason, "\"url\" knows the placeholders {id} and {appId}, and no other "
                                "braces");
    else if (brace && brace < rest)
        rest_reason_set(reason,
                        "\"url\" has a placeholder in its host: it may be in path or query only");
    else if (strchr(url, '#'))
        rest_reason_set(reason, "\"url\" has a fragment (#), which is never sent");
    else
        return true;
    return false;
}

bool rest_template_takes_id(const char *url, const char *id, size_t length)
{
    const char *placeholder = strstr(url, ID);
    const char *path = behind_host(url);
    if (!placeholder || placeholder > path + strcspn(path, "?"))
        return true;
    for (size_t start = 0, end; start <= length; start = end + 1) {
        for (end = start; end < length && id[end] != '/' && id[end] != '\\';)
            end++;
        if ((end - start == 1 && id[start] == '.') ||
            (end - start == 2 && memcmp(id + start, "..", 2) == 0))
            return false;
    }
    return true;
}
