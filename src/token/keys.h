/* SPDX-License-Identifier: MIT
 * Keys that sign tokens and check them: read once, checked, wiped when dropped. */
#ifndef KEYS_H
#define KEYS_H

#include "base/crypto.h"
#include "sign.h"

#define KEY_ID_MAX        128
#define KEY_SIGNATURE_MAX SIGN_SIGNATURE_MAX

/* RFC 7518, section 3.1; RFC 8037, section 3.1 */
enum algorithm {
    ALGORITHM_HS256,
    ALGORITHM_HS384,
    ALGORITHM_HS512,
    ALGORITHM_ES256,
    ALGORITHM_RS256,
    ALGORITHM_PS256,
    ALGORITHM_EDDSA
};
#define ALGORITHM_COUNT 7
#define ALGORITHM_NAMES "HS256 HS384 HS512 ES256 RS256 PS256 EdDSA" /* in that order */

/* What each is by: an HMAC of a secret, or the module's signatures. */
struct algorithm_row {
    const char *name, *kty, *crv; /* crv: NULL where a JWK of its type has none */
    bool symmetric;
    enum crypto_hash hash;
    size_t secret_advised; /* RFC 7518, section 3.2 */
    enum sign_algorithm sign;
};
extern const struct algorithm_row algorithm_rows[ALGORITHM_COUNT];

struct key {
    enum algorithm algorithm;
    struct crypto_hmac *hmac;         /* of a secret, else */
    const struct sign_module *module; /* these two */
    struct sign_key *handle;
    bool can_sign;
    bool named;              /* its id was given, not made of its thumbprint */
    char id[KEY_ID_MAX + 1]; /* `kid` */
    struct bytes jwk;        /* the public key (RFC 7517); empty for a secret */
};

/* The signature's length, 0 when there is none.  Any number of threads at once. */
size_t key_sign(const struct key *key, struct span data, uint8_t out[KEY_SIGNATURE_MAX]);
bool key_verify(const struct key *key, struct span data, struct span signature);
void key_free(struct key *key);

/* Several keys; owns them. */
struct key_ring {
    struct key **keys;
    size_t count;
};
void key_ring_free(struct key_ring *ring);
void key_ring_add(struct key_ring *ring, struct key *key); /* takes the key over */

/* What a key file is to be. */
struct key_source {
    const char *path;
    const char *id;      /* NULL: that of the JWK, else the RFC 7638 thumbprint */
    const char *modules; /* the folder of the module for public-key signatures */
    enum algorithm algorithm;
    bool any_algorithm; /* `algorithm` only where the key does not say otherwise */
    bool signs;         /* the private key is needed, and only one */
};

/* What was found besides. */
struct key_report {
    struct bytes why;     /* why there is no key */
    struct bytes warning; /* what should be better */
};
void key_report_free(struct key_report *report);

/* Adds the keys of a file to a ring: a raw secret of at least 32 bytes (of a text
 * file, one newline at the end does not count), PEM, a JWK, or, unless it is to
 * sign, a set of JWKs, of which those count that are for the algorithm. */
bool keys_load(const struct key_source *source, struct key_ring *ring, struct key_report *report);

/* A new key.  NULL: why. */
struct key *key_generate(enum algorithm algorithm, const char *id, const char *modules,
                         struct bytes *secret_r, struct bytes *why_r);

#endif
