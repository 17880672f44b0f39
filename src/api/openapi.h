/* SPDX-License-Identifier: MIT
 * The route /openapi.json: docs/openapi.json, compiled into the program. */
#ifndef OPENAPI_H
#define OPENAPI_H

#include "exchange.h"

enum outcome openapi_answer(struct exchange *exchange);

#endif
