/* SPDX-License-Identifier: MIT
 * The symmetric cryptography that every request may need, by nettle. */
#ifndef CRYPTO_H
#define CRYPTO_H

#include "strbuf.h"

#include <stdint.h>

#define SHA256_LENGTH 32

void crypto_sha256(struct span data, uint8_t out[SHA256_LENGTH]);

/* In a time that depends on the length only. */
bool crypto_equal(const void *a, const void *b, size_t length);

/* Appends base64url without padding (RFC 4648, section 5; RFC 7515, section 2). */
void crypto_base64url_encode(struct strbuf *out, struct span data);

/* Appends what `text` decodes to.  False for anything that is not exactly one
 * base64url text without padding (RFC 7515) or one padded base64 text (RFC
 * 4648, section 4): foreign characters, wrong length, bits left over. */
bool crypto_base64url_decode(struct strbuf *out, struct span text);
bool crypto_base64_decode(struct strbuf *out, struct span text);

/* A prepared HMAC-SHA256 key (RFC 2104).  crypto_hmac_free() wipes it. */
struct crypto_hmac;
struct crypto_hmac *crypto_hmac_new(struct span secret); /* NULL: no memory */
void crypto_hmac_sign(const struct crypto_hmac *hmac, struct span data, uint8_t out[SHA256_LENGTH]);
void crypto_hmac_free(struct crypto_hmac *hmac);

#endif
