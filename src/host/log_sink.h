/* SPDX-License-Identifier: MIT
 * Where the lines of the log go.  No caller waits: what cannot be written at once stays in
 * a queue of fixed size until a later call writes it.  What does not fit, or what the target
 * refuses (a full disk), is lost and counted; a later line says how many were lost. */
#ifndef LOG_SINK_H
#define LOG_SINK_H

#include "base/bytes.h"

/* Those of the log, and of an access log that has a file of its own. */
struct sink;
extern struct sink sink_log, sink_access;

/* How a line looks that says how many were lost. */
typedef void (*sink_tell)(struct bytes *line, unsigned lost);

/* Until the first call of one of these: standard error.  False: errno; then the old target
 * stays.  A FIFO is opened whether or not a process reads it. */
bool sink_use_stderr(struct sink *sink);
bool sink_use_file(struct sink *sink, const char *path);
bool sink_use_syslog(struct sink *sink, const char *path); /* also while no process listens there */

bool sink_is_syslog(const struct sink *sink);

/* Opens the file again, after it was renamed away.  False: errno; the old one stays. */
bool sink_reopen(struct sink *sink);

/* Adds a line, which ends with a line feed, and writes what can be written.  One that has
 * failed counts as lost. */
void sink_add(struct sink *sink, const struct bytes *line, sink_tell tell);

/* Writes what is left, waiting up to `patience_ms` for the target.  False: some is left. */
bool sink_flush(struct sink *sink, sink_tell tell, int64_t patience_ms);

#endif
