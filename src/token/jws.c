/* SPDX-License-Identifier: MIT */
#include "jws.h"

#include <string.h>

#define CLOCK_SKEW 30 /* seconds that another clock may be ahead */

const char jws_no_key[] = "no key that is configured has its algorithm and key id";

/* ---- Signing ---- */

void jws_write_header(const struct key *key, const char *type, struct span more, struct bytes *out)
{
    size_t start = out->length;
    bytes_addf(out, "{\"alg\":\"%s\"", algorithm_rows[key->algorithm].name);
    if (type) {
        bytes_add_string(out, ",\"typ\":");
        bytes_add_json(out, span_of(type));
    }
    bytes_add_string(out, ",\"kid\":");
    bytes_add_json(out, span_of(key->id));
    bytes_add_span(out, more);
    bytes_add_string(out, "}");
    crypto_base64url_replace(out, start);
    bytes_add_string(out, ".");
}

void jws_complete(const struct key *key, struct bytes *out, size_t start, size_t payload)
{
    uint8_t signature[KEY_SIGNATURE_MAX];
    if (out->failed)
        return;
    crypto_base64url_replace(out, payload);
    if (out->failed)
        return;
    size_t length = key_sign(key, (struct span){out->data + start, out->length - start}, signature);
    out->failed = length == 0;
    bytes_add(out, ".", 1);
    crypto_base64url_encode(out, (struct span){(const char *)signature, length});
}

/* ---- Checking ---- */

/* Header, payload and signature as they were sent. */
struct pieces {
    struct span header, payload, signature, signed_part;
};

static bool cut(struct span token, struct pieces *pieces_r)
{
    const char *first = token.length ? memchr(token.data, '.', token.length) : NULL;
    const char *end = token.data + token.length;
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first) - 1) : NULL;
    if (!second || memchr(second + 1, '.', (size_t)(end - second) - 1))
        return false;
    pieces_r->header = (struct span){token.data, (size_t)(first - token.data)};
    pieces_r->payload = (struct span){first + 1, (size_t)(second - first) - 1};
    pieces_r->signature = (struct span){second + 1, (size_t)(end - second) - 1};
    pieces_r->signed_part = (struct span){token.data, (size_t)(second - token.data)};
    return true;
}

/* An object with no member twice, which would be one thing for us and another for
 * somebody else. */
static struct json_object *read_object(struct span encoded, struct bytes *text)
{
    struct bytes why = {0};
    struct json_object *object = NULL;
    if (crypto_base64url_decode(text, encoded))
        object = json_parse_unique(bytes_span(text), &why);
    bytes_free(&why);
    return object;
}

/* RFC 7515, section 4.1.9: without regard to case, "application/" may be left out. */
static bool is_type(struct span type, const char *wanted)
{
    static const char prefix[] = "application/";
    size_t length = sizeof prefix - 1;
    if (type.length > length && span_equal_nocase((struct span){type.data, length}, prefix))
        type = (struct span){type.data + length, type.length - length};
    return span_equal_nocase(type, wanted);
}

static bool has_right_type(struct json_object *header, const struct jws_rules *rules)
{
    struct span type;
    enum json_kind kind = json_member(header, "typ", &type);
    if (kind == JSON_ABSENT)
        return !rules->ours || !rules->type;
    if (kind != JSON_STRING)
        return false;
    if (rules->ours)
        return rules->type && span_equal(type, span_of(rules->type));
    return is_type(type, "JWT") || is_type(type, "at+jwt");
}

static const char *header_fault(struct json_object *header, const struct jws_rules *rules)
{
    struct span text;
    if (json_member(header, "alg", &text) != JSON_STRING)
        return "its header names no algorithm";
    if (json_member(header, "crit", &text) != JSON_ABSENT ||
        json_member(header, "b64", &text) != JSON_ABSENT)
        return "its header has critical extensions, which are not known here";
    if (!has_right_type(header, rules))
        return "its typ is wrong";
    enum json_kind kind = json_member(header, "kid", &text);
    if (kind != JSON_STRING && (rules->ours || kind != JSON_ABSENT))
        return "its key id is missing or no string";
    return NULL;
}

/* Whether a key may have signed a token with this header.  One of somebody else's
 * that has no name is tried whatever the token calls it. */
static bool is_candidate(const struct key *key, struct json_object *header,
                         const struct jws_rules *rules)
{
    struct span id = json_string_member(header, "kid");
    if (!span_equal(json_string_member(header, "alg"),
                    span_of(algorithm_rows[key->algorithm].name)))
        return false;
    return span_equal(id, span_of(key->id)) || (!rules->ours && (!id.data || !key->named));
}

static const char *check_signature(const struct pieces *pieces, const struct jws_rules *rules,
                                   struct jws *jws)
{
    struct bytes signature = {0};
    const char *fault = jws_no_key;
    bool decoded = crypto_base64url_decode(&signature, pieces->signature);
    if (!decoded)
        fault = "its signature is not base64url";
    for (size_t i = 0; i < rules->keys->count && decoded && fault; i++) {
        const struct key *key = rules->keys->keys[i];
        if (!is_candidate(key, jws->header, rules))
            continue;
        fault = "its signature is wrong";
        if (key_verify(key, pieces->signed_part, bytes_span(&signature))) {
            jws->key = key;
            fault = NULL;
        }
    }
    bytes_free(&signature);
    return fault;
}

const char *jws_verify(struct span token, const struct jws_rules *rules, struct jws *jws_r)
{
    struct pieces pieces;
    *jws_r = (struct jws){0};
    if (!cut(token, &pieces))
        return "it is not three pieces with dots between them";
    jws_r->header = read_object(pieces.header, &jws_r->header_text);
    if (!jws_r->header)
        return "its header is not the base64url of a JSON object";
    const char *fault = header_fault(jws_r->header, rules);
    if (!fault)
        fault = check_signature(&pieces, rules, jws_r);
    if (fault)
        return fault;
    jws_r->claims = read_object(pieces.payload, &jws_r->claims_text);
    return jws_r->claims ? NULL : "its claims are not the base64url of a JSON object";
}

const char *jws_check_time(const struct jws *jws, int64_t now, int64_t grace)
{
    struct json_object *ignored;
    int64_t time;
    if (!json_integer_member(jws->claims, "exp", &time))
        return "its exp is missing or no integer";
    if (time <= now - grace)
        return "it has expired";
    if (json_find(jws->claims, "nbf", &ignored) == JSON_ABSENT)
        return NULL;
    if (!json_integer_member(jws->claims, "nbf", &time))
        return "its nbf is no integer";
    return time > now + CLOCK_SKEW ? "it is not valid yet" : NULL;
}

void jws_free(struct jws *jws)
{
    json_release(jws->header);
    json_release(jws->claims);
    bytes_free(&jws->header_text);
    bytes_free(&jws->claims_text);
}
