/* SPDX-License-Identifier: MIT
 * The parts of keys.h that only its own files share. */
#ifndef KEYS_PRIVATE_H
#define KEYS_PRIVATE_H

#include "base/json.h"
#include "keys.h"

#define SECRET_MIN 32

/* A key from what was read; takes `handle` over.  `id` empty: the thumbprint.
 * NULL: why. */
struct key *key_from_secret(enum algorithm algorithm, struct span secret, struct span id,
                            struct key_report *report);
struct key *key_from_handle(enum algorithm algorithm, const struct sign_module *module,
                            struct sign_key *handle, struct span id, struct key_report *report);

/* A key from a JWK (RFC 7517).  NULL: why. */
struct key *jwk_read(struct json_object *jwk, const struct key_source *source,
                     struct key_report *report);

/* Whether a JWK of a set is one for the algorithm of `source` at all. */
bool jwk_is_for(struct json_object *jwk, const struct key_source *source);

/* RFC 7638, sections 3.1 and 3.2: the required members in lexical order. */
void jwk_thumbprint_secret(struct span secret, struct bytes *out);
void jwk_thumbprint(const struct key *key, struct bytes *out);

/* The public key as it is published; a key to be kept. */
void jwk_write_public(const struct key *key, struct bytes *out);
void jwk_write_private(const struct key *key, struct bytes *out);
void jwk_write_secret(const struct key *key, struct span secret, struct bytes *out);

#endif
