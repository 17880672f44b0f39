/* SPDX-License-Identifier: MIT */
#include "openssl_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define RSA_BITS_MIN  2048
#define RSA_BITS_MAX  (SIGN_SIGNATURE_MAX * 8)
#define RSA_BITS_MADE 2048
#define CURVE_BYTES   32 /* P-256 and Ed25519 alike */
#define CURVE         "prime256v1"

static void say(char why[SIGN_WHY_MAX], const char *reason)
{
    snprintf(why, SIGN_WHY_MAX, "%s", reason);
    ERR_clear_error();
}

/* ---- PEM ---- */

/* Keeps OpenSSL from asking for a pass phrase on the terminal. */
static int no_pass_phrase(char *buffer, int size, int writing, void *asked)
{
    (void)buffer;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

static bool has(const char *pem, size_t length, const char *mark)
{
    return memmem(pem, length, mark, strlen(mark)) != NULL;
}

static EVP_PKEY *read_certificate(BIO *bio)
{
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    EVP_PKEY *key = certificate ? X509_get_pubkey(certificate) : NULL;
    X509_free(certificate);
    return key;
}

EVP_PKEY *openssl_read_pem(const char *pem, size_t length, char why[SIGN_WHY_MAX])
{
    bool asked = false;
    EVP_PKEY *key = NULL;
    BIO *bio = BIO_new_mem_buf(pem, (int)length);
    if (!bio)
        say(why, "out of memory");
    else if (has(pem, length, "PRIVATE KEY-----"))
        key = PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, &asked);
    else if (has(pem, length, "BEGIN CERTIFICATE-----"))
        key = read_certificate(bio);
    else
        key = PEM_read_bio_PUBKEY(bio, NULL, no_pass_phrase, &asked);
    BIO_free(bio);
    if (!key)
        say(why, asked ? "it is PEM that is locked with a pass phrase; write the key without one"
                       : "it is PEM, but no key that OpenSSL can read");
    return key;
}

size_t openssl_write_pem(EVP_PKEY *key, char out[SIGN_PEM_MAX])
{
    size_t length = 0;
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
        long written = BIO_get_mem_data(bio, &text);
        if (written > 0 && written <= SIGN_PEM_MAX) {
            length = (size_t)written;
            memcpy(out, text, length);
        }
    }
    BIO_free(bio); /* wipes its memory */
    ERR_clear_error();
    return length;
}

/* ---- Numbers ---- */

static const struct {
    enum sign_part part;
    const char *name;
} rsa_names[] = {
    {SIGN_N, OSSL_PKEY_PARAM_RSA_N},          {SIGN_E, OSSL_PKEY_PARAM_RSA_E},
    {SIGN_D, OSSL_PKEY_PARAM_RSA_D},          {SIGN_P, OSSL_PKEY_PARAM_RSA_FACTOR1},
    {SIGN_Q, OSSL_PKEY_PARAM_RSA_FACTOR2},    {SIGN_DP, OSSL_PKEY_PARAM_RSA_EXPONENT1},
    {SIGN_DQ, OSSL_PKEY_PARAM_RSA_EXPONENT2}, {SIGN_QI, OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
};

/* The builder refers to the numbers until it has made its parameters. */
struct build {
    OSSL_PARAM_BLD *builder;
    BIGNUM *numbers[SIGN_PARTS];
    size_t count;
    bool good;
};

/* Of a build that is good. */
static void push_number(struct build *build, const char *name, struct sign_bytes bytes)
{
    BIGNUM *number = BN_bin2bn(bytes.data, (int)bytes.length, NULL);
    build->numbers[build->count++] = number;
    build->good = number && OSSL_PARAM_BLD_push_BN(build->builder, name, number);
}

static EVP_PKEY *finish(struct build *build, const char *type, bool is_private)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = build->good ? OSSL_PARAM_BLD_to_param(build->builder) : NULL;
    EVP_PKEY_CTX *context = parameters ? EVP_PKEY_CTX_new_from_name(NULL, type, NULL) : NULL;
    if (context && EVP_PKEY_fromdata_init(context) == 1)
        EVP_PKEY_fromdata(context, &key, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                          parameters);
    OSSL_PARAM_free(parameters);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_BLD_free(build->builder);
    for (size_t i = 0; i < build->count; i++)
        BN_clear_free(build->numbers[i]);
    return key;
}

static bool has_factors(const struct sign_bytes parts[SIGN_PARTS])
{
    return parts[SIGN_P].data && parts[SIGN_Q].data && parts[SIGN_DP].data && parts[SIGN_DQ].data &&
           parts[SIGN_QI].data;
}

static EVP_PKEY *rsa_from(const struct sign_bytes parts[SIGN_PARTS])
{
    struct build build = {.builder = OSSL_PARAM_BLD_new()};
    build.good = build.builder && parts[SIGN_N].data && parts[SIGN_E].data;
    bool factors = has_factors(parts);
    for (size_t i = 0; i < sizeof rsa_names / sizeof *rsa_names; i++) {
        struct sign_bytes bytes = parts[rsa_names[i].part];
        if (build.good && bytes.data && (factors || rsa_names[i].part <= SIGN_D))
            push_number(&build, rsa_names[i].name, bytes);
    }
    return finish(&build, "RSA", parts[SIGN_D].data != NULL);
}

static EVP_PKEY *ec_from(const struct sign_bytes parts[SIGN_PARTS])
{
    uint8_t point[1 + 2 * CURVE_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    struct build build = {.builder = OSSL_PARAM_BLD_new()};
    if (!parts[SIGN_X].data || parts[SIGN_X].length != CURVE_BYTES || !parts[SIGN_Y].data ||
        parts[SIGN_Y].length != CURVE_BYTES) {
        OSSL_PARAM_BLD_free(build.builder);
        return NULL;
    }
    memcpy(point + 1, parts[SIGN_X].data, CURVE_BYTES);
    memcpy(point + 1 + CURVE_BYTES, parts[SIGN_Y].data, CURVE_BYTES);
    build.good =
        build.builder &&
        OSSL_PARAM_BLD_push_utf8_string(build.builder, OSSL_PKEY_PARAM_GROUP_NAME, CURVE, 0) &&
        OSSL_PARAM_BLD_push_octet_string(build.builder, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         sizeof point);
    if (build.good && parts[SIGN_D].data)
        push_number(&build, OSSL_PKEY_PARAM_PRIV_KEY, parts[SIGN_D]);
    return finish(&build, "EC", parts[SIGN_D].data != NULL);
}

static EVP_PKEY *ed25519_from(const struct sign_bytes parts[SIGN_PARTS])
{
    struct sign_bytes x = parts[SIGN_X], d = parts[SIGN_D];
    uint8_t public[CURVE_BYTES];
    size_t length = sizeof public;
    if (!x.data || x.length != CURVE_BYTES)
        return NULL;
    if (!d.data)
        return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.data, x.length);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, d.data, d.length);
    if (key && (EVP_PKEY_get_raw_public_key(key, public, &length) != 1 ||
                memcmp(public, x.data, CURVE_BYTES) != 0)) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

/* The same key, read once more, as from a file: libcrypto locks the private numbers of those into
 * memory, but not all of a key that is made of numbers.  Takes `key` over. */
static EVP_PKEY *lock_numbers(EVP_PKEY *key)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    EVP_PKEY *locked = info ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info); /* wipes it */
    EVP_PKEY_free(key);
    return locked;
}

EVP_PKEY *openssl_read_parts(enum sign_algorithm algorithm,
                             const struct sign_bytes parts[SIGN_PARTS], char why[SIGN_WHY_MAX])
{
    static EVP_PKEY *(*const by_algorithm[])(const struct sign_bytes *) = {
        [SIGN_ES256] = ec_from,
        [SIGN_RS256] = rsa_from,
        [SIGN_PS256] = rsa_from,
        [SIGN_EDDSA] = ed25519_from,
    };
    EVP_PKEY *key = by_algorithm[algorithm](parts);
    /* a file would need the factors of an RSA key */
    if (key && parts[SIGN_D].data && (algorithm == SIGN_EDDSA || has_factors(parts)))
        key = lock_numbers(key);
    if (!key)
        say(why, "it is a JWK whose numbers are missing, have the wrong length or make no key");
    return key;
}

/* A number, of `width` bytes where that is not 0. */
static size_t get_number(EVP_PKEY *key, const char *name, size_t width, uint8_t out[SIGN_PART_MAX])
{
    BIGNUM *number = NULL;
    int length = 0;
    if (EVP_PKEY_get_bn_param(key, name, &number) == 1 && BN_num_bytes(number) <= SIGN_PART_MAX)
        length = width ? BN_bn2binpad(number, out, (int)width) : BN_bn2bin(number, out);
    BN_clear_free(number);
    ERR_clear_error();
    return length > 0 ? (size_t)length : 0;
}

size_t openssl_part(EVP_PKEY *key, enum sign_part part, uint8_t out[SIGN_PART_MAX])
{
    size_t length = SIGN_PART_MAX;
    if (EVP_PKEY_is_a(key, "ED25519")) {
        int got = part == SIGN_X   ? EVP_PKEY_get_raw_public_key(key, out, &length)
                  : part == SIGN_D ? EVP_PKEY_get_raw_private_key(key, out, &length)
                                   : 0;
        ERR_clear_error();
        return got == 1 ? length : 0;
    }
    if (EVP_PKEY_is_a(key, "EC")) {
        const char *name = part == SIGN_X   ? OSSL_PKEY_PARAM_EC_PUB_X
                           : part == SIGN_Y ? OSSL_PKEY_PARAM_EC_PUB_Y
                           : part == SIGN_D ? OSSL_PKEY_PARAM_PRIV_KEY
                                            : NULL;
        return name ? get_number(key, name, CURVE_BYTES, out) : 0;
    }
    for (size_t i = 0; i < sizeof rsa_names / sizeof *rsa_names; i++)
        if (rsa_names[i].part == part)
            return get_number(key, rsa_names[i].name, 0, out);
    return 0;
}

/* ---- Kinds ---- */

bool openssl_is_private(EVP_PKEY *key)
{
    uint8_t number[SIGN_PART_MAX];
    size_t length = openssl_part(key, SIGN_D, number);
    OPENSSL_cleanse(number, length);
    return length > 0;
}

static bool is_rsa_for(EVP_PKEY *key, enum sign_algorithm algorithm)
{
    return EVP_PKEY_is_a(key, "RSA") || (algorithm == SIGN_PS256 && EVP_PKEY_is_a(key, "RSA-PSS"));
}

bool openssl_fits(EVP_PKEY *key, enum sign_algorithm algorithm, char why[SIGN_WHY_MAX])
{
    static const char *const needs[] = {
        [SIGN_ES256] = "ES256 needs an EC key on the curve P-256",
        [SIGN_RS256] = "RS256 needs an RSA key",
        [SIGN_PS256] = "PS256 needs an RSA key",
        [SIGN_EDDSA] = "EdDSA needs an Ed25519 key",
    };
    char curve[64] = "";
    bool ec = EVP_PKEY_is_a(key, "EC"), fits;
    if (ec)
        EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL);
    if (algorithm == SIGN_ES256)
        fits = ec && strcmp(curve, CURVE) == 0;
    else if (algorithm == SIGN_EDDSA)
        fits = EVP_PKEY_is_a(key, "ED25519");
    else
        fits = is_rsa_for(key, algorithm);
    int bits = EVP_PKEY_get_bits(key);
    const char *type = EVP_PKEY_get0_type_name(key);
    ERR_clear_error();
    if (!fits)
        snprintf(why, SIGN_WHY_MAX, "it is a key of type %s%s%s; %s", type ? type : "unknown",
                 *curve ? " on the curve " : "", curve, needs[algorithm]);
    else if ((algorithm == SIGN_RS256 || algorithm == SIGN_PS256) &&
             (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX))
        snprintf(why, SIGN_WHY_MAX, "it is an RSA key of %d bits; it must have %d to %d", bits,
                 RSA_BITS_MIN, RSA_BITS_MAX);
    else
        return true;
    return false;
}

EVP_PKEY *openssl_generate(enum sign_algorithm algorithm, char why[SIGN_WHY_MAX])
{
    EVP_PKEY *key = algorithm == SIGN_ES256   ? EVP_EC_gen("P-256")
                    : algorithm == SIGN_EDDSA ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                              : EVP_RSA_gen(RSA_BITS_MADE);
    if (!key)
        say(why, "OpenSSL cannot make such a key");
    return key;
}
