/* SPDX-License-Identifier: MIT */
#include "ber.h"

#include <string.h>

size_t ldap_ber_begin(struct bytes *out, int tag)
{
    const char head[] = {(char)tag, 0};
    bytes_add(out, head, sizeof head); /* room for a short length */
    return out->length;
}

void ldap_ber_end(struct bytes *out, size_t start)
{
    size_t length = out->length - start;
    char *data = bytes_reserve(out, sizeof length);
    if (!data)
        return;
    data = out->data + start;
    if (length < 0x80) {
        data[-1] = (char)length;
        return;
    }
    size_t more = length > 0xffffff ? 4 : length > 0xffff ? 3 : length > 0xff ? 2 : 1;
    memmove(data + more, data, length);
    data[-1] = (char)(0x80 | more);
    for (size_t i = 0; i < more; i++)
        data[i] = (char)(length >> 8 * (more - 1 - i));
    out->length += more;
}

void ldap_ber_add(struct bytes *out, int tag, struct span content)
{
    size_t start = ldap_ber_begin(out, tag);
    bytes_add_span(out, content);
    ldap_ber_end(out, start);
}

void ldap_ber_add_number(struct bytes *out, int tag, int64_t number)
{
    const char digits[] = {(char)(number >> 24), (char)(number >> 16), (char)(number >> 8),
                           (char)number};
    size_t skip = 0;
    while (skip < 3 && digits[skip] == 0 && (digits[skip + 1] & 0x80) == 0)
        skip++;
    ldap_ber_add(out, tag, (struct span){digits + skip, sizeof digits - skip});
}

bool ldap_ber_size(struct span in, size_t *head_r, size_t *size_r)
{
    const unsigned char *data = (const unsigned char *)in.data;
    *size_r = 0;
    if (in.length > 0 && (data[0] & 0x1f) == 0x1f)
        return false;
    if (in.length < 2)
        return true;
    size_t head = 2, length = data[1];
    if (length & 0x80) {
        size_t more = length & 0x7f;
        if (more < 1 || more > 4)
            return false;
        if (in.length < 2 + more)
            return true;
        for (length = 0; head < 2 + more; head++)
            length = length << 8 | data[head];
    }
    *head_r = head;
    *size_r = head + length;
    return true;
}

bool ldap_ber_take(struct span *in, int *tag_r, struct span *content_r)
{
    size_t head, size;
    if (!ldap_ber_size(*in, &head, &size) || !size || size > in->length)
        return false;
    *tag_r = (unsigned char)in->data[0];
    *content_r = (struct span){in->data + head, size - head};
    *in = (struct span){in->data + size, in->length - size};
    return true;
}

bool ldap_ber_take_as(struct span *in, int tag, struct span *content_r)
{
    int found;
    return in->length && (unsigned char)in->data[0] == tag && ldap_ber_take(in, &found, content_r);
}

bool ldap_ber_take_number(struct span *in, int tag, int32_t *number_r)
{
    struct span content;
    uint32_t number = 0;
    if (!ldap_ber_take_as(in, tag, &content) || content.length < 1 || content.length > 4 ||
        (content.data[0] & 0x80))
        return false;
    for (size_t i = 0; i < content.length; i++)
        number = number << 8 | (unsigned char)content.data[i];
    *number_r = (int32_t)number;
    return true;
}
