/* SPDX-License-Identifier: MIT */
#include "crypto.h"

#include "vault.h"

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <string.h>

union context {
    struct hmac_sha256_ctx sha256;
    struct hmac_sha384_ctx sha384;
    struct hmac_sha512_ctx sha512;
};

struct crypto_hmac {
    enum crypto_hash hash;
    union context context;
};

static const uint8_t *bytes(struct span data)
{
    return (const uint8_t *)(data.data ? data.data : "");
}

void crypto_sha256(struct span data, uint8_t out[SHA256_LENGTH])
{
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, data.length, bytes(data));
    sha256_digest(&context, SHA256_LENGTH, out);
    explicit_bzero(&context, sizeof context);
}

bool crypto_equal(const void *a, const void *b, size_t length)
{
    return memeql_sec(a, b, length) != 0;
}

size_t crypto_base64url_to(char *out, struct span data)
{
    struct base64_encode_ctx context;
    base64url_encode_init(&context);
    size_t length = base64_encode_update(&context, out, data.length, bytes(data));
    length += base64_encode_final(&context, out + length);
    while (length && out[length - 1] == '=')
        length--;
    return length;
}

void crypto_base64url_encode(struct bytes *out, struct span data)
{
    char *room = bytes_reserve(out, CRYPTO_ENCODED_MAX(data.length));
    if (room)
        out->length += crypto_base64url_to(room, data);
}

void crypto_base64url_replace(struct bytes *out, size_t start)
{
    size_t length = out->length - start, room = CRYPTO_ENCODED_MAX(length);
    if (!bytes_reserve(out, room)) /* so that both fit behind `start` */
        return;
    char *text = out->data + start;
    memmove(text + room, text, length);
    out->length = start + crypto_base64url_to(text, (struct span){text + room, length});
    explicit_bzero(text + room, length);
}

/* nettle skips white space; no client of ours has reason to send it. */
static bool has_foreign_space(struct span text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.data[i] <= ' ')
            return true;
    return false;
}

static bool decode(uint8_t *out, struct span text, struct base64_decode_ctx *context,
                   size_t padding, size_t *length_r)
{
    size_t length = BASE64_DECODE_LENGTH(text.length), more = 0;
    bool good = !has_foreign_space(text) && base64_decode_update(context, &length, out, text.length,
                                                                 text.data ? text.data : "");
    if (good && padding)
        good = base64_decode_update(context, &more, out + length, padding, "==") != 0;
    *length_r = length + more;
    return good && base64_decode_final(context);
}

bool crypto_base64url_decode(struct bytes *out, struct span text)
{
    struct base64_decode_ctx context;
    size_t length;
    base64url_decode_init(&context);
    if (text.length % 4 == 1 || (text.length && memchr(text.data, '=', text.length)))
        return false;
    char *room = bytes_reserve(out, BASE64_DECODE_LENGTH(text.length + 2));
    bool good = room && decode((uint8_t *)room, text, &context, (4 - text.length % 4) % 4, &length);
    if (good)
        out->length += length;
    return good;
}

bool crypto_base64_decode(uint8_t *out, struct span text, size_t *length_r)
{
    struct base64_decode_ctx context;
    base64_decode_init(&context);
    return decode(out, text, &context, 0, length_r);
}

struct crypto_hmac *crypto_hmac_new(enum crypto_hash hash, struct span secret)
{
    _Static_assert(sizeof *(struct crypto_hmac *)0 <= VAULT_SLOT, "it fits");
    struct crypto_hmac *hmac = vault_take(sizeof *hmac);
    if (!hmac)
        return NULL;
    hmac->hash = hash;
    switch (hash) {
    case CRYPTO_SHA256:
        hmac_sha256_set_key(&hmac->context.sha256, secret.length, bytes(secret));
        break;
    case CRYPTO_SHA384:
        hmac_sha384_set_key(&hmac->context.sha384, secret.length, bytes(secret));
        break;
    case CRYPTO_SHA512:
        hmac_sha512_set_key(&hmac->context.sha512, secret.length, bytes(secret));
        break;
    }
    return hmac;
}

static size_t sign_sha256(const struct crypto_hmac *hmac, struct span data, uint8_t *out)
{
    struct hmac_sha256_ctx context = hmac->context.sha256;
    hmac_sha256_update(&context, data.length, bytes(data));
    hmac_sha256_digest(&context, SHA256_DIGEST_SIZE, out);
    explicit_bzero(&context, sizeof context);
    return SHA256_DIGEST_SIZE;
}

static size_t sign_sha384(const struct crypto_hmac *hmac, struct span data, uint8_t *out)
{
    struct hmac_sha384_ctx context = hmac->context.sha384;
    hmac_sha384_update(&context, data.length, bytes(data));
    hmac_sha384_digest(&context, SHA384_DIGEST_SIZE, out);
    explicit_bzero(&context, sizeof context);
    return SHA384_DIGEST_SIZE;
}

static size_t sign_sha512(const struct crypto_hmac *hmac, struct span data, uint8_t *out)
{
    struct hmac_sha512_ctx context = hmac->context.sha512;
    hmac_sha512_update(&context, data.length, bytes(data));
    hmac_sha512_digest(&context, SHA512_DIGEST_SIZE, out);
    explicit_bzero(&context, sizeof context);
    return SHA512_DIGEST_SIZE;
}

size_t crypto_hmac_sign(const struct crypto_hmac *hmac, struct span data,
                        uint8_t out[CRYPTO_DIGEST_MAX])
{
    static size_t (*const by_hash[])(const struct crypto_hmac *, struct span,
                                     uint8_t *) = {[CRYPTO_SHA256] = sign_sha256,
                                                   [CRYPTO_SHA384] = sign_sha384,
                                                   [CRYPTO_SHA512] = sign_sha512};
    return by_hash[hmac->hash](hmac, data, out);
}

void crypto_hmac_free(struct crypto_hmac *hmac)
{
    vault_give(hmac);
}
