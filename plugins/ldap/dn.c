/* SPDX-License-Identifier: MIT */
#include "dn.h"

#include "base/text.h"

#include <string.h>

/* The text up to one of these bytes that is not escaped, which it takes off. */
static struct span take_until(struct span *text, const char *ends)
{
    size_t length = 0;
    while (length < text->length && !memchr(ends, text->data[length], strlen(ends)))
        length += text->data[length] == '\\' && length + 1 < text->length ? 2 : 1;
    struct span part = {text->data, length};
    *text = (struct span){text->data + length, text->length - length};
    return part;
}

static void unescape(struct span text, struct bytes *out)
{
    for (size_t i = 0; i < text.length; i++) {
        char byte = text.data[i];
        if (byte == '\\' && i + 2 < text.length && text_hex_digit(text.data[i + 1]) >= 0 &&
            text_hex_digit(text.data[i + 2]) >= 0) {
            byte = (char)(text_hex_digit(text.data[i + 1]) * 16 + text_hex_digit(text.data[i + 2]));
            i += 2;
        } else if (byte == '\\' && i + 1 < text.length) {
            byte = text.data[++i];
        }
        bytes_add(out, &byte, 1);
    }
}

bool ldap_dn_value(struct span dn, const char *attribute, struct bytes *out)
{
    while (dn.length) {
        struct span type = span_trim(take_until(&dn, "=,+"), " ");
        if (!dn.length || *dn.data != '=')
            return false;
        dn = (struct span){dn.data + 1, dn.length - 1};
        struct span value = take_until(&dn, ",;+");
        if (span_equal_nocase(type, attribute)) {
            /* a blank at the end may be escaped, and then it belongs to the value */
            struct span trimmed = span_trim(value, " ");
            size_t slashes = 0;
            while (slashes < trimmed.length && trimmed.data[trimmed.length - 1 - slashes] == '\\')
                slashes++;
            trimmed.length +=
                slashes % 2 && trimmed.data + trimmed.length < value.data + value.length;
            unescape(trimmed, out);
            return true;
        }
        if (!dn.length || *dn.data != '+')
            return false;
        dn = (struct span){dn.data + 1, dn.length - 1};
    }
    return false;
}
