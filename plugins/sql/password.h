/* SPDX-License-Identifier: MIT
 * The password of "user". */
#ifndef SQL_PASSWORD_H
#define SQL_PASSWORD_H

#include "backend.h"

/* The password without its line end; none if there is no file.  `warn`: of a file that others can
 * read.  False: with a reason and errno, as file_read_secret() has them.  bytes_free() in any case.
 */
bool sql_password_read(const struct sql_client *client, bool warn, struct bytes *password_r,
                       struct reason *why);

#endif
