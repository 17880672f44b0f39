/* SPDX-License-Identifier: MIT
 * The symmetric cryptography that every request may need, by nettle. */
#ifndef CRYPTO_H
#define CRYPTO_H

#include "bytes.h"

#include <stdint.h>

#define SHA256_LENGTH     32
#define CRYPTO_DIGEST_MAX 64

void crypto_sha256(struct span data, uint8_t out[SHA256_LENGTH]);

/* In a time that depends on the length only. */
bool crypto_equal(const void *a, const void *b, size_t length);

/* Appends base64url without padding (RFC 4648, section 5; RFC 7515, section 2). */
void crypto_base64url_encode(struct bytes *out, struct span data);

/* The same, to where there is room for CRYPTO_ENCODED_MAX(data.length) bytes; returns
 * the length of the text. */
#define CRYPTO_ENCODED_MAX(length) (((length)*8 + 4) / 6 + 3)
size_t crypto_base64url_to(char *out, struct span data);

/* The bytes from `start` to the end of the buffer become their base64url. */
void crypto_base64url_replace(struct bytes *out, size_t start);

/* Appends what `text` decodes to.  False for anything that is not exactly one
 * base64url text without padding (RFC 7515): foreign characters, wrong length, bits left
 * over. */
bool crypto_base64url_decode(struct bytes *out, struct span text);

/* The same for padded base64 (RFC 4648, section 4), to where there is room for
 * CRYPTO_DECODED_MAX(text.length) bytes. */
#define CRYPTO_DECODED_MAX(length) (((length) + 1) * 6 / 8)
bool crypto_base64_decode(uint8_t *out, struct span text, size_t *length_r);

enum crypto_hash { CRYPTO_SHA256, CRYPTO_SHA384, CRYPTO_SHA512 };

/* A prepared HMAC key (RFC 2104).  crypto_hmac_sign() returns the length of the
 * digest; crypto_hmac_free() wipes the key, which lies in a vault (vault.h). */
struct crypto_hmac;
struct crypto_hmac *crypto_hmac_new(enum crypto_hash hash,
                                    struct span secret); /* NULL: no memory */
size_t crypto_hmac_sign(const struct crypto_hmac *hmac, struct span data,
                        uint8_t out[CRYPTO_DIGEST_MAX]);
void crypto_hmac_free(struct crypto_hmac *hmac);

#endif
