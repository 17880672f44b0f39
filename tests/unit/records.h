/* SPDX-License-Identifier: MIT
 * FastCGI records as a web server writes them. */
#ifndef RECORDS_H
#define RECORDS_H

#include "base/bytes.h"

enum {
    RECORD_BEGIN = 1,
    RECORD_ABORT = 2,
    RECORD_END = 3,
    RECORD_PARAMS = 4,
    RECORD_STDIN = 5,
    RECORD_STDOUT = 6,
    RECORD_DATA = 8,
    RECORD_GET_VALUES = 9,
    RECORD_GET_VALUES_RESULT = 10,
    RECORD_UNKNOWN_TYPE = 11
};

void record_add(struct bytes *out, int type, int id, struct span content, size_t padding);
void record_add_begin(struct bytes *out, int id, int role, bool keep);
void record_add_pair(struct bytes *out, struct span name, struct span value);

/* In as many records as it takes, with the one that ends it. */
void record_add_stream(struct bytes *out, int type, int id, struct span content);

/* A whole request.  `pairs` is name, value, ..., NULL. */
void record_add_request(struct bytes *out, int id, bool keep, const char *const *pairs,
                        struct span body);

/* Takes one record off the front of what a responder wrote; false when there is
 * no whole one. */
struct record {
    int type, id;
    struct span content;
};
bool record_take(struct span *rest, struct record *record_r);

#endif
