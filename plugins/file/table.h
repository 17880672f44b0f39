/* SPDX-License-Identifier: MIT
 * A members file in memory: its text in one buffer, and an index from id to record.
 * Immutable once made, so any number of threads may ask it. */
#ifndef TABLE_H
#define TABLE_H

#include "census.h"
#include "columns.h"

#include <stdint.h>

/* What the configuration says; the key table of the store fills it. */
struct file_settings {
    const char *path, *encoding;
    const char *columns[COLUMNS]; /* "" for none */
    struct memberchat_list active_values;
    int64_t max_bad;
    int64_t separator; /* index in SEPARATOR_CHOICES */
};

#define SEPARATOR_CHOICES ", ; | tab"
char table_separator(const struct file_settings *settings);

/* Where a build reports: at `lines` each bad line and duplicate; that something
 * was bad is a warning in any case. */
struct table_report {
    const struct memberchat_services *services;
    enum memberchat_level lines;
};

/* Why an id cannot be used: two lines have it, or (then they are the same) its line is bad. */
struct table_note {
    uint32_t offset; /* of the record in the index */
    size_t first, line;
    const char *fault; /* a constant; NULL: nothing but that there is another line */
};

struct table {
    char *text;
    size_t size;
    uint64_t *slots; /* 0: free; else note flag (1 bit), tag (31), offset of the record (32) */
    uint32_t slot_count;
    uint64_t key[2]; /* of the hash, random */
    char separator;
    size_t longest;       /* record or header */
    size_t lines, bad;    /* bad: records that are of no use */
    struct census census; /* of ids that stand in one good record */
    struct columns columns;
    struct span header; /* as it stands in the text */
    struct table_note *notes;
    size_t note_count;
};

enum load {
    LOAD_DONE = 1,
    LOAD_REFUSED,  /* not before someone mends the content */
    LOAD_CHANGING, /* someone writes it right now: try again in a moment */
    LOAD_FAILED    /* memory or another resource is short: try again later */
};

/* Checks and indexes the text of a members file in UTF-8: takes over `text` (from malloc) in
 * any case.  If it is not LOAD_DONE, a reason, which does not name the path. */
enum load table_build(char *text, size_t size, const struct file_settings *settings,
                      const struct table_report *report, struct table **table_r,
                      struct reason *why);
void table_free(struct table *table);

enum answer {
    ANSWER_HERE = 1, /* *row_r is valid as that of splitter_take() */
    ANSWER_ABSENT,
    ANSWER_NOTED, /* it cannot be used, see *note_r */
    ANSWER_BROKEN /* a compiled file is damaged where this id should be */
};

enum answer table_find(const struct table *table, struct splitter *splitter, struct span id,
                       struct row *row_r, struct table_note *note_r);

/* Calls `each` for every id once: with its record, and with its note if it has one.
 * False: no memory, and it was not called. */
bool table_each(const struct table *table,
                void (*each)(void *context, struct span id, struct span record,
                             const struct table_note *note),
                void *context);

/* Whether a state is one of active members; none is. */
bool table_is_active(const struct file_settings *settings, struct span state);

#endif
