/* SPDX-License-Identifier: MIT
 * TLS of libmariadb, with a deadline, which libmariadb does not have: it shakes hands on a socket
 * that it has made blocking.  It also asks for the address of a name without a limit of time, so
 * that it gets an address, and must be told the name by which to check the certificate. */
#ifndef MYSQL_TLS_H
#define MYSQL_TLS_H

#include "servers.h"

struct st_mysql;

/* The ways to sign in that a server may ask for where others can read, or it is not known for
 * certain: never the password as it is. */
#define MYSQL_TLS_HASHES                                                                           \
    "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password"

/* Once, after mysql_library_init().  False: memory is short. */
bool mysql_tls_register(void);

/* Lets a server ask for these ways to sign in only.  False: memory is short. */
bool mysql_tls_restrict(struct st_mysql *mysql, const char *ways);

/* Before signing in over TLS; the same thread does that, and then calls mysql_tls_end().  False:
 * memory is short; then there is no signing in. */
bool mysql_tls_begin(struct st_mysql *mysql, const struct sql_target *target, int64_t deadline);

enum mysql_tls {
    MYSQL_TLS_GOOD = 1,
    MYSQL_TLS_NONE,  /* the server has no TLS; nothing was sent to it */
    MYSQL_TLS_LATE,  /* the deadline passed in the handshake */
    MYSQL_TLS_FAILED /* it was not begun, or libmariadb knows why */
};
enum mysql_tls mysql_tls_end(struct st_mysql *mysql);

#endif
