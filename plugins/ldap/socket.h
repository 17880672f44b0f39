/* SPDX-License-Identifier: MIT
 * Sockets that are connected by a deadline. */
#ifndef MEMBERCHAT_LDAP_SOCKET_H
#define MEMBERCHAT_LDAP_SOCKET_H

#include "base/resolve.h"
#include "common.h"

/* A connected socket that does not block, or -1 with the reason.  Each of several addresses gets
 * its share of the time.  `local_only`: only loopback addresses are tried. */
int ldap_socket_connect(const struct addresses *addresses, bool local_only, int64_t deadline,
                        struct ldap_fault *fault);

/* The same for the path of a Unix domain socket. */
int ldap_socket_connect_path(const char *path, int64_t deadline, struct ldap_fault *fault);

#endif
