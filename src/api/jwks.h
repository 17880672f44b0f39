/* SPDX-License-Identifier: MIT
 * The route /.well-known/jwks.json (RFC 7517, section 5). */
#ifndef JWKS_H
#define JWKS_H

#include "exchange.h"

enum outcome jwks_answer(struct exchange *exchange);

#endif
