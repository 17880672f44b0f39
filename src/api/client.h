/* SPDX-License-Identifier: MIT
 * Who the client of a request is. */
#ifndef CLIENT_H
#define CLIENT_H

#include "http.h"
#include "settings/settings.h"

#define CLIENT_ADDRESS_SIZE 64

/* The client's address: the peer's, or the one that trusted proxies report, without port and
 * brackets; "unknown" if the web server passes none. */
const char *client_address(const struct settings *settings, const struct http_request *request,
                           char buffer[CLIENT_ADDRESS_SIZE]);

/* False when a proxy that is not trusted says it forwards for someone else: then the address is
 * the proxy's, which may be allowed more than its clients. */
bool client_is_certain(const struct settings *settings, const struct http_request *request);

#endif
