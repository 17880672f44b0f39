/* SPDX-License-Identifier: MIT
 * A members file, whatever its format: a table made from CSV, or a compiled file.
 * Immutable once loaded, so any number of threads may ask it. */
#ifndef MEMBERS_H
#define MEMBERS_H

#include "table.h"

#include "base/file.h"

struct members;

/* Opens a compiled members file (its name ends in .cdb), or reads, checks and indexes one
 * of text.  LOAD_DONE: *members_r is the caller's.  Otherwise a reason, which begins with
 * the path.  *stamp_r is the content that this is about; all zero where the next try may
 * end otherwise though the stamp is the same. */
enum load members_load(const struct file_settings *settings, const struct table_report *report,
                       struct file_stamp *stamp_r, struct members **members_r, struct reason *why);
void members_free(struct members *members);

/* Whether the file can be read and its header has what is asked for; no more than its
 * beginning is read.  False: with a reason, which begins with the path. */
bool members_check(const struct file_settings *settings, const struct memberchat_services *services,
                   struct reason *why);

const struct columns *members_columns(const struct members *members);
size_t members_count(const struct members *members);

/* False: active members and states are not known. */
bool members_census(const struct members *members, const struct file_settings *settings,
                    struct census *census_r);
const struct table *members_table(const struct members *members); /* NULL: it is compiled */

/* Looks an id up, and describes the member to the host. */
enum memberchat_outcome members_lookup(const struct members *members,
                                       const struct file_settings *settings, struct span id,
                                       const struct memberchat_services *services,
                                       struct memberchat_result *result);

#endif
