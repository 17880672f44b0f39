/* SPDX-License-Identifier: MIT
 * The log: one line an event, to stderr, syslog or a file.  Bytes that are not
 * printable are escaped, so that nothing from outside can forge a line. */
#ifndef LOG_H
#define LOG_H

#include "base/bytes.h"

#include <stdio.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON, LOG_FORMAT_COMMAND };

/* Until the first call: stderr, text, info.  `target` is "stderr", "syslog" or a
 * path; a file that cannot be opened leaves the old target in force and returns
 * false with errno set.  LOG_FORMAT_COMMAND is for people at a terminal:
 * "memberchat: warning: ...". */
bool log_configure(const char *target, enum log_level level, enum log_format format);

/* Opens the log file again, after it was renamed away. */
void log_reopen(void);

/* Writes lines that could not be written so far (log_sink.h), waiting up to `patience_ms`.
 * To be called now and then, and before the process ends.  False: some are left. */
bool log_flush(int64_t patience_ms);

/* The id that this thread's lines carry from now on; NULL: none.  Borrowed. */
void log_set_request(const char *id);
const char *log_request(void); /* the same, or NULL */

bool log_enabled(enum log_level level);
enum log_format log_format(void);

/* Adds a text in which bytes that are not printable, and characters that turn the direction of a
 * line, are escaped, so that it is UTF-8, too. */
void log_add_filtered(struct bytes *out, struct span text);

/* The same, to a file or terminal; takes no memory. */
void log_print_filtered(FILE *out, struct span text);

/* Lines of the access log go to a file of their own, or (NULL) among those of the log.  False:
 * as log_configure(). */
bool log_configure_access(const char *path);

/* Adds such a line, without its line end; it has only printable bytes.  One that has failed counts
 * as lost. */
void log_access(const struct bytes *line);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Like log_error(), but a text that was logged within the last minute is
 * dropped; the next one that is let through tells how many were. */
void log_error_limited(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same of a warning, where texts differ but are about one topic. */
void log_warning_limited(const char *topic, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
