/* SPDX-License-Identifier: MIT
 * Reading JSON Web Keys (RFC 7517; RFC 7518, section 6; RFC 8037, section 2). */
#include "keys_private.h"

#include <string.h>

static bool is_kind_of(struct json_object *jwk, const struct algorithm_row *row)
{
    return span_equal(json_string_member(jwk, "kty"), span_of(row->kty)) &&
           (!row->crv || span_equal(json_string_member(jwk, "crv"), span_of(row->crv)));
}

/* The algorithm of a key whose user leaves that open: its own "alg", else the one that was asked
 * for, else the first that fits. */
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
static void say_misfit(struct json_object *jwk, const struct key_source *source, struct reason *why)
{
    const struct algorithm_row *row = &algorithm_rows[source->algorithm];
    if (!is_for_signatures(jwk))
        reason_set(why, "it is a JWK whose \"use\" is not \"sig\"");
    else if (source->any_algorithm)
        reason_set(why,
                   "it is a JWK of a type that none of the algorithms can use: " ALGORITHM_NAMES);
    else if (!span_equal(json_string_member(jwk, "kty"), span_of(row->kty)))
        reason_set(why, "it is a JWK whose \"kty\" is not \"%s\", which %s needs", row->kty,
                   row->name);
    else if (!is_kind_of(jwk, row))
        reason_set(why, "it is a JWK whose \"crv\" is not \"%s\", which %s needs", row->crv,
                   row->name);
    else
        reason_set(why, "it is a JWK whose \"alg\" is not \"%s\"", row->name);
}

static struct key *read_secret(struct json_object *jwk, enum algorithm algorithm, struct span id,
                               struct key_report *report)
{
    struct bytes secret = {0};
    struct span k = json_string_member(jwk, "k");
    struct key *key = NULL;
    if (!k.data || !crypto_base64url_decode(&secret, k))
        reason_set(&report->why,
                   secret.failed ? "out of memory" : "it is a JWK whose \"k\" is not base64url");
    else
        key = key_from_secret(algorithm, bytes_span(&secret), id, report);
    bytes_free(&secret);
    return key;
}

/* The numbers, decoded into `bytes`.  False: one is not base64url, and *why says so. */
static bool read_parts(struct json_object *jwk, struct bytes bytes[SIGN_PARTS],
                       struct sign_bytes parts_r[SIGN_PARTS], struct reason *why)
{
    for (size_t i = 0; i < SIGN_PARTS; i++) {
        struct span text = json_string_member(jwk, jwk_part_names[i]);
        if (!text.data)
            continue;
        if (!text.length || !crypto_base64url_decode(&bytes[i], text)) {
            reason_set(why,
                       bytes[i].failed ? "out of memory"
                                       : "it is a JWK whose \"%s\" is not base64url",
                       jwk_part_names[i]);
            return false;
        }
        parts_r[i] = (struct sign_bytes){(const uint8_t *)bytes[i].data, bytes[i].length};
    }
    return true;
}

static struct key *read_public(struct json_object *jwk, enum algorithm algorithm, struct span id,
                               const char *modules, struct reason *why)
{
    struct bytes bytes[SIGN_PARTS] = {{0}};
    struct sign_bytes parts[SIGN_PARTS] = {{0}};
    char fault[SIGN_WHY_MAX] = "";
    struct key *key = NULL;
    const struct sign_module *module = sign_load(modules, why);
    if (module && read_parts(jwk, bytes, parts, why)) {
        struct sign_key *handle = module->read_parts(algorithm_rows[algorithm].sign, parts, fault);
        if (handle)
            key = key_from_handle(algorithm, module, handle, id, why);
        else
            reason_set(why, "%s", fault);
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
               : read_public(jwk, algorithm, id, source->modules, &report->why);
}
