/* SPDX-License-Identifier: MIT
 * Notices on a shared host, where a signal cannot be sent, that the kit was replaced or its
 * configuration changed. */
#ifndef WATCH_H
#define WATCH_H

#include "base/file.h"

#include <limits.h>

/* Zeroed: nothing is watched. */
struct watch {
    const char *config_path;
    char program_path[PATH_MAX];       /* "": the program does not belong to a kit */
    struct file_stamp program, config; /* what this process runs with */
    struct file_stamp seen;            /* the configuration at the last look */
};

enum watch_change {
    WATCH_NOTHING,
    WATCH_CONFIG, /* another content, and it has been still since the last look */
    WATCH_PROGRAM /* the program is another file now, or gone: end, and let the new one start */
};

/* Watches the kit that $MEMBERCHAT_HOME names; without it, nothing.  Borrows the path. */
void watch_begin(struct watch *watch, const char *config_path);
enum watch_change watch_look(struct watch *watch);

#endif
