/* SPDX-License-Identifier: MIT */
#include "keys_private.h"

#include "base/random.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

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

bool key_verify(const struct key *key, struct span data, struct span signature)
{
    uint8_t digest[CRYPTO_DIGEST_MAX] = {0};
    if (key->hmac) {
        size_t length = crypto_hmac_sign(key->hmac, data, digest);
        return signature.length == length && crypto_equal(digest, signature.data, length);
    }
    if (key->algorithm != ALGORITHM_EDDSA)
        crypto_sha256(data, digest);
    return key->module->verify(key->handle, (const uint8_t *)data.data, data.length, digest,
                               (const uint8_t *)signature.data, signature.length);
}

/* ---- Making ---- */

/* NULL when the id cannot be one. */
static struct key *new_key(enum algorithm algorithm, struct span id, struct bytes *why_r)
{
    struct key *key = NULL;
    if (id.length > KEY_ID_MAX)
        bytes_addf(why_r, "its key id is longer than %d bytes", KEY_ID_MAX);
    else if (!text_is_plain(id))
        bytes_add_string(why_r, "its key id is not UTF-8 without control characters");
    else if (!(key = calloc(1, sizeof *key)))
        bytes_add_string(why_r, "out of memory");
    if (!key)
        return NULL;
    key->algorithm = algorithm;
    key->named = id.length > 0;
    if (id.length)
        memcpy(key->id, id.data, id.length);
    return key;
}

static void set_id(struct key *key, const struct bytes *thumbprint)
{
    if (!key->named)
        memcpy(key->id, thumbprint->data, thumbprint->length);
}

struct key *key_from_secret(enum algorithm algorithm, struct span secret, struct span id,
                            struct key_report *report)
{
    const struct algorithm_row *row = &algorithm_rows[algorithm];
    struct bytes print = {0};
    if (secret.length < SECRET_MIN) {
        bytes_addf(&report->why, "the secret has %zu bytes; %s needs at least %d", secret.length,
                   row->name, SECRET_MIN);
        return NULL;
    }
    struct key *key = new_key(algorithm, id, &report->why);
    if (!key)
        return NULL;
    if (secret.length < row->secret_advised)
        bytes_addf(&report->warning, "%sthe secret has %zu bytes; for %s there should be %zu",
                   report->warning.length ? "; " : "", secret.length, row->name,
                   row->secret_advised);
    key->hmac = crypto_hmac_new(row->hash, secret);
    key->can_sign = true;
    jwk_thumbprint_secret(secret, &print);
    set_id(key, &print);
    bytes_free(&print);
    return key;
}

struct key *key_from_handle(enum algorithm algorithm, const struct sign_module *module,
                            struct sign_key *handle, struct span id, struct key_report *report)
{
    char why[SIGN_WHY_MAX];
    struct bytes print = {0};
    struct key *key = NULL;
    if (!module->prepare(handle, algorithm_rows[algorithm].sign, why))
        bytes_add_string(&report->why, why);
    else
        key = new_key(algorithm, id, &report->why);
    if (!key) {
        module->free(handle);
        return NULL;
    }
    key->module = module;
    key->handle = handle;
    key->can_sign = module->is_private(handle);
    jwk_thumbprint(key, &print);
    set_id(key, &print);
    bytes_free(&print);
    jwk_write_public(key, &key->jwk);
    return key;
}

struct key *key_generate(enum algorithm algorithm, const char *id, const char *modules,
                         struct bytes *secret_r, struct bytes *why_r)
{
    const struct algorithm_row *row = &algorithm_rows[algorithm];
    struct key_report report = {0};
    struct key *key = NULL;
    char why[SIGN_WHY_MAX] = "";
    if (row->symmetric) {
        char *room = bytes_reserve(secret_r, row->secret_advised);
        if (room) {
            random_fill(room, row->secret_advised);
            secret_r->length += row->secret_advised;
        }
        key = key_from_secret(algorithm, bytes_span(secret_r), span_of(id), &report);
    } else {
        const struct sign_module *module = sign_load(modules, &report.why);
        struct sign_key *handle = module ? module->generate(row->sign, why) : NULL;
        if (handle)
            key = key_from_handle(algorithm, module, handle, span_of(id), &report);
        else
            bytes_add_string(&report.why, why);
    }
    bytes_add_span(why_r, bytes_span(&report.why));
    key_report_free(&report);
    return key;
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

void key_ring_add(struct key_ring *ring, struct key *key)
{
    struct key **grown = realloc(ring->keys, (ring->count + 1) * sizeof *grown);
    if (!grown)
        abort(); /* as all memory that runs out while a configuration is read */
    ring->keys = grown;
    ring->keys[ring->count++] = key;
}

void key_ring_free(struct key_ring *ring)
{
    for (size_t i = 0; i < ring->count; i++)
        key_free(ring->keys[i]);
    free(ring->keys);
    *ring = (struct key_ring){0};
}

void key_report_free(struct key_report *report)
{
    bytes_free(&report->why);
    bytes_free(&report->warning);
}
