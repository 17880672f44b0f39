/* SPDX-License-Identifier: MIT
 * Whole contents through file descriptors, whatever interrupts. */
#ifndef IO_H
#define IO_H

#include "strbuf.h"

/* Appends what there is until the end, or until more than `limit` bytes are in the
 * buffer.  False: errno, or the buffer has failed. */
bool io_read_all(int fd, size_t limit, struct strbuf *out);

/* False: errno. */
bool io_write_all(int fd, struct span data);

#endif
