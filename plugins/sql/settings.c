/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { HOST_NAME_LONGEST = 253 };

static bool is_integer(struct span id, int64_t *number_r)
{
    char text[24], again[24];
    if (id.length >= sizeof text)
        return false;
    memcpy(text, id.data, id.length);
    text[id.length] = '\0';
    if (strlen(text) != id.length || !text_parse_integer(text, number_r))
        return false;
    snprintf(again, sizeof again, "%" PRId64, *number_r);
    return strcmp(text, again) == 0; /* not 042, +42, -0 */
}

/* RFC 4122, section 3. */
static bool is_uuid(struct span id)
{
    for (size_t i = 0; i < id.length; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? id.data[i] != '-'
                                                    : text_hex_digit(id.data[i]) < 0)
            return false;
    return id.length == 36;
}

bool sql_id_fits(struct span id, enum sql_id_type type, int64_t *number_r)
{
    *number_r = 0;
    return type == SQL_TEXT || (type == SQL_INTEGER ? is_integer(id, number_r) : is_uuid(id));
}

bool sql_host_fits(const char *host)
{
    size_t length = strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789-._:%");
    const char *colon = strchr(host, ':');
    bool port = colon && !strchr(colon + 1, ':'); /* an IPv6 address has two colons or more */
    return length && length <= HOST_NAME_LONGEST && !host[length] && !port;
}
