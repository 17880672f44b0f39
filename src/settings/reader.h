/* SPDX-License-Identifier: MIT
 * From the text of a configuration file to a tree: the syntax of libconfig, with
 * every failure reported.  memberchat.conf(5) describes the syntax. */
#ifndef READER_H
#define READER_H

#include "config.h"

#include "base/reason.h"

#include <sys/types.h>

/* A setting.  An element of a list has no name, the root neither name nor parent. */
struct config_node {
    const char *name;
    const struct config_node *parent;
    struct config_node *next;
    const char *file; /* that holds it, and the line where it begins */
    unsigned line, index;
    enum config_kind kind;
    unsigned count; /* of the children of a group or list */
    union {         /* by kind */
        bool boolean;
        int64_t integer;
        double fraction;
        const char *string;
        struct {
            struct config_node *first;
            const struct config_node **by_name; /* of a group; of one name, the first is first */
        };
    };
};

/* A file that was read; one that is included twice counts twice. */
struct reader_file {
    struct reader_file *next;
    const char *path;
    mode_t mode;
};

struct reader_result {
    const struct config_node *root;
    const struct reader_file *files; /* in the order in which they were opened */
};

/* What is wrong: with a line of a file, or, where `line` is 0, with the file. */
struct reader_fault {
    const char *path;
    unsigned line;
    struct reason why;
};

/* Reads the file and what it includes.  All that it makes, also the fault's path, lives
 * in `arena`, and fails with it.  False: the fault says why; path NULL: out of memory.  Else the
 * result has the settings that stand whole in front of it. */
bool reader_read(const char *path, struct arena *arena, struct reader_result *result_r,
                 struct reader_fault *fault_r);

#endif
