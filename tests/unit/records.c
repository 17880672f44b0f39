/* SPDX-License-Identifier: MIT */
#include "records.h"

#include <string.h>

void record_add(struct bytes *out, int type, int id, struct span content, size_t padding)
{
    static const char zeros[256];
    bytes_addf(out, "%c%c%c%c%c%c%c%c", 1, type, id >> 8 & 255, id & 255,
               (int)(content.length >> 8), (int)(content.length & 255), (int)padding, 0);
    bytes_add_span(out, content);
    bytes_add(out, zeros, padding);
}

void record_add_begin(struct bytes *out, int id, int role, bool keep)
{
    const char body[8] = {(char)(role >> 8), (char)role, keep, 0, 0, 0, 0, 0};
    record_add(out, RECORD_BEGIN, id, (struct span){body, sizeof body}, 0);
}

static void add_length(struct bytes *out, size_t length)
{
    if (length < 128)
        bytes_addf(out, "%c", (int)length);
    else
        bytes_addf(out, "%c%c%c%c", (int)(length >> 24 | 0x80), (int)(length >> 16 & 255),
                   (int)(length >> 8 & 255), (int)(length & 255));
}

void record_add_pair(struct bytes *out, struct span name, struct span value)
{
    add_length(out, name.length);
    add_length(out, value.length);
    bytes_add_span(out, name);
    bytes_add_span(out, value);
}

void record_add_stream(struct bytes *out, int type, int id, struct span content)
{
    for (size_t at = 0; at < content.length; at += 65535) {
        size_t length = content.length - at < 65535 ? content.length - at : 65535;
        record_add(out, type, id, (struct span){content.data + at, length}, 0);
    }
    record_add(out, type, id, SPAN_NONE, 0);
}

void record_add_request(struct bytes *out, int id, bool keep, const char *const *pairs,
                        struct span body)
{
    struct bytes params = {0};
    record_add_begin(out, id, 1, keep);
    for (; pairs && *pairs; pairs += 2)
        record_add_pair(&params, span_of(pairs[0]), span_of(pairs[1]));
    record_add_stream(out, RECORD_PARAMS, id, bytes_span(&params));
    record_add_stream(out, RECORD_STDIN, id, body);
    bytes_free(&params);
}

bool record_take(struct span *rest, struct record *record_r)
{
    const unsigned char *header = (const unsigned char *)rest->data;
    if (rest->length < 8)
        return false;
    size_t length = (size_t)header[4] << 8 | header[5], whole = 8 + length + header[6];
    if (rest->length < whole)
        return false;
    *record_r = (struct record){header[1], header[2] << 8 | header[3], {rest->data + 8, length}};
    *rest = (struct span){rest->data + whole, rest->length - whole};
    return true;
}
