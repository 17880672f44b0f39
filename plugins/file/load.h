/* SPDX-License-Identifier: MIT
 *
 * file_load.h: from a path to an opened members file.  The store knows members
 * files only by this and file_members.h: another format joins here.
 */
#ifndef MEMBERCHAT_FILE_LOAD_H
#define MEMBERCHAT_FILE_LOAD_H

#include "members.h"

#include "base/file.h"

enum file_load {
    FILE_LOADED = 1,
    FILE_REFUSED, /* not before someone mends it */
    FILE_CHANGING /* someone writes it right now: try again in a moment */
};

/* Says what went wrong with `path`, by errno, and what helps. */
void file_reason_errno(const char *path, int error, struct file_reason *reason);

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
