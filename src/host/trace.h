/* SPDX-License-Identifier: MIT
 * W3C Trace Context: the trace that a request belongs to, by its header traceparent. */
#ifndef TRACE_H
#define TRACE_H

#include "base/bytes.h"

enum { TRACE_ID_LENGTH = 32, TRACE_PARENT_LENGTH = 16, TRACE_TEXT_SIZE = 56 };

struct trace {
    char id[TRACE_ID_LENGTH]; /* hexadecimal digits, in lower case */
    char parent[TRACE_PARENT_LENGTH];
    bool sampled;
};

/* False: the header is missing or not what the standard says, and is to be ignored. */
bool trace_parse(struct span header, struct trace *trace_r);

/* The trace of what this thread does from now on; NULL: none.  Borrowed. */
void trace_set(const struct trace *trace);

/* The header for a request to somebody else, with a new parent id; NULL: there is no trace, or
 * there are no random numbers. */
const char *trace_next(char text[TRACE_TEXT_SIZE]);

#endif
