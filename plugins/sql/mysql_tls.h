/* SPDX-License-Identifier: MIT
 * Gives libmariadb's TLS handshake a deadline: libmariadb itself makes the socket blocking for
 * it. It also resolves names without a time limit, so it is given an address, and separately the
 * name to check the certificate against. */
#ifndef MYSQL_TLS_H
#define MYSQL_TLS_H

#include "servers.h"

struct st_mysql;

/* The authentication methods allowed where others may be able to read: none of them shows the
 * password to someone who only reads.  MySQL's own two show it to the server. */
#define MYSQL_TLS_HASHES                                                                           \
    "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password"

/* Once, after mysql_library_init().  False: memory is short. */
bool mysql_tls_register(void);

/* Lets a server ask for these ways to sign in only.  False: memory is short. */
bool mysql_tls_restrict(struct st_mysql *mysql, const char *ways);

/* Call before signing in over TLS; the same thread signs in and then calls mysql_tls_end().
 * False: memory is short, and you must not sign in. */
bool mysql_tls_begin(struct st_mysql *mysql, const struct sql_target *target, int64_t deadline);

enum mysql_tls {
    MYSQL_TLS_GOOD = 1,
    MYSQL_TLS_NONE,  /* the server has no TLS; nothing was sent to it */
    MYSQL_TLS_LATE,  /* the deadline passed in the handshake */
    MYSQL_TLS_FAILED /* it did not start, or libmariadb knows why */
};
enum mysql_tls mysql_tls_end(struct st_mysql *mysql);

#endif
