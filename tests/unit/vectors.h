/* SPDX-License-Identifier: MIT
 * Examples of the RFCs: keys, what they sign, what they are called. */
#ifndef VECTORS_H
#define VECTORS_H

#include "token/keys.h"

#define VECTORS     6
#define THUMBPRINTS 2

extern const struct vector {
    const char *name;
    enum algorithm algorithm;
    bool same_each_time; /* its signatures have nothing random */
    const char *jwk, *token;
} vectors[VECTORS];

#define VECTOR_RSA 1 /* RFC 7515, A.2: a key of 2048 bits */

extern const struct thumbprint {
    const char *name;
    enum algorithm algorithm;
    const char *jwk, *id;
} thumbprints[THUMBPRINTS];

#endif
