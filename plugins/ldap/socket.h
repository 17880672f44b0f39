/* SPDX-License-Identifier: MIT
 *
 * ldap_socket.h: sockets that are connected by a deadline.
 */
#ifndef MEMBERCHAT_LDAP_SOCKET_H
#define MEMBERCHAT_LDAP_SOCKET_H

#include "resolve.h"

/* A connected socket that does not block, or -1 with the reason.  Of several
 * addresses, each has its share of the time.  `local_only`: those that are not
 * this machine's own (loopback) are not connected to. */
int ldap_socket_connect(const struct ldap_addresses *addresses, bool local_only,
                        const struct ldap_watch *watch, struct ldap_fault *fault);
int ldap_socket_connect_path(const char *path, const struct ldap_watch *watch,
                             struct ldap_fault *fault);

/* Whether nothing came from a server that was asked nothing: not even the end. */
bool ldap_socket_is_quiet(int fd);

#endif
