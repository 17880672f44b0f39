/* SPDX-License-Identifier: MIT
 * Keys that sign tokens and verify them: read once, checked, wiped when they are freed. */
#ifndef KEYS_H
#define KEYS_H

#include "base/crypto.h"
#include "sign.h"

#define KEY_ID_MAX        128
#define KEY_SIGNATURE_MAX SIGN_SIGNATURE_MAX
#define KEY_WARNINGS_MAX  4

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

/* How each signs: with an HMAC of a secret, or with the module. */
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
    size_t secret_length;
    bool length_is_unclear; /* its file has line ends, or characters of other than one byte */
    bool can_sign;
    bool named;              /* its id was given; otherwise it is the thumbprint */
    char id[KEY_ID_MAX + 1]; /* `kid` */
    struct bytes jwk;        /* the public key (RFC 7517); empty for a secret */
};

/* The length of the signature; 0: it could not be made.  Any number of threads at once. */
size_t key_sign(const struct key *key, struct span data, uint8_t out[KEY_SIGNATURE_MAX]);
enum sign_verdict key_verify(const struct key *key, struct span data, struct span signature);
void key_free(struct key *key);

/* Several keys; owns them. */
struct key_ring {
    struct key **keys;
    size_t count;
};
void key_ring_free(struct key_ring *ring);

/* Takes the key over, also when it fails: false, no memory. */
bool key_ring_add(struct key_ring *ring, struct key *key);

/* What a key file must be. */
struct key_source {
    const char *path;
    const char *id;      /* NULL: that of the JWK, else the RFC 7638 thumbprint */
    const char *modules; /* the folder of the module for public-key signatures */
    enum algorithm algorithm;
    bool any_algorithm; /* `algorithm` only where the key does not say otherwise */
    bool signs;         /* one private key, and nothing else */
};

/* What was found besides keys. */
struct key_report {
    struct reason why; /* why there is no key */
    struct reason warnings[KEY_WARNINGS_MAX];
    size_t warning_count;
};

/* Adds the keys of a file to a ring: a raw secret of at least 32 bytes (one line end at the end of
 * a text does not count), PEM, a JWK, or, unless it is to sign, a set of JWKs, of which those count
 * that are for the algorithm.  False: report->why says why. */
bool keys_load(const struct key_source *source, struct key_ring *ring, struct key_report *report);

/* A new key; of an HMAC, *secret_r gets its bytes.  NULL: *why says why. */
struct key *key_generate(enum algorithm algorithm, const char *id, const char *modules,
                         struct bytes *secret_r, struct reason *why);

#endif
