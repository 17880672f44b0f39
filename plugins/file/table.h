/* SPDX-License-Identifier: MIT
 *
 * file_table.h: a members file in memory: its text in one buffer, and an index
 * from id to line.  Immutable once made, so any number of threads may ask it.
 */
#ifndef MEMBERCHAT_FILE_TABLE_H
#define MEMBERCHAT_FILE_TABLE_H

#include "csv.h"
#include "memberchat_store.h"

#include <stdint.h>

/* What the configuration says; the key table of the store fills it. */
struct file_settings {
    const char *path;
    const char *columns[FILE_MAPPED]; /* by enum file_kind */
    struct memberchat_list active_values;
    int64_t max_bad;
};

/* An id that stands in several lines. */
struct file_twin {
    uint32_t offset; /* of its first line: the one in the index */
    size_t first, line;
};

struct file_table {
    char *text;
    size_t size;
    uint64_t *slots; /* 0: free; else twin flag (1 bit), tag (31), offset of the line (32) */
    uint32_t slot_count;
    uint64_t key[2];   /* of the hash, random */
    size_t longest;    /* line */
    size_t members;    /* ids that stand in one line */
    size_t lines, bad; /* bad: lines that were left out */
    struct file_header header;
    struct file_text header_line; /* as it stands in the text */
    struct file_twin *twins;      /* by offset, then line */
    size_t twin_count;
};

/* Where a build reports: at `lines` each bad line and duplicate; that something
 * was bad is a warning in any case. */
struct file_report {
    const struct memberchat_services *services;
    enum memberchat_level lines;
};

enum file_answer { FILE_HERE = 1, FILE_ABSENT, FILE_TWICE, FILE_BROKEN };

/* Checks and indexes the text of a members file: takes over `text` (from
 * malloc) in any case.  NULL: with a reason, which does not name the path. */
struct file_table *file_table_build(char *text, size_t size, const struct file_settings *settings,
                                    const struct file_report *report, struct file_reason *reason);

/* Looks `id` up.  FILE_HERE: its fields, valid as those of file_csv_split().  FILE_TWICE: *twin_r.
 */
enum file_answer file_table_find(const struct file_table *table, struct file_csv *csv,
                                 const char *id, size_t length, struct file_row *row_r,
                                 const struct file_twin **twin_r);

/* Calls `each` for every id once: with its line, and with its twin when it stands
 * in several.  False: memory is short. */
bool file_table_each(const struct file_table *table,
                     void (*each)(void *context, const struct file_text *id,
                                  const struct file_text *line, const struct file_twin *twin),
                     void *context);

void file_table_free(struct file_table *table);

#endif
