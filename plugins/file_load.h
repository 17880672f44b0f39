/* SPDX-License-Identifier: MIT
 *
 * file_load.h: from a path to an opened members file.  The store knows members
 * files only by this and file_members.h: another format joins here.
 */
#ifndef MEMBERCHAT_FILE_LOAD_H
#define MEMBERCHAT_FILE_LOAD_H

#include "file_members.h"

#include <sys/types.h>
#include <time.h>

/* Tells one content of a path from another. */
struct file_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

enum file_load {
    FILE_LOADED = 1,
    FILE_REFUSED, /* not before someone mends it */
    FILE_CHANGING /* someone writes it right now: try again in a moment */
};

/* False, with a reason, when there is nothing to be seen at `path`. */
bool file_stamp_read(const char *path, struct file_stamp *stamp_r, struct file_reason *reason);
bool file_stamp_same_file(const struct file_stamp *a, const struct file_stamp *b);
bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b);

/* Opens a compiled members file (its name ends in .cdb), or reads, checks and
 * indexes one of text.  FILE_LOADED: *members_r is the caller's, to be freed.  Otherwise a reason,
 * which begins with the path. *stamp_r is the content that this is about; all zero where the next
 * try may end otherwise though the stamp is the same. */
enum file_load file_load(const struct file_settings *settings, const struct file_report *report,
                         struct file_stamp *stamp_r, struct file_members **members_r,
                         struct file_reason *reason);

/* Only whether the file can be read and has a good header.  False: with a reason. */
bool file_load_check(const struct file_settings *settings, struct file_reason *reason);

#endif
