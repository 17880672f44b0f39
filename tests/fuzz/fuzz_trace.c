/* SPDX-License-Identifier: MIT
 * The header traceparent, and what is told the next service. */
#include "fuzz.h"

#include "host/trace.h"

#include <string.h>

const char fuzz_corpus[] = "trace";

static bool is_lower_hex(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!text[i] || !strchr("0123456789abcdef", text[i]))
            return false;
    return true;
}

/* The same trace with another parent. */
static void check_next(const struct trace *trace)
{
    char text[TRACE_TEXT_SIZE];
    struct trace next;
    trace_set(trace);
    const char *header = trace_next(text);
    must(header && strlen(header) == TRACE_TEXT_SIZE - 1 && memcmp(header, "00-", 3) == 0);
    must(trace_parse(span_of(header), &next));
    must(memcmp(next.id, trace->id, TRACE_ID_LENGTH) == 0 && next.sampled == trace->sampled);
    must(memcmp(next.parent, trace->parent, TRACE_PARENT_LENGTH) != 0);
    trace_set(NULL);
    must(!trace_next(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace trace;
    if (trace_parse((struct span){(const char *)data, size}, &trace)) {
        must(is_lower_hex(trace.id, TRACE_ID_LENGTH));
        must(is_lower_hex(trace.parent, TRACE_PARENT_LENGTH));
        must(strspn(trace.id, "0") < TRACE_ID_LENGTH);
        check_next(&trace);
    }
    return 0;
}
