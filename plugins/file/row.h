/* SPDX-License-Identifier: MIT
 * One record of a members file, split into fields (RFC 4180, section 2).  Pure. */
#ifndef ROW_H
#define ROW_H

#include "base/bytes.h"

enum { ROW_LONGEST = 64 * 1024, ROW_FIELDS_MAX = 1024 };

/* `count` goes on where `fields` ends, so that too many fields are noticed. */
struct row {
    size_t count;
    size_t lines;       /* of the text that were taken; 0: the text has ended */
    bool ascii;         /* nothing but printable ASCII, so that each field is good text */
    struct span record; /* as it stands in the text, without its line end */
    struct span fields[ROW_FIELDS_MAX];
};

/* A field, empty where the record ends before it. */
struct span row_field(const struct row *row, size_t index);

/* For records of up to `longest` bytes, and one thread at a time.  NULL: no memory;
 * nothing after it can run out of memory. */
struct splitter *splitter_new(size_t longest, char separator);
void splitter_free(struct splitter *splitter);
void splitter_set_separator(struct splitter *splitter, char separator);
char splitter_separator(const struct splitter *splitter);

/* Takes the next record off the text: a line, or several where a quoted field holds line
 * ends.  Blanks around a field do not count, nor do line ends and tabs at the end of one.
 * NULL when it is good: the fields are valid until the next call, none for a blank line.
 * Otherwise what is wrong, a constant; then one line was taken, and `row_r` has the
 * fields before the fault. */
const char *splitter_take(struct splitter *splitter, struct span *rest, struct row *row_r);

#endif
