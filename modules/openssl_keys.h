/* SPDX-License-Identifier: MIT
 * From bytes to EVP_PKEY and back. */
#ifndef OPENSSL_KEYS_H
#define OPENSSL_KEYS_H

#include "token/sign_module.h"

#include <openssl/evp.h>

/* All return a key of the caller's, or NULL and say why. */
EVP_PKEY *openssl_read_pem(const char *pem, size_t length, char why[SIGN_WHY_MAX]);
EVP_PKEY *openssl_read_parts(enum sign_algorithm algorithm,
                             const struct sign_bytes parts[SIGN_PARTS], char why[SIGN_WHY_MAX]);
EVP_PKEY *openssl_generate(enum sign_algorithm algorithm, char why[SIGN_WHY_MAX]);

bool openssl_is_private(EVP_PKEY *key);
size_t openssl_part(EVP_PKEY *key, enum sign_part part, uint8_t out[SIGN_PART_MAX]);
size_t openssl_write_pem(EVP_PKEY *key, char out[SIGN_PEM_MAX]);

/* The key's kind: whether an algorithm can be used with it at all, and whether it
 * is strong enough then.  False: why. */
bool openssl_fits(EVP_PKEY *key, enum sign_algorithm algorithm, char why[SIGN_WHY_MAX]);

#endif
