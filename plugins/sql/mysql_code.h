/* SPDX-License-Identifier: MIT
 * What error codes of MariaDB, MySQL and libmariadb mean for a look-up. */
#ifndef MYSQL_CODE_H
#define MYSQL_CODE_H

#include "backend.h"

/* Of a failure: 0, too, is one. */
enum sql_verdict mysql_code_verdict(unsigned code);
bool mysql_code_is_of_tls(unsigned code);

/* Whether the server could not compare the id with a column that cannot hold its letters. */
bool mysql_code_is_of_text(unsigned code, struct span id);

#endif
