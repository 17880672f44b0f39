/* SPDX-License-Identifier: MIT
 *
 * file_text.h: a members file as text: its lines and its header.  Pure.
 */
#ifndef MEMBERCHAT_FILE_TEXT_H
#define MEMBERCHAT_FILE_TEXT_H

#include "csv.h"

/* Takes the next line off the text, without its LF or CR LF.  False at the end. */
bool file_text_next_line(struct file_text *rest, struct file_text *line_r);

/* Neither UTF-16 nor binary.  False: with a reason. */
bool file_text_is_plain(const char *text, size_t size, struct file_reason *reason);

/* Takes the header, the first line that is not empty, off the text, and a byte
 * order mark before it.  False: with a reason. */
bool file_text_take_header(struct file_text *rest, struct file_csv *csv,
                           const char *const columns[FILE_MAPPED], struct file_header *header_r,
                           struct file_text *line_r, size_t *lines_r, struct file_reason *reason);

/* Only whether a text begins with a good header; it may be cut off behind that. */
bool file_text_check(const char *text, size_t size, const char *const columns[FILE_MAPPED],
                     struct file_reason *reason);

#endif
