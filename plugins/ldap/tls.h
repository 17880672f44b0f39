/* SPDX-License-Identifier: MIT
 * TLS over a connected socket: libldap, which makes it, and liblber, which moves messages
 * through it.  A connection in clear text has neither. */
#ifndef MEMBERCHAT_LDAP_TLS_H
#define MEMBERCHAT_LDAP_TLS_H

#include "common.h"
#include "uri.h"

struct ldap_tls;

/* Call once in a process, before the first connection: libldap then looks up this machine's
 * name, which may take any time. */
void ldap_tls_prepare(void);

/* Takes the socket over, also when it fails (NULL). */
struct ldap_tls *ldap_tls_start(int fd, const struct ldap_uri *uri,
                                const struct ldap_settings *settings, int64_t deadline,
                                struct ldap_fault *fault);

/* Says good-bye if it can at once, and closes the socket. */
void ldap_tls_free(struct ldap_tls *tls);

/* Sends a message, or the rest of it.  False: errno is EAGAIN, or says what is wrong. */
bool ldap_tls_send(struct ldap_tls *tls, struct span message);

/* Reads what is left of a message, and puts the content of its SEQUENCE into `in`.  False:
 * as above; errno 0 is the end of the connection. */
bool ldap_tls_receive(struct ldap_tls *tls, struct bytes *in);

/* Whether bytes have been read from the socket but not yet returned. */
bool ldap_tls_has_data(const struct ldap_tls *tls);

#endif
