/* SPDX-License-Identifier: MIT
 * Signatures of ES256: r and s of 32 bytes each, as JWS has them (RFC 7518,
 * section 3.4), and DER, as OpenSSL has them.  Pure functions on bytes. */
#ifndef ECDSA_FORM_H
#define ECDSA_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ECDSA_RAW     64
#define ECDSA_DER_MAX 72

/* False when it is no DER of two positive numbers of at most 32 bytes. */
bool ecdsa_from_der(const uint8_t *der, size_t length, uint8_t raw[ECDSA_RAW]);
size_t ecdsa_to_der(const uint8_t raw[ECDSA_RAW], uint8_t der[ECDSA_DER_MAX]);

#endif
