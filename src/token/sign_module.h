/* SPDX-License-Identifier: MIT
 * What a module for public-key signatures offers: sign_NAME.so, which exports
 * memberchat_sign_module() and calls no symbol of its host.  It is loaded only
 * when a key of such an algorithm is, because its library takes longer to start
 * than a whole CGI request. */
#ifndef SIGN_MODULE_H
#define SIGN_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGN_MODULE_ABI    3u
#define SIGN_SIGNATURE_MAX 1024 /* RSA with 8192 bits */
#define SIGN_WHY_MAX       256
#define SIGN_PART_MAX      1024
#define SIGN_PEM_MAX       16384

/* RFC 7518, section 3.1, and RFC 8037, section 3.1 */
enum sign_algorithm { SIGN_ES256, SIGN_RS256, SIGN_PS256, SIGN_EDDSA };

/* The numbers of a JWK (RFC 7518, section 6; RFC 8037, section 2), big-endian. */
enum sign_part {
    SIGN_N,
    SIGN_E,
    SIGN_D,
    SIGN_P,
    SIGN_Q,
    SIGN_DP,
    SIGN_DQ,
    SIGN_QI,
    SIGN_X,
    SIGN_Y,
    SIGN_PARTS
};

enum sign_verdict {
    SIGN_FAILED, /* it could not be found out */
    SIGN_GOOD,
    SIGN_BAD
};

struct sign_bytes {
    const uint8_t *data; /* NULL: not there */
    size_t length;
};

struct sign_key; /* the module's */

struct sign_module {
    uint32_t abi;  /* SIGN_MODULE_ABI */
    uint32_t size; /* sizeof(struct sign_module) */
    const char *name;
    const char *version;

    /* Before any other call, as often as you like; the first one counts.  `lock`: private
     * numbers are kept in locked memory. */
    void (*start)(bool lock);

    /* A key, public or private, from PEM, from the numbers of a JWK, or a new one.
     * NULL: `why` says why, never with anything of the key. */
    struct sign_key *(*read_pem)(const char *pem, size_t length, char why[SIGN_WHY_MAX]);
    struct sign_key *(*read_parts)(enum sign_algorithm algorithm,
                                   const struct sign_bytes parts[SIGN_PARTS],
                                   char why[SIGN_WHY_MAX]);
    struct sign_key *(*generate)(enum sign_algorithm algorithm, char why[SIGN_WHY_MAX]);
    void (*free)(struct sign_key *key); /* wipes it */

    bool (*is_private)(const struct sign_key *key);
    bool (*fits)(const struct sign_key *key, enum sign_algorithm algorithm);

    /* Makes a key ready for one algorithm, once, before any use: type, curve, size, and
     * whether its private and its public half belong together.  False: why. */
    bool (*prepare)(struct sign_key *key, enum sign_algorithm algorithm, char why[SIGN_WHY_MAX]);

    /* One number of the key into `out`; its length, 0 when the key has none. */
    size_t (*part)(const struct sign_key *key, enum sign_part part, uint8_t out[SIGN_PART_MAX]);

    /* The private key as PKCS #8; its length, 0 when that cannot be. */
    size_t (*write_pem)(const struct sign_key *key, char out[SIGN_PEM_MAX]);

    /* By any number of threads at once.  `digest` is the SHA-256 of the data, for all
     * but EdDSA.  A signature has the form of JWS; its length, 0 when it cannot be made. */
    size_t (*sign)(const struct sign_key *key, const uint8_t *data, size_t length,
                   const uint8_t digest[32], uint8_t out[SIGN_SIGNATURE_MAX]);
    enum sign_verdict (*verify)(const struct sign_key *key, const uint8_t *data, size_t length,
                                const uint8_t digest[32], const uint8_t *signature,
                                size_t signature_length);
};

/* The only exported symbol. */
__attribute__((visibility("default"))) const struct sign_module *memberchat_sign_module(void);

#endif
