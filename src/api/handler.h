/* SPDX-License-Identifier: MIT */
#ifndef HANDLER_H
#define HANDLER_H

#include "exchange.h"

/* One request, whatever it asks for.  False: no answer, since its gate did not let it wait
 * for a network; call again with another gate, or when the deadline has passed. */
bool handler_serve(const struct settings *settings, const struct http_request *request,
                   struct http_response *response);

/* Before the body has come: whether the answer may depend on what it says.  Never does
 * that of a request without good credentials. */
bool handler_wants_body(const struct settings *settings, const struct http_request *request);

/* A 500 for a process that has no settings to serve with. */
void handler_refuse(const struct http_request *request, struct http_response *response);

#endif
