/* SPDX-License-Identifier: MIT
 * The configuration file as a tree of settings, and the report of what is wrong
 * with it. */
#ifndef CONFIG_H
#define CONFIG_H

#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>

/* What was found wrong: lines "FILE:LINE: key: reason\n" in `text`, those about one
 * file in the order of its lines.  The counts are the verdict: they also hold where
 * there was no memory for a text. */
struct config_report {
    struct bytes text;
    unsigned errors, warnings;
    bool out_of_memory; /* one of the errors */
};

void config_report_free(struct config_report *report);

/* Memory has run out: counts as one error, however often it is said. */
void config_report_no_memory(struct config_report *report);

/* Calls `line` for each line of the report, without its newline; one of them says so where
 * memory has run out.  Takes no memory itself. */
void config_report_each(struct config_report *report, void (*line)(struct span text, void *context),
                        void *context);

/* Whether such a line is a warning; then its place, and what it says there. */
bool config_line_is_warning(struct span line, struct span *place_r, struct span *text_r);

/* The lines on a stream. */
void config_report_print(struct config_report *report, FILE *out);

struct config;      /* a configuration file that was read */
struct config_node; /* a setting in it */

/* Reads a file.  NULL when it cannot be read or parsed; the report says why.  Settings that
 * stand twice in a group are in the report, and the first one counts. */
struct config *config_open(const char *path, struct config_report *report);

/* The same, but where the syntax is wrong, there is what stands in front of the mistake. */
struct config *config_open_part(const char *path, struct config_report *report);
void config_close(struct config *config);

const struct config_node *config_root(const struct config *config);
const struct config_node *config_child(const struct config_node *group, const char *name);

/* The first setting of a group, or element of a list, and the one after it; NULL: there
 * is none. */
const struct config_node *config_first(const struct config_node *group);
const struct config_node *config_next(const struct config_node *node);
unsigned config_count(const struct config_node *group);

const char *config_name(const struct config_node *node);
bool config_is_group(const struct config_node *node);

enum config_kind {
    CONFIG_KIND_STRING,
    CONFIG_KIND_INTEGER,
    CONFIG_KIND_FLOAT,
    CONFIG_KIND_BOOL,
    CONFIG_KIND_GROUP,
    CONFIG_KIND_LIST
};
enum config_kind config_kind(const struct config_node *node);
const char *config_string(const struct config_node *node); /* NULL: of another kind */
int64_t config_integer(const struct config_node *node);
bool config_bool(const struct config_node *node);

/* The path of the file that holds the setting, and the line where it begins. */
const char *config_file(const struct config_node *node);
unsigned config_line(const struct config_node *node);

/* The text of a group, for telling whether two are the same.  NULL: out of memory. */
const char *config_fingerprint(const struct config_node *node, struct arena *arena);

enum config_severity { CONFIG_ERROR, CONFIG_WARNING };

/* Reports on `key` inside `node` (NULL: on the node itself); the line is that
 * of the key where it stands, else that of the node. */
void config_tell(struct config_report *report, enum config_severity severity,
                 const struct config_node *node, const char *key, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
#define config_error(REPORT, ...)   config_tell(REPORT, CONFIG_ERROR, __VA_ARGS__)
#define config_warning(REPORT, ...) config_tell(REPORT, CONFIG_WARNING, __VA_ARGS__)

/* For mistakes that belong to no setting: "FILE: reason", "FILE:LINE: warning: reason". */
void config_tell_file(struct config_report *report, enum config_severity severity, const char *path,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));
void config_line_warning(struct config_report *report, const char *path, unsigned line,
                         const char *reason);

#endif
