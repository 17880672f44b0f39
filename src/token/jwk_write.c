/* SPDX-License-Identifier: MIT
 * Writing JSON Web Keys (RFC 7517; RFC 7518, section 6; RFC 8037, section 2). */
#include "keys_private.h"

#include <string.h>

const char *const jwk_part_names[SIGN_PARTS] = {
    [SIGN_N] = "n",   [SIGN_E] = "e",   [SIGN_D] = "d",   [SIGN_P] = "p", [SIGN_Q] = "q",
    [SIGN_DP] = "dp", [SIGN_DQ] = "dq", [SIGN_QI] = "qi", [SIGN_X] = "x", [SIGN_Y] = "y",
};

static void add_part(const struct key *key, enum sign_part part, struct bytes *out)
{
    uint8_t number[SIGN_PART_MAX];
    size_t length = key->module->part(key->handle, part, number);
    out->failed = out->failed || length == 0;
    crypto_base64url_encode(out, (struct span){(const char *)number, length});
    explicit_bzero(number, length);
}

/* Appends ,"name":"number" */
static void add_member(const struct key *key, enum sign_part part, struct bytes *out)
{
    bytes_addf(out, ",\"%s\":\"", jwk_part_names[part]);
    add_part(key, part, out);
    bytes_add_string(out, "\"");
}

static void add_kind(const struct key *key, struct bytes *out)
{
    const struct algorithm_row *row = &algorithm_rows[key->algorithm];
    bytes_addf(out, "{\"kty\":\"%s\"", row->kty);
    if (row->crv)
        bytes_addf(out, ",\"crv\":\"%s\"", row->crv);
}

static void add_rest(const struct key *key, struct bytes *out)
{
    bytes_add_string(out, ",\"kid\":");
    bytes_add_json(out, span_of(key->id));
    bytes_addf(out, ",\"alg\":\"%s\",\"use\":\"sig\"}", algorithm_rows[key->algorithm].name);
}

static void add_public_parts(const struct key *key, struct bytes *out)
{
    switch (key->algorithm) {
    case ALGORITHM_ES256:
        add_member(key, SIGN_X, out);
        add_member(key, SIGN_Y, out);
        break;
    case ALGORITHM_EDDSA:
        add_member(key, SIGN_X, out);
        break;
    default:
        add_member(key, SIGN_N, out);
        add_member(key, SIGN_E, out);
    }
}

void jwk_write_public(const struct key *key, struct bytes *out)
{
    add_kind(key, out);
    if (key->module)
        add_public_parts(key, out);
    add_rest(key, out);
}

void jwk_write_private(const struct key *key, struct bytes *out)
{
    bool rsa = strcmp(algorithm_rows[key->algorithm].kty, "RSA") == 0;
    add_kind(key, out);
    add_public_parts(key, out);
    for (enum sign_part part = SIGN_D; part <= (rsa ? SIGN_QI : SIGN_D); part++)
        add_member(key, part, out);
    add_rest(key, out);
}

void jwk_write_secret(const struct key *key, struct span secret, struct bytes *out)
{
    add_kind(key, out);
    bytes_add_string(out, ",\"k\":\"");
    crypto_base64url_encode(out, secret);
    bytes_add_string(out, "\"");
    add_rest(key, out);
}

static void digest_of(const struct bytes *canonical, struct bytes *out)
{
    uint8_t digest[SHA256_LENGTH];
    out->failed |= canonical->failed;
    crypto_sha256(bytes_span(canonical), digest);
    crypto_base64url_encode(out, (struct span){(const char *)digest, sizeof digest});
}

void jwk_thumbprint_secret(struct span secret, struct bytes *out)
{
    struct bytes canonical = {0};
    bytes_add_string(&canonical, "{\"k\":\"");
    crypto_base64url_encode(&canonical, secret);
    bytes_add_string(&canonical, "\",\"kty\":\"oct\"}");
    digest_of(&canonical, out);
    bytes_free(&canonical);
}

void jwk_thumbprint(const struct key *key, struct bytes *out)
{
    const struct algorithm_row *row = &algorithm_rows[key->algorithm];
    struct bytes canonical = {0};
    if (row->crv) {
        bytes_addf(&canonical, "{\"crv\":\"%s\",\"kty\":\"%s\"", row->crv, row->kty);
        add_public_parts(key, &canonical);
    } else {
        bytes_add_string(&canonical, "{\"e\":\"");
        add_part(key, SIGN_E, &canonical);
        bytes_addf(&canonical, "\",\"kty\":\"%s\"", row->kty);
        add_member(key, SIGN_N, &canonical);
    }
    bytes_add_string(&canonical, "}");
    digest_of(&canonical, out);
    bytes_free(&canonical);
}
