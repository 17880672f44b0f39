/* SPDX-License-Identifier: MIT
 * Public-key signatures by OpenSSL. */
#include "openssl_keys.h"
#include "openssl_memory.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS         64
#define ECDSA_HALF    32 /* r, or s, of P-256: RFC 7518, section 3.4 */
#define ECDSA_DER_MAX 72

/* Contexts that are ready for one key.  Each thread finds its own again, since making one takes
 * locks and look-ups in OpenSSL.  Threads may share a slot: one of them then makes a context that
 * serves it once. */
struct pool {
    _Atomic(void *) slots[SLOTS];
};

struct sign_key {
    EVP_PKEY *pkey;
    enum sign_algorithm algorithm;
    struct pool signers, verifiers; /* EVP_MD_CTX of EdDSA, else EVP_PKEY_CTX */
};

static _Atomic(void *) *my_slot(struct pool *pool)
{
    static atomic_uint threads;
    /* in the memory that each thread begins with: ld.so ends the process where it has to get some
     */
    static _Thread_local unsigned mine __attribute__((tls_model("initial-exec")));
    if (!mine)
        mine = 1 + atomic_fetch_add(&threads, 1);
    return &pool->slots[mine % SLOTS];
}

static void free_context(const struct sign_key *key, void *context)
{
    if (key->algorithm == SIGN_EDDSA)
        EVP_MD_CTX_free(context);
    else
        EVP_PKEY_CTX_free(context);
}

static void free_pool(struct sign_key *key, struct pool *pool)
{
    for (size_t i = 0; i < SLOTS; i++)
        free_context(key, atomic_load(&pool->slots[i]));
}

/* ---- Contexts ---- */

/* RFC 7518, sections 3.3 and 3.5: with PSS, SHA-256 everywhere, a salt as long as it. */
static bool set_padding(EVP_PKEY_CTX *context, enum sign_algorithm algorithm)
{
    if (algorithm == SIGN_ES256)
        return true;
    if (EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) != 1)
        return false;
    if (algorithm == SIGN_RS256)
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static void *new_pkey_context(const struct sign_key *key, bool signing)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    if (context && (signing ? EVP_PKEY_sign_init(context) : EVP_PKEY_verify_init(context)) == 1 &&
        set_padding(context, key->algorithm))
        return context;
    EVP_PKEY_CTX_free(context);
    return NULL;
}

static void *new_md_context(const struct sign_key *key, bool signing)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context && (signing ? EVP_DigestSignInit(context, NULL, NULL, NULL, key->pkey)
                            : EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->pkey)) == 1)
        return context;
    EVP_MD_CTX_free(context);
    return NULL;
}

static void *take(const struct sign_key *key, struct pool *pool, bool signing)
{
    void *context = atomic_exchange(my_slot(pool), NULL);
    if (context)
        return context;
    return key->algorithm == SIGN_EDDSA ? new_md_context(key, signing)
                                        : new_pkey_context(key, signing);
}

static void give_back(const struct sign_key *key, struct pool *pool, void *context)
{
    void *empty = NULL;
    if (!atomic_compare_exchange_strong(my_slot(pool), &empty, context))
        free_context(key, context);
}

/* ---- Signatures ---- */

/* OpenSSL signs in DER, JWS has the bare numbers. */
static size_t from_der(const uint8_t *der, size_t length, uint8_t *out)
{
    const uint8_t *at = der;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)length);
    bool good = pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, ECDSA_HALF) == ECDSA_HALF &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + ECDSA_HALF, ECDSA_HALF) == ECDSA_HALF;
    ECDSA_SIG_free(pair);
    return good ? 2 * ECDSA_HALF : 0;
}

/* The length of the DER; 0: no memory. */
static size_t to_der(const uint8_t raw[2 * ECDSA_HALF], uint8_t der[ECDSA_DER_MAX])
{
    int length = 0;
    uint8_t *at = der;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, ECDSA_HALF, NULL),
           *s = BN_bin2bn(raw + ECDSA_HALF, ECDSA_HALF, NULL);
    if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* the pair has them now */
        length = i2d_ECDSA_SIG(pair, &at);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return length > 0 ? (size_t)length : 0;
}

static size_t sign_with(const struct sign_key *key, void *context, const uint8_t *data,
                        size_t length, const uint8_t digest[32], uint8_t *out)
{
    size_t size = SIGN_SIGNATURE_MAX;
    uint8_t der[ECDSA_DER_MAX + 8];
    switch (key->algorithm) {
    case SIGN_EDDSA:
        return EVP_DigestSignInit(context, NULL, NULL, NULL, NULL) == 1 && /* with the same key */
                       EVP_DigestSign(context, out, &size, data, length) == 1
                   ? size
                   : 0;
    case SIGN_ES256:
        size = sizeof der;
        return EVP_PKEY_sign(context, der, &size, digest, 32) == 1 ? from_der(der, size, out) : 0;
    default:
        return EVP_PKEY_sign(context, out, &size, digest, 32) == 1 ? size : 0;
    }
}

static size_t sign(const struct sign_key *const_key, const uint8_t *data, size_t length,
                   const uint8_t digest[32], uint8_t out[SIGN_SIGNATURE_MAX])
{
    struct sign_key *key = (struct sign_key *)const_key; /* only its pools change */
    void *context = take(key, &key->signers, true);
    size_t size = context ? sign_with(key, context, data, length, digest, out) : 0;
    if (size) {
        give_back(key, &key->signers, context);
    } else {
        free_context(key, context);
        ERR_clear_error();
    }
    return size;
}

static bool verify_with(const struct sign_key *key, void *context, const uint8_t *data,
                        size_t length, const uint8_t digest[32], const uint8_t *signature,
                        size_t size)
{
    uint8_t der[ECDSA_DER_MAX];
    size_t der_length;
    switch (key->algorithm) {
    case SIGN_EDDSA:
        return EVP_DigestVerifyInit(context, NULL, NULL, NULL, NULL) == 1 &&
               EVP_DigestVerify(context, signature, size, data, length) == 1;
    case SIGN_ES256:
        der_length = size == 2 * ECDSA_HALF ? to_der(signature, der) : 0;
        return der_length && EVP_PKEY_verify(context, der, der_length, digest, 32) == 1;
    default:
        return EVP_PKEY_verify(context, signature, size, digest, 32) == 1;
    }
}

/* Whether the memory ran out since the errors were last cleared. */
static bool has_run_out(void)
{
    for (unsigned long error; (error = ERR_get_error());)
        if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
            return true;
    return false;
}

static enum sign_verdict verify(const struct sign_key *const_key, const uint8_t *data,
                                size_t length, const uint8_t digest[32], const uint8_t *signature,
                                size_t size)
{
    struct sign_key *key = (struct sign_key *)const_key;
    void *context = take(key, &key->verifiers, false);
    bool good = context && verify_with(key, context, data, length, digest, signature, size);
    bool failed = !context || (!good && has_run_out());
    if (context)
        give_back(key, &key->verifiers, context);
    if (!good)
        ERR_clear_error();
    return good ? SIGN_GOOD : failed ? SIGN_FAILED : SIGN_BAD;
}

/* ---- Keys ---- */

/* Takes the key over; NULL stays NULL. */
static struct sign_key *wrap(EVP_PKEY *pkey, char why[SIGN_WHY_MAX])
{
    struct sign_key *key = pkey ? calloc(1, sizeof *key) : NULL;
    if (key) {
        key->pkey = pkey;
    } else if (pkey) {
        snprintf(why, SIGN_WHY_MAX, "out of memory");
        EVP_PKEY_free(pkey);
    }
    return key;
}

static struct sign_key *read_pem(const char *pem, size_t length, char why[SIGN_WHY_MAX])
{
    return wrap(openssl_read_pem(pem, length, why), why);
}

static struct sign_key *read_parts(enum sign_algorithm algorithm,
                                   const struct sign_bytes parts[SIGN_PARTS],
                                   char why[SIGN_WHY_MAX])
{
    return wrap(openssl_read_parts(algorithm, parts, why), why);
}

static struct sign_key *generate(enum sign_algorithm algorithm, char why[SIGN_WHY_MAX])
{
    return wrap(openssl_generate(algorithm, why), why);
}

static void free_key(struct sign_key *key)
{
    free_pool(key, &key->signers);
    free_pool(key, &key->verifiers);
    EVP_PKEY_free(key->pkey);
    free(key);
}

static bool is_private(const struct sign_key *key)
{
    return openssl_is_private(key->pkey);
}

static bool fits(const struct sign_key *key, enum sign_algorithm algorithm)
{
    char why[SIGN_WHY_MAX];
    return openssl_fits(key->pkey, algorithm, why);
}

static bool prepare(struct sign_key *key, enum sign_algorithm algorithm, char why[SIGN_WHY_MAX])
{
    static const uint8_t digest[32] = "memberchat tries a key before it";
    uint8_t signature[SIGN_SIGNATURE_MAX];
    if (!openssl_fits(key->pkey, algorithm, why))
        return false;
    key->algorithm = algorithm;
    if (!openssl_is_private(key->pkey))
        return true;
    size_t size = sign(key, digest, sizeof digest, digest, signature);
    bool good = size && verify(key, digest, sizeof digest, digest, signature, size) == SIGN_GOOD;
    if (!good)
        snprintf(why, SIGN_WHY_MAX,
                 "its private and its public half do not belong together, or OpenSSL refuses to "
                 "sign with it");
    return good;
}

static size_t part(const struct sign_key *key, enum sign_part which, uint8_t out[SIGN_PART_MAX])
{
    return openssl_part(key->pkey, which, out);
}

static size_t write_pem(const struct sign_key *key, char out[SIGN_PEM_MAX])
{
    return openssl_write_pem(key->pkey, out);
}

const struct sign_module *memberchat_sign_module(void)
{
    static const struct sign_module module = {
        .abi = SIGN_MODULE_ABI,
        .size = sizeof module,
        .name = "openssl",
        .version = PACKAGE_VERSION,
        .start = openssl_start,
        .read_pem = read_pem,
        .read_parts = read_parts,
        .generate = generate,
        .free = free_key,
        .is_private = is_private,
        .fits = fits,
        .prepare = prepare,
        .part = part,
        .write_pem = write_pem,
        .sign = sign,
        .verify = verify,
    };
    return &module;
}
