/* SPDX-License-Identifier: MIT
 * What a query's columns mean, and a member made of its rows.  Pure, but for the host. */
#ifndef ANSWER_H
#define ANSWER_H

#include "settings.h"

enum {
    SQL_COLUMNS_MAX = 64,
    SQL_ROWS_MAX = 1024, /* of one member */
    SQL_VALUE_MAX = 8192 /* bytes that are read; more than a member's fields may have */
};

enum sql_column { SQL_ID, SQL_NAME, SQL_AVATAR, SQL_ROLE, SQL_STATE, SQL_ATTRIBUTE, SQL_UNUSED };

/* The columns of a query. */
struct sql_shape {
    size_t count;
    enum sql_column columns[SQL_COLUMNS_MAX];
    char names[SQL_COLUMNS_MAX][MEMBERCHAT_ATTRIBUTE_NAME_MAX + 1]; /* of attributes */
};

/* Adds a column: by its alias in any case (PostgreSQL writes names in lower case), or an
 * attribute that is wanted. */
bool sql_shape_add(struct sql_shape *shape, struct span name, const struct memberchat_list *wanted,
                   struct reason *why);
/* Whether the columns mean the same, in the same order. */
bool sql_shape_equal(const struct sql_shape *a, const struct sql_shape *b);
/* Whether an attribute is among the columns. */
bool sql_shape_has(const struct sql_shape *shape, const char *attribute);

bool sql_shape_is_good(const struct sql_shape *shape, struct reason *why);

struct sql_answer {
    const struct sql_settings *settings;
    const struct memberchat_services *services;
    struct memberchat_result *result;
    struct span asked;                    /* the id */
    enum memberchat_outcome outcome;      /* NOT_FOUND at the start */
    size_t rows, empty_rows, value_count; /* rows with an id, and without one */
    bool unread;                          /* rows are left on the connection: it is of no use */
    struct {
        size_t column;
        uint64_t hash;
    } values[MEMBERCHAT_VALUES_MAX]; /* of attributes that were set */
    uint64_t key[2];                 /* of the hashes */
    char id[MEMBERCHAT_ID_MAX];      /* of the first row */
    size_t id_length;
};

/* Takes a row; values without data are NULL.  False: no more rows are needed. */
bool sql_answer_add(struct sql_answer *answer, const struct sql_shape *shape,
                    const struct span values[]);

#endif
