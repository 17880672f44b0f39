/* SPDX-License-Identifier: MIT
 *
 * file_cdb.h: a compiled members file: a constant database (cdb) that is opened
 * in the same time whatever its size, and whose pages processes share.  It is
 * replaced by rename only: who writes into it while it is open may crash its
 * readers.  Made by `memberchat index`.
 *
 * Each member's key is the id, the value its line of the members file.  A value
 * that begins with NUL says that the id stands in several lines.  Beside them
 * there is one record, whose key no id can be, with the header line.
 */
#ifndef MEMBERCHAT_FILE_CDB_H
#define MEMBERCHAT_FILE_CDB_H

#include "table.h"

struct file_cdb;

/* Opens what `fd` is, which stays the caller's and may be closed.  NULL: with a
 * reason, which does not name the path. */
struct file_cdb *file_cdb_open(int fd, const struct file_settings *settings,
                               struct file_reason *reason);
void file_cdb_close(struct file_cdb *cdb);

const struct file_header *file_cdb_header(const struct file_cdb *cdb);
size_t file_cdb_members(const struct file_cdb *cdb);
size_t file_cdb_longest(const struct file_cdb *cdb); /* line */

/* As file_table_find(), for any number of threads; the twin is in *twin_r.
 * FILE_BROKEN: the file is damaged where this id should be. */
enum file_answer file_cdb_find(const struct file_cdb *cdb, struct file_csv *csv, const char *id,
                               size_t length, struct file_row *row_r, struct file_twin *twin_r);

/* Writes the members of a table to `fd`, an empty file open for reading and
 * writing.  False: with a reason. */
bool file_cdb_write(const struct file_table *table, int fd, struct file_reason *reason);

#endif
