/* SPDX-License-Identifier: MIT
 * Files with a password, a token or a client's secret. */
#ifndef REST_SECRET_H
#define REST_SECRET_H

#include "base/bytes.h"
#include "base/reason.h"

/* Reads the one line, without its end, that a file of at most `most` bytes is: visible ASCII,
 * and with `blanks` also blanks.  *exposed_r: other users can read it.
 * False: as file_read_secret(). */
bool rest_secret_read(const char *path, size_t most, bool blanks, struct bytes *out,
                      bool *exposed_r, struct reason *why);

/* Whether all of a text is visible ASCII, and with `blanks` also blanks; otherwise *at_r is the
 * first byte that is not. */
bool rest_secret_is_visible(struct span text, bool blanks, size_t *at_r);

#endif
