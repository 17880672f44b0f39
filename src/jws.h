/* SPDX-License-Identifier: MIT
 * JSON Web Signature, compact serialisation (RFC 7515, section 7.1). */
#ifndef JWS_H
#define JWS_H

#include "keys.h"

/* Appends header.payload.signature. */
void jws_sign(const struct signing_key *key, struct span payload, struct strbuf *out);

#endif
