/* SPDX-License-Identifier: MIT
 * Files and descriptors: whole contents, stamps, and small files of secrets. */
#ifndef FILE_H
#define FILE_H

#include "bytes.h"
#include "reason.h"

#include <limits.h>
#include <sys/types.h>
#include <time.h>

/* Appends everything up to the end, or until more than `limit` bytes are in the
 * buffer.  False: errno says why (ENOMEM where the buffer has failed). */
bool file_read_all(int fd, size_t limit, struct bytes *out);

/* The same of a file that is opened with `flags` to read it. */
bool file_read_path(const char *path, int flags, size_t limit, struct bytes *out);

/* False: errno says why. */
bool file_write_all(int fd, struct span data);

/* Opens /dev/null as those of the descriptors 0 to 2 that are closed.  A file that is opened later
 * would become one of them: what is printed, or answered, would be written into it. */
void file_fill_standard(void);

/* Tells one content of a path from another, also where size and time of modification
 * were kept (cp -p, rsync -t): the time of the inode's change cannot be set. */
struct file_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};

struct stat;
struct file_stamp file_stamp_of(const struct stat *status);
bool file_stamp_read(const char *path, struct file_stamp *stamp_r); /* false: errno; all zero */
bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b);

/* Whether any user of the machine can write a file or folder of this mode (then it is
 * refused), or read it (then a warning is due). */
bool file_mode_refused(mode_t mode);
bool file_mode_exposed(mode_t mode);

/* Whether any user of the machine can put another file in the place of this one; then the mode of
 * its folder. */
bool file_is_replaceable(const char *path, mode_t *mode_r);

/* Whether an error says that the system is short of something now, and nothing about the file. */
bool file_error_passes(int error);

/* Appends a regular file of secrets of at most `limit` bytes; refused when other users
 * can write it.  *exposed_r: they can read it.  False: with a reason and errno, 0 where the
 * file itself must be mended. */
bool file_read_secret(const char *path, size_t limit, struct bytes *out, bool *exposed_r,
                      struct reason *why);

/* The same of a file that is one line of 1 to `most` bytes, of which the line end is dropped: a
 * password or a token. */
bool file_read_line(const char *path, size_t most, struct bytes *out, bool *exposed_r,
                    struct reason *why);

/* The folder of a path, in it or a constant: "/", or "." where the path has none. */
struct span file_folder(const char *path);

/* Where a file is made that does not exist yet: symbolic links are followed, also those that lead
 * nowhere.  False: errno says why it is nowhere. */
bool file_destination(const char *path, char out_r[PATH_MAX]);

/* Why a file cannot be read, by the errno of the attempt, and what to do about it: "PATH cannot be
 * read: ...".  The second without the path. */
void file_explain_unreadable(const char *path, int error, struct reason *why);
void file_explain_reading(int error, struct reason *why);

/* Why a file cannot be made or written, by the errno of the attempt, and what to do about it. */
void file_explain_unwritable(const char *path, int error, struct reason *why);

/* What someone who gave a command can do where it could not make a file: ": ..." or "".  For files
 * of the program's own user, see file_explain_unwritable(). */
const char *file_making_remedy(int error);

/* The length of a text without one line end, LF or CRLF, at its end. */
size_t file_line_length(struct span text);

/* The file with the certificate authorities that this host trusts; NULL: none was found. */
const char *file_system_certificates(void);

enum file_pem { FILE_CERTIFICATE, FILE_PRIVATE_KEY };

/* Whether a file holds what is wanted, in PEM (RFC 7468).  *exposed_r as above. */
bool file_check_pem(const char *path, enum file_pem wanted, bool *exposed_r, struct reason *why);

#endif
