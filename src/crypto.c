/* SPDX-License-Identifier: MIT */
#include "crypto.h"

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

struct crypto_hmac {
    struct hmac_sha256_ctx context;
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

void crypto_base64url_encode(struct strbuf *out, struct span data)
{
    char *room =
        strbuf_reserve(out, BASE64_ENCODE_LENGTH(data.length) + BASE64_ENCODE_FINAL_LENGTH);
    if (!room)
        return;
    struct base64_encode_ctx context;
    base64url_encode_init(&context);
    size_t length = base64_encode_update(&context, room, data.length, bytes(data));
    length += base64_encode_final(&context, room + length);
    while (length && room[length - 1] == '=')
        length--;
    out->length += length;
}

/* nettle skips white space; no one who speaks to us has any business to send it. */
static bool has_foreign_space(struct span text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.data[i] <= ' ')
            return true;
    return false;
}

static bool decode(struct strbuf *out, struct span text, struct base64_decode_ctx *context,
                   size_t padding)
{
    size_t length = BASE64_DECODE_LENGTH(text.length + padding);
    char *room = strbuf_reserve(out, length);
    bool good = room && !has_foreign_space(text) &&
                base64_decode_update(context, &length, (uint8_t *)room, text.length,
                                     text.data ? text.data : "");
    size_t more = 0;
    if (good && padding)
        good = base64_decode_update(context, &more, (uint8_t *)room + length, padding, "==") != 0;
    good = good && base64_decode_final(context);
    if (good)
        out->length += length + more;
    return good;
}

bool crypto_base64url_decode(struct strbuf *out, struct span text)
{
    struct base64_decode_ctx context;
    base64url_decode_init(&context);
    if (text.length && memchr(text.data, '=', text.length))
        return false;
    return text.length % 4 != 1 && decode(out, text, &context, (4 - text.length % 4) % 4);
}

bool crypto_base64_decode(struct strbuf *out, struct span text)
{
    struct base64_decode_ctx context;
    base64_decode_init(&context);
    return decode(out, text, &context, 0);
}

struct crypto_hmac *crypto_hmac_new(struct span secret)
{
    struct crypto_hmac *hmac = malloc(sizeof *hmac);
    if (hmac)
        hmac_sha256_set_key(&hmac->context, secret.length, bytes(secret));
    return hmac;
}

void crypto_hmac_sign(const struct crypto_hmac *hmac, struct span data, uint8_t out[SHA256_LENGTH])
{
    struct hmac_sha256_ctx context = hmac->context;
    hmac_sha256_update(&context, data.length, bytes(data));
    hmac_sha256_digest(&context, SHA256_LENGTH, out);
    explicit_bzero(&context, sizeof context);
}

void crypto_hmac_free(struct crypto_hmac *hmac)
{
    if (hmac)
        explicit_bzero(hmac, sizeof *hmac);
    free(hmac);
}
