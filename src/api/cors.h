/* SPDX-License-Identifier: MIT
 * Calls from a page in the browser (the CORS protocol of the Fetch standard). */
#ifndef CORS_H
#define CORS_H

#include "http.h"
#include "settings/settings.h"

/* Headers of an answer to one app's page, if its origin is in the app's list. */
void cors_add_headers(const struct app *app, struct span origin, struct http_response *response);

/* Headers of an error that occurs before the app is known, by the preflight's rule: without them
 * the page would see a network error instead. */
void cors_add_to_error(const struct settings *settings, struct span origin,
                       struct http_response *response);

/* Headers of a preflight.  It does not name the app, so an origin in any app's list is allowed;
 * the call itself is checked again. */
void cors_add_preflight(const struct settings *settings, struct span origin,
                        struct http_response *response);

#endif
