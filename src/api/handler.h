/* SPDX-License-Identifier: MIT */
#ifndef HANDLER_H
#define HANDLER_H

#include "exchange.h"

/* Answers one request.  False: no answer yet, since its gate did not let it wait for a network;
 * call again with another gate, or after the deadline. */
bool handler_serve(const struct settings *settings, const struct http_request *request,
                   struct http_response *response);

/* Whether the answer may depend on the body, which has not come yet.  Never true for a request
 * without valid credentials. */
bool handler_wants_body(const struct settings *settings, const struct http_request *request);

/* A 500 for when there are no settings to serve with. */
void handler_refuse(const struct http_request *request, struct http_response *response);

#endif
