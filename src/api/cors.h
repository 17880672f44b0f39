/* SPDX-License-Identifier: MIT
 * Calls from a page in the browser (the CORS protocol of the Fetch standard). */
#ifndef CORS_H
#define CORS_H

#include "http.h"
#include "settings/settings.h"

/* Headers of an answer to one app's page, if its origin is in the app's list. */
void cors_add_headers(const struct app *app, struct span origin, struct http_response *response);

/* Headers of an error that comes before the app is known, by the preflight's rule: without
 * them the page would see a network error in its place. */
void cors_add_to_error(const struct settings *settings, struct span origin,
                       struct http_response *response);

/* Headers of a preflight, which does not say for which app: any app's list will
 * do, for the call itself is checked again. */
void cors_add_preflight(const struct settings *settings, struct span origin,
                        struct http_response *response);

#endif
