/* SPDX-License-Identifier: MIT
 * https://www.w3.org/TR/trace-context-1/, sections 3.2 and 3.3 */
#include "trace.h"

#include "base/random.h"

#include <stdio.h>
#include <string.h>

#define LENGTH 55 /* of version 00 */

static _Thread_local const struct trace *current;

static bool is_hex(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
    return true;
}

static bool is_id(const char *text, size_t length)
{
    bool some = false;
    for (size_t i = 0; i < length; i++)
        some = some || text[i] != '0';
    return some && is_hex(text, length);
}

/* A later version may have more behind a dash. */
static bool has_good_end(struct span header)
{
    bool first = memcmp(header.data, "00", 2) == 0;
    return header.length == LENGTH || (!first && header.data[LENGTH] == '-');
}

bool trace_parse(struct span header, struct trace *trace_r)
{
    const char *text = header.data;
    if (header.length < LENGTH || !is_hex(text, 2) || memcmp(text, "ff", 2) == 0 ||
        !has_good_end(header) || text[2] != '-' || text[35] != '-' || text[52] != '-' ||
        !is_id(text + 3, TRACE_ID_LENGTH) || !is_id(text + 36, TRACE_PARENT_LENGTH) ||
        !is_hex(text + 53, 2))
        return false;
    memcpy(trace_r->id, text + 3, TRACE_ID_LENGTH);
    memcpy(trace_r->parent, text + 36, TRACE_PARENT_LENGTH);
    trace_r->sampled = memchr("13579bdf", text[54], 8) != NULL;
    return true;
}

void trace_set(const struct trace *trace)
{
    current = trace;
}

const char *trace_next(char text[TRACE_TEXT_SIZE])
{
    static const char none[TRACE_PARENT_LENGTH / 2];
    unsigned char parent[TRACE_PARENT_LENGTH / 2];
    if (!current || !random_fill(parent, sizeof parent))
        return NULL;
    if (memcmp(parent, none, sizeof none) == 0)
        parent[0] = 1;
    int length = snprintf(text, TRACE_TEXT_SIZE, "00-%.*s-", TRACE_ID_LENGTH, current->id);
    for (size_t i = 0; i < sizeof parent; i++)
        length += snprintf(text + length, 3, "%02x", parent[i]);
    snprintf(text + length, (size_t)(TRACE_TEXT_SIZE - length), "-0%d", current->sampled);
    return text;
}
