/* SPDX-License-Identifier: MIT
 * Whose request it is. */
#ifndef CLIENT_H
#define CLIENT_H

#include "http.h"
#include "settings/settings.h"

#define CLIENT_ADDRESS_SIZE 64

/* The address of the peer, or what proxies that are believed say of it, without port and
 * brackets; "unknown" where the web server hands none over. */
const char *client_address(const struct settings *settings, const struct http_request *request,
                           char buffer[CLIENT_ADDRESS_SIZE]);

/* False where a proxy that is not trusted says that the request is another's: then the address is
 * the proxy's, which may be allowed what its clients are not. */
bool client_is_certain(const struct settings *settings, const struct http_request *request);

#endif
