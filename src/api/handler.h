/* SPDX-License-Identifier: MIT */
#ifndef HANDLER_H
#define HANDLER_H

#include "exchange.h"

/* One request, whatever it asks for.  False: no answer yet, all workers that may
 * wait for a directory do; call again with the same request when gate_has_room(),
 * or when the deadline has passed. */
bool handler_serve(const struct settings *settings, const struct http_request *request,
                   struct http_response *response);

/* A 500 for a process that has no settings to serve with. */
void handler_refuse(const struct http_request *request, struct http_response *response);

#endif
