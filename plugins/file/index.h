/* SPDX-License-Identifier: MIT
 * From a members file of text to a compiled one. */
#ifndef INDEX_H
#define INDEX_H

#include "members.h"

#include <limits.h>

/* A compiled file that lies beside the place where it will be. */
struct index {
    const char *to;
    char beside[PATH_MAX];
    int folder; /* where both are */
    size_t members;
};

/* Compiles the file that the settings name, with the same permissions, to beside `to`.
 * False: with a reason, which begins with a path, and nothing is left behind. */
bool index_make(const struct file_settings *settings, const struct table_report *report,
                const char *to, struct index *index_r, struct reason *why);

/* Renames it into place, so that readers see the old file or the new one whole.  False:
 * with a reason, and the old one is there.  *synced_r: a power cut cannot undo it. */
bool index_place(struct index *index, bool *synced_r, struct reason *why);

/* Removes it instead. */
void index_drop(struct index *index);

#endif
