/* SPDX-License-Identifier: MIT
 *
 * file_members.h: an opened members file, whatever its format: a table made from
 * CSV, or a compiled file.  Immutable, so any number of threads may ask it.
 */
#ifndef MEMBERCHAT_FILE_MEMBERS_H
#define MEMBERCHAT_FILE_MEMBERS_H

#include "cdb.h"
#include "table.h"

struct file_members;

/* Take over what they get.  NULL: no memory, and it is freed. */
struct file_members *file_members_from_table(struct file_table *table);
struct file_members *file_members_from_cdb(struct file_cdb *cdb);
void file_members_free(struct file_members *members);

const struct file_header *file_members_header(const struct file_members *members);
size_t file_members_count(const struct file_members *members);

/* The table of a file of text; NULL for a compiled one. */
const struct file_table *file_members_table(const struct file_members *members);

/* Looks `id` up.  FILE_HERE: *row_r is valid as that of file_csv_split().
 * FILE_TWICE: *twin_r.  The splitter takes lines of file_members_longest() bytes. */
enum file_answer file_members_find(const struct file_members *members, struct file_csv *csv,
                                   const char *id, size_t length, struct file_row *row_r,
                                   struct file_twin *twin_r);
size_t file_members_longest(const struct file_members *members);

/* Describes the member of a row to the host: FOUND, NOT_FOUND when it is not
 * active, MISCONFIGURED when the host would not have a field. */
enum memberchat_outcome file_members_tell(const struct file_members *members,
                                          const struct file_settings *settings,
                                          const struct file_row *row,
                                          const struct memberchat_services *services,
                                          struct memberchat_result *result);

#endif
