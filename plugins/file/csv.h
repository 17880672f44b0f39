/* SPDX-License-Identifier: MIT
 *
 * file_csv.h: the text of a members file: one line into fields, what the
 * header means, what a good row is.  Pure: no I/O, no state between lines.
 */
#ifndef MEMBERCHAT_FILE_CSV_H
#define MEMBERCHAT_FILE_CSV_H

#include <stdbool.h>
#include <stddef.h>

enum {
    FILE_LINE_MAX = 64 * 1024,
    FILE_COLUMNS_MAX = 64,
    FILE_ATTRIBUTES_MAX = 32,
    FILE_COLUMN_NAME_MAX = 64,
    FILE_ID_MAX = 128
};

/* What a column is for.  The first FILE_MAPPED kinds have a key in the configuration. */
enum file_kind {
    FILE_ID,
    FILE_NAME,
    FILE_AVATAR,
    FILE_ROLE,
    FILE_STATE,
    FILE_ATTRIBUTE,
    FILE_UNNAMED /* no name in the header: not looked at */
};

enum { FILE_MAPPED = FILE_ATTRIBUTE };

/* Why something was refused, for people. */
struct file_reason {
    char text[512];
};

struct file_text {
    const char *bytes;
    size_t length;
};

/* The fields of one line.  `count` goes on where `fields` ends: too many fields are seen. */
struct file_row {
    size_t count;
    bool ascii; /* nothing but printable ASCII in the line: each field is good text */
    struct file_text fields[FILE_COLUMNS_MAX];
};

struct file_header {
    size_t count;
    size_t id; /* index of the id column */
    enum file_kind kinds[FILE_COLUMNS_MAX];
    char names[FILE_COLUMNS_MAX][FILE_COLUMN_NAME_MAX + 1];
};

struct file_csv;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void file_reason_set(struct file_reason *reason, const char *format, ...);

/* A splitter for lines of up to `longest` bytes, for one thread at a time.
 * NULL when memory is short; nothing after it can run short of memory. */
struct file_csv *file_csv_new(size_t longest);
void file_csv_free(struct file_csv *csv);

/* Splits one line, given without its line end (RFC 4180, section 2; blanks
 * around a field do not count).  NULL when it is good: the fields then lie in
 * `line` or are valid until the next call; none for a blank line.  Otherwise what is wrong,
 * a constant. */
const char *file_csv_split(struct file_csv *csv, const char *line, size_t length,
                           struct file_row *row_r);

/* NULL for UTF-8 without control characters, else what it is instead, a constant. */
const char *file_text_fault(const char *bytes, size_t length);

/* Finds out what each column of the header line is for.  `mapped` are the
 * configured names by kind.  False, with a reason, when the id column is
 * missing or the header is ambiguous or too large. */
bool file_header_read(const struct file_row *row, const char *const mapped[FILE_MAPPED],
                      struct file_header *header_r, struct file_reason *reason);

bool file_header_has(const struct file_header *header, enum file_kind kind);

/* Whether a row fits the header and each field is fit for the host.  False: with a reason. */
bool file_row_check(const struct file_header *header, const struct file_row *row,
                    struct file_reason *reason);

#endif
