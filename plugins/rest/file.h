/* SPDX-License-Identifier: MIT
 *
 * rest_file.h: small files with secrets, certificates and keys.
 */
#ifndef MEMBERCHAT_REST_FILE_H
#define MEMBERCHAT_REST_FILE_H

#include "text.h"

#include <sys/types.h>
#include <time.h>

/* Tells one content of a path from another. */
struct rest_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

/* All zero when there is no such file. */
struct rest_stamp rest_stamp_read(const char *path);
bool rest_stamp_equal(const struct rest_stamp *a, const struct rest_stamp *b);

/* The one line that a password or token file is, without its end: 1 to `most`
 * bytes of visible ASCII, and blanks if `blanks`.  *exposed_r: other users can read
 * it.  False, with a reason, when it cannot be used. */
bool rest_file_read_secret(const char *path, size_t most, bool blanks, struct rest_text *out,
                           bool *exposed_r, struct rest_reason *reason);

enum rest_pem { REST_CERTIFICATE, REST_KEY };

/* Whether a file has what is wanted, in PEM.  *exposed_r as above. */
bool rest_file_check_pem(const char *path, enum rest_pem wanted, bool *exposed_r,
                         struct rest_reason *reason);

#endif
