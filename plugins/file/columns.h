/* SPDX-License-Identifier: MIT
 * What the columns of a members file are for, and which records are good.  Pure. */
#ifndef COLUMNS_H
#define COLUMNS_H

#include "base/reason.h"
#include "memberchat_store.h"
#include "row.h"

/* What the configuration can name a column for. */
enum column { COLUMN_ID, COLUMN_NAME, COLUMN_AVATAR, COLUMN_ROLE, COLUMN_STATE, COLUMNS };

/* Names by enum column, "" for none, and the attributes that are asked for. */
struct column_names {
    const char *of[COLUMNS];
    struct memberchat_list wanted;
};

struct columns {
    size_t count;
    size_t at[COLUMNS]; /* SIZE_MAX: there is none */
    size_t attribute_count;
    struct {
        size_t at;
        struct span name;
    } attributes[ROW_FIELDS_MAX];
};

/* Takes the header off the text: the first line that is not blank; before it there may be
 * a byte order mark, and a line "sep=;" that names the separator.  row_r->lines is the
 * number of the header's last line.  False: with a reason. */
bool columns_take(struct splitter *splitter, struct span *rest, const struct column_names *names,
                  struct columns *columns_r, struct row *row_r, struct reason *why);

/* The same for a header that was split before. */
bool columns_read(const struct row *row, const struct column_names *names,
                  struct columns *columns_r, struct reason *why);

/* Whether there is a column for an attribute. */
bool columns_has(const struct columns *columns, const char *attribute);

/* A field of a record; empty where it, or the column, is missing. */
struct span columns_field(const struct columns *columns, const struct row *row, enum column column);

/* What makes a record useless, a constant, or NULL.  Columns that are not used may
 * hold anything. */
const char *columns_fault(const struct columns *columns, const struct row *row);

/* Whether a text is UTF-8.  Half a surrogate pair counts as such: it spoils its field, and
 * says nothing about the encoding of the file.  *end_r: what precedes the first fault. */
bool columns_is_utf8(struct span text, size_t *end_r);

#endif
