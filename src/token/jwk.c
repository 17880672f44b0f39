/* SPDX-License-Identifier: MIT
 * JSON Web Keys (RFC 7517; RFC 7518, section 6; RFC 8037, section 2). */
#include "keys_private.h"

#include <string.h>

static const char *const part_names[SIGN_PARTS] = {
    [SIGN_N] = "n",   [SIGN_E] = "e",   [SIGN_D] = "d",   [SIGN_P] = "p", [SIGN_Q] = "q",
    [SIGN_DP] = "dp", [SIGN_DQ] = "dq", [SIGN_QI] = "qi", [SIGN_X] = "x", [SIGN_Y] = "y",
};

/* ---- Reading ---- */

static bool is_kind_of(struct json_object *jwk, const struct algorithm_row *row)
{
    return span_equal(json_string_member(jwk, "kty"), span_of(row->kty)) &&
           (!row->crv || span_equal(json_string_member(jwk, "crv"), span_of(row->crv)));
}

/* What a key is for, where its user leaves that open: its own "alg", else what was
 * asked for, else the first that fits. */
static bool choose_algorithm(struct json_object *jwk, const struct key_source *source,
                             enum algorithm *algorithm_r)
{
    struct span own = json_string_member(jwk, "alg");
    for (int i = -1; i < ALGORITHM_COUNT; i++) {
        enum algorithm candidate = i < 0 ? source->algorithm : (enum algorithm)i;
        const struct algorithm_row *row = &algorithm_rows[candidate];
        if (is_kind_of(jwk, row) && (!own.data || span_equal(own, span_of(row->name)))) {
            *algorithm_r = candidate;
            return true;
        }
    }
    return false;
}

static bool is_for_signatures(struct json_object *jwk)
{
    struct span use = json_string_member(jwk, "use");
    return !use.data || span_equal(use, span_of("sig"));
}

bool jwk_is_for(struct json_object *jwk, const struct key_source *source)
{
    const struct algorithm_row *row = &algorithm_rows[source->algorithm];
    struct span own = json_string_member(jwk, "alg");
    enum algorithm algorithm;
    if (!is_for_signatures(jwk))
        return false;
    if (source->any_algorithm)
        return choose_algorithm(jwk, source, &algorithm);
    return is_kind_of(jwk, row) && (!own.data || span_equal(own, span_of(row->name)));
}

/* Says why a key is not for the algorithm. */
static void say_misfit(struct json_object *jwk, const struct key_source *source,
                       struct bytes *why_r)
{
    const struct algorithm_row *row = &algorithm_rows[source->algorithm];
    if (!is_for_signatures(jwk))
        bytes_add_string(why_r, "it is a JWK whose \"use\" is not \"sig\"");
    else if (source->any_algorithm)
        bytes_add_string(why_r, "it is a JWK of a type that no algorithm here is for (possible "
                                "are: " ALGORITHM_NAMES ")");
    else if (!span_equal(json_string_member(jwk, "kty"), span_of(row->kty)))
        bytes_addf(why_r, "it is a JWK whose \"kty\" is not \"%s\", which %s needs", row->kty,
                   row->name);
    else if (!is_kind_of(jwk, row))
        bytes_addf(why_r, "it is a JWK whose \"crv\" is not \"%s\", which %s needs", row->crv,
                   row->name);
    else
        bytes_addf(why_r, "it is a JWK whose \"alg\" is not \"%s\"", row->name);
}

static struct key *read_secret(struct json_object *jwk, enum algorithm algorithm, struct span id,
                               struct key_report *report)
{
    struct bytes secret = {0};
    struct span k = json_string_member(jwk, "k");
    struct key *key = NULL;
    if (!k.data || !crypto_base64url_decode(&secret, k))
        bytes_add_string(&report->why, "it is a JWK whose \"k\" is not base64url");
    else
        key = key_from_secret(algorithm, bytes_span(&secret), id, report);
    bytes_free(&secret);
    return key;
}

/* The numbers, decoded into `bytes`.  False: one is no base64url, which was said. */
static bool read_parts(struct json_object *jwk, struct bytes bytes[SIGN_PARTS],
                       struct sign_bytes parts_r[SIGN_PARTS], struct bytes *why_r)
{
    for (size_t i = 0; i < SIGN_PARTS; i++) {
        struct span text = json_string_member(jwk, part_names[i]);
        if (!text.data)
            continue;
        if (!text.length || !crypto_base64url_decode(&bytes[i], text)) {
            bytes_addf(why_r, "it is a JWK whose \"%s\" is not base64url", part_names[i]);
            return false;
        }
        parts_r[i] = (struct sign_bytes){(const uint8_t *)bytes[i].data, bytes[i].length};
    }
    return true;
}

static struct key *read_public(struct json_object *jwk, enum algorithm algorithm, struct span id,
                               const char *modules, struct key_report *report)
{
    struct bytes bytes[SIGN_PARTS] = {{0}};
    struct sign_bytes parts[SIGN_PARTS] = {{0}};
    char why[SIGN_WHY_MAX] = "";
    struct key *key = NULL;
    const struct sign_module *module = sign_load(modules, &report->why);
    if (module && read_parts(jwk, bytes, parts, &report->why)) {
        struct sign_key *handle = module->read_parts(algorithm_rows[algorithm].sign, parts, why);
        if (handle)
            key = key_from_handle(algorithm, module, handle, id, report);
        else
            bytes_add_string(&report->why, why);
    }
    for (size_t i = 0; i < SIGN_PARTS; i++)
        bytes_free(&bytes[i]);
    return key;
}

struct key *jwk_read(struct json_object *jwk, const struct key_source *source,
                     struct key_report *report)
{
    enum algorithm algorithm = source->algorithm;
    struct span id = source->id ? span_of(source->id) : json_string_member(jwk, "kid");
    if (!jwk_is_for(jwk, source)) {
        say_misfit(jwk, source, &report->why);
        return NULL;
    }
    if (source->any_algorithm)
        choose_algorithm(jwk, source, &algorithm);
    return algorithm_rows[algorithm].symmetric
               ? read_secret(jwk, algorithm, id, report)
               : read_public(jwk, algorithm, id, source->modules, report);
}

/* ---- Writing ---- */

static void add_part(const struct key *key, enum sign_part part, struct bytes *out)
{
    uint8_t number[SIGN_PART_MAX];
    size_t length = key->module->part(key->handle, part, number);
    crypto_base64url_encode(out, (struct span){(const char *)number, length});
    explicit_bzero(number, length);
}

/* Appends ,"name":"number" */
static void add_member(const struct key *key, enum sign_part part, struct bytes *out)
{
    bytes_addf(out, ",\"%s\":\"", part_names[part]);
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
