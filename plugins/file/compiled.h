/* SPDX-License-Identifier: MIT
 * A compiled members file: a constant database (cdb) that is opened in the same time
 * whatever its size, and whose pages processes share.  It is replaced by rename only:
 * writing into it while it is open may crash its readers.  Made by `memberchat index`.
 *
 * Each member's key is the id, the value its record of the members file.  A value that
 * begins with NUL says why the id cannot be used.  Beside them there is one record, whose
 * key no id can be, with the header. */
#ifndef COMPILED_H
#define COMPILED_H

#include "table.h"

struct compiled;

/* Opens what `fd` is, which stays the caller's and may be closed.  If it is not LOAD_DONE, a
 * reason, which does not name the path. */
enum load compiled_open(int fd, const struct column_names *names, struct compiled **compiled_r,
                        struct reason *why);
void compiled_close(struct compiled *compiled);

const struct columns *compiled_columns(const struct compiled *compiled);
size_t compiled_count(const struct compiled *compiled);

/* What was counted when it was compiled.  False: only the number of members is known. */
bool compiled_census(const struct compiled *compiled, const struct file_settings *settings,
                     struct census *census_r);
struct splitter *compiled_splitter(const struct compiled *compiled); /* for its records */

/* As table_find(). */
enum answer compiled_find(const struct compiled *compiled, struct splitter *splitter,
                          struct span id, struct row *row_r, struct table_note *note_r);

/* Writes the members of a table to `fd`, an empty file open for reading and
 * writing.  False: with a reason. */
bool compiled_write(const struct table *table, int fd, struct reason *why);

#endif
