/* SPDX-License-Identifier: MIT
 * What an SQLSTATE of PostgreSQL means for a look-up. */
#ifndef PGSQL_CODE_H
#define PGSQL_CODE_H

#include "backend.h"

enum { PGSQL_CODE_LENGTH = 5 };

/* Where the SQLSTATE is in what libpq says of signing in: "... FATAL:  28P01: password ...".  NULL:
 * there is none. */
const char *pgsql_code_find(const char *text);

/* Here, more may follow the SQLSTATE. */
enum sql_verdict pgsql_code_verdict(const char *state);

/* Whether a text from which no value of a type can be made may have caused it. */
bool pgsql_code_is_of_text(const char *state);

/* Whether a table may have changed since the query was prepared: then prepare it once more. */
bool pgsql_code_is_outdated(const char *state);

/* Of signing in.  PgBouncer gives all that it refuses the same SQLSTATE, 08P01, so the words that
 * follow it count then. */
enum sql_verdict pgsql_code_signing_in(const char *state, const char *words);

#endif
