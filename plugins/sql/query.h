/* SPDX-License-Identifier: MIT
 * The administrator's query: one harmless statement, with {id} and {appId} as parameters.  Pure. */
#ifndef QUERY_H
#define QUERY_H

#include "base/bytes.h"
#include "base/reason.h"

/* How a database writes parameters, and what its strings and comments look like. */
enum query_dialect { QUERY_MYSQL, QUERY_PGSQL, QUERY_SQLITE };

enum query_parameter { QUERY_ID = 1, QUERY_APP = 2 };

enum { QUERY_PARAMETERS_MAX = 32 };

struct query {
    struct bytes
        sql; /* MySQL: a "?" each time; others: $1 or ?1 for the id, $2 or ?2 for the app */
    unsigned char parameters[QUERY_PARAMETERS_MAX]; /* enum query_parameter, as they stand */
    size_t count;
    bool per_app; /* {appId} is in it */
};

/* False: with a reason.  query_free() in any case. */
bool query_read(const char *text, enum query_dialect dialect, struct query *query_r,
                struct reason *why);
void query_free(struct query *query);

#endif
