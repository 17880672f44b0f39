/* SPDX-License-Identifier: MIT */
#include "keys_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const struct algorithm_row algorithm_rows[ALGORITHM_COUNT] = {
    [ALGORITHM_HS256] = {"HS256", "oct", NULL, true, CRYPTO_SHA256, 32, 0},
    [ALGORITHM_HS384] = {"HS384", "oct", NULL, true, CRYPTO_SHA384, 48, 0},
    [ALGORITHM_HS512] = {"HS512", "oct", NULL, true, CRYPTO_SHA512, 64, 0},
    [ALGORITHM_ES256] = {"ES256", "EC", "P-256", false, 0, 0, SIGN_ES256},
    [ALGORITHM_RS256] = {"RS256", "RSA", NULL, false, 0, 0, SIGN_RS256},
    [ALGORITHM_PS256] = {"PS256", "RSA", NULL, false, 0, 0, SIGN_PS256},
    [ALGORITHM_EDDSA] = {"EdDSA", "OKP", "Ed25519", false, 0, 0, SIGN_EDDSA},
};

/* ---- Use ---- */

size_t key_sign(const struct key *key, struct span data, uint8_t out[KEY_SIGNATURE_MAX])
{
    uint8_t digest[SHA256_LENGTH] = {0};
    if (key->hmac)
        return crypto_hmac_sign(key->hmac, data, out);
    if (key->algorithm != ALGORITHM_EDDSA)
        crypto_sha256(data, digest);
    return key->module->sign(key->handle, (const uint8_t *)data.data, data.length, digest, out);
}

enum sign_verdict key_verify(const struct key *key, struct span data, struct span signature)
{
    uint8_t digest[CRYPTO_DIGEST_MAX] = {0};
    if (key->hmac) {
        size_t length = crypto_hmac_sign(key->hmac, data, digest);
        bool good = signature.length == length && crypto_equal(digest, signature.data, length);
        return good ? SIGN_GOOD : SIGN_BAD;
    }
    if (key->algorithm != ALGORITHM_EDDSA)
        crypto_sha256(data, digest);
    return key->module->verify(key->handle, (const uint8_t *)data.data, data.length, digest,
                               (const uint8_t *)signature.data, signature.length);
}

void key_free(struct key *key)
{
    if (!key)
        return;
    crypto_hmac_free(key->hmac);
    if (key->module)
        key->module->free(key->handle);
    bytes_free(&key->jwk);
    free(key);
}

/* ---- Rings and reports ---- */

bool key_ring_add(struct key_ring *ring, struct key *key)
{
    struct key **grown = realloc(ring->keys, (ring->count + 1) * sizeof(struct key *));
    if (!grown) {
        key_free(key);
        return false;
    }
    ring->keys = grown;
    ring->keys[ring->count++] = key;
    return true;
}

void key_ring_free(struct key_ring *ring)
{
    for (size_t i = 0; i < ring->count; i++)
        key_free(ring->keys[i]);
    free(ring->keys);
    *ring = (struct key_ring){0};
}

void key_warn(struct key_report *report, const char *format, ...)
{
    va_list args;
    if (report->warning_count == KEY_WARNINGS_MAX)
        return;
    char *text = report->warnings[report->warning_count++].text;
    va_start(args, format);
    reason_write(text, REASON_MAX, format, args);
    va_end(args);
}
