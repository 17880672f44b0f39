/* SPDX-License-Identifier: MIT
 * Small files that a configuration names: keys, API secrets, claims templates. */
#ifndef SECRET_FILE_H
#define SECRET_FILE_H

#include "strbuf.h"

/* A file of secrets, at most `limit` bytes; refused when others can write it.
 * False: *why_r says why. */
bool secret_file_read(const char *path, size_t limit, struct strbuf *out, bool *exposed_r,
                      struct strbuf *why_r);

#endif
