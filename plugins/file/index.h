/* SPDX-License-Identifier: MIT
 *
 * file_index.h: from a members file of text to a compiled one.
 */
#ifndef MEMBERCHAT_FILE_INDEX_H
#define MEMBERCHAT_FILE_INDEX_H

#include "load.h"

/* Compiles the file that the settings name into `to`, with the same permissions:
 * written beside it, synced, renamed over it, so that readers see the old one or
 * the new one whole.  *members_r is how many there are.  False: with a reason,
 * which begins with a path, and `to` is what it was. */
bool file_index(const struct file_settings *settings, const struct file_report *report,
                const char *to, size_t *members_r, struct file_reason *reason);

#endif
