/* SPDX-License-Identifier: MIT
 * Where the lines of the log go.  No caller waits: what cannot be written at once stays in
 * a queue of fixed size until a later call writes it.  What does not fit, or what the target
 * refuses (a full disk), is lost and counted; a later line says how many were lost. */
#ifndef LOG_SINK_H
#define LOG_SINK_H

#include "base/bytes.h"

/* How a line looks that says how many were lost. */
typedef void (*sink_tell)(struct bytes *line, unsigned lost);

/* Until the first call of one of these: standard error.  False: errno; then the old target
 * stays.  A FIFO is opened whether or not a process reads it. */
bool sink_use_stderr(void);
bool sink_use_file(const char *path);
bool sink_use_syslog(const char *socket_path); /* also when no process listens there yet */

bool sink_is_syslog(void);

/* Opens the file again, after it was renamed away.  False: errno; the old one stays. */
bool sink_reopen(void);

/* Adds a line, which ends with a line feed, and writes what can be written.  One that has
 * failed counts as lost. */
void sink_add(const struct bytes *line, sink_tell tell);

/* Writes what is left, waiting up to `patience_ms` for the target.  False: some is left. */
bool sink_flush(sink_tell tell, int64_t patience_ms);

#endif
