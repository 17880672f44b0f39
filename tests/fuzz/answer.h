/* SPDX-License-Identifier: MIT
 * Requests in inputs, and what their answers have to be like, for harnesses of the scene. */
#ifndef ANSWER_H
#define ANSWER_H

#include "scene.h"

#include "api/http.h"

/* demo-key:demo-secret-of-length */
#define ANSWER_CREDENTIALS "Basic ZGVtby1rZXk6ZGVtby1zZWNyZXQtb2YtbGVuZ3Ro"

/* Takes lines NAME=VALUE and the empty one behind them off an input; '@' alone is a value with
 * good credentials. */
void answer_read_request(struct span *rest, struct http_request *request);

/* What follows the head, each line of which is one of ours. */
struct span answer_body(struct span answer);

/* Aborts unless the answer is whole: a status of ours, a head, and JSON where there is a body.  A
 * token is for a request with credentials, and for a person who may have it. */
void answer_check(const struct settings *settings, const struct http_request *request,
                  struct span answer);

#endif
