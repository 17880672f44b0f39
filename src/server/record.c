/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <fastcgi.h>
#include <string.h>

#define OUR_NAME "MEMBERCHAT"

static void write_header(unsigned char header_r[RECORD_HEADER_LENGTH], int type, uint16_t id,
                         size_t length)
{
    const FCGI_Header header = {.version = FCGI_VERSION_1,
                                .type = (unsigned char)type,
                                .requestIdB1 = (unsigned char)(id >> 8),
                                .requestIdB0 = (unsigned char)id,
                                .contentLengthB1 = (unsigned char)(length >> 8),
                                .contentLengthB0 = (unsigned char)length};
    _Static_assert(sizeof header == RECORD_HEADER_LENGTH, "a FastCGI header has 8 bytes");
    memcpy(header_r, &header, sizeof header);
}

void record_append(struct bytes *out, int type, uint16_t id, struct span content)
{
    unsigned char header[RECORD_HEADER_LENGTH];
    write_header(header, type, id, content.length);
    bytes_add(out, (const char *)header, sizeof header);
    bytes_add_span(out, content);
}

void record_append_answer(struct bytes *out, uint16_t id, struct span content)
{
    static const FCGI_EndRequestBody end = {.protocolStatus = FCGI_REQUEST_COMPLETE};
    while (content.length) {
        size_t length = content.length < RECORD_CONTENT_MAX ? content.length : RECORD_CONTENT_MAX;
        record_append(out, FCGI_STDOUT, id, (struct span){content.data, length});
        content.data += length;
        content.length -= length;
    }
    record_append(out, FCGI_STDOUT, id, SPAN_NONE);
    record_append(out, FCGI_END_REQUEST, id, (struct span){(const char *)&end, sizeof end});
}

/* Section 4.1: a variable's name, without a value. */
void record_append_query(struct bytes *out)
{
    static const char pair[] = "\12\0" OUR_NAME;
    _Static_assert(sizeof OUR_NAME - 1 == 10, "the length in front");
    record_append(out, FCGI_GET_VALUES, FCGI_NULL_REQUEST_ID, (struct span){pair, sizeof pair - 1});
}

void record_append_query_answer(struct bytes *out, struct span query)
{
    static const char pair[] = "\12\1" OUR_NAME "1";
    bool ours = memmem(query.data, query.length, OUR_NAME, strlen(OUR_NAME)) != NULL;
    record_append(out, FCGI_GET_VALUES_RESULT, FCGI_NULL_REQUEST_ID,
                  (struct span){pair, ours ? sizeof pair - 1 : 0});
}

bool record_is_our_answer(struct span bytes)
{
    return bytes.length > RECORD_HEADER_LENGTH && bytes.data[1] == FCGI_GET_VALUES_RESULT &&
           memmem(bytes.data + RECORD_HEADER_LENGTH, bytes.length - RECORD_HEADER_LENGTH, OUR_NAME,
                  strlen(OUR_NAME));
}
