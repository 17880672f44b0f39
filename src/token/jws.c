/* SPDX-License-Identifier: MIT */
#include "jws.h"

#include <string.h>

#define CLOCK_SKEW 30 /* seconds that another clock may be ahead */

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

enum jws_verdict jws_refuse(struct jws *jws, const char *fault)
{
    jws->fault = fault;
    return JWS_BAD;
}

static enum jws_verdict fail(struct jws *jws)
{
    jws->fault = "it could not be checked: out of memory";
    return JWS_FAILED;
}

/* An object with no member twice, which would mean one thing here and another elsewhere. */
static enum jws_verdict read_object(struct jws *jws, struct span encoded, struct bytes *text,
                                    struct json_object **object_r, const char *fault)
{
    struct reason ignored;
    bool decoded = crypto_base64url_decode(text, encoded);
    if (text->failed)
        return fail(jws);
    if (!decoded)
        return jws_refuse(jws, fault);
    switch (json_read(bytes_span(text), JSON_UNIQUE, object_r, &ignored)) {
    case JSON_GOOD:
        return JWS_GOOD;
    case JSON_NO_MEMORY:
        return fail(jws);
    default:
        return jws_refuse(jws, fault);
    }
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

static enum jws_verdict check_header(struct jws *jws, const struct jws_rules *rules)
{
    struct json_object *header = jws->header;
    struct span text;
    if (json_member(header, "alg", &text) != JSON_STRING)
        return jws_refuse(jws, "its header names no algorithm");
    if (json_member(header, "crit", &text) != JSON_ABSENT ||
        json_member(header, "b64", &text) != JSON_ABSENT)
        return jws_refuse(jws, "its header has critical extensions, which are not known here");
    if (!has_right_type(header, rules))
        return jws_refuse(jws, "its typ is wrong");
    enum json_kind kind = json_member(header, "kid", &text);
    if (kind != JSON_STRING && (rules->ours || kind != JSON_ABSENT))
        return jws_refuse(jws, "its key id is missing or not a string");
    return JWS_GOOD;
}

/* Whether a key may have signed a token with this header.  An outside issuer's key that has no name
 * is tried whatever the token calls it. */
static bool is_candidate(const struct key *key, struct json_object *header,
                         const struct jws_rules *rules)
{
    struct span id = json_string_member(header, "kid");
    if (!span_equal(json_string_member(header, "alg"),
                    span_of(algorithm_rows[key->algorithm].name)))
        return false;
    return span_equal(id, span_of(key->id)) || (!rules->ours && (!id.data || !key->named));
}

static enum jws_verdict check_signature(const struct pieces *pieces, const struct jws_rules *rules,
                                        struct jws *jws)
{
    struct bytes signature = {0};
    enum jws_verdict verdict = JWS_NO_KEY;
    bool decoded = crypto_base64url_decode(&signature, pieces->signature);
    jws->fault = "no key that is configured has its algorithm and key id";
    if (signature.failed)
        verdict = fail(jws);
    else if (!decoded)
        verdict = jws_refuse(jws, "its signature is not base64url");
    for (size_t i = 0; i < rules->keys->count && decoded && verdict != JWS_GOOD; i++) {
        const struct key *key = rules->keys->keys[i];
        if (!is_candidate(key, jws->header, rules))
            continue;
        switch (key_verify(key, pieces->signed_part, bytes_span(&signature))) {
        case SIGN_GOOD:
            jws->key = key;
            verdict = JWS_GOOD;
            break;
        case SIGN_BAD:
            verdict = jws_refuse(jws, "its signature is wrong");
            break;
        case SIGN_FAILED:
            decoded = false; /* no other key can say more */
            verdict = fail(jws);
        }
    }
    bytes_free(&signature);
    return verdict;
}

enum jws_verdict jws_verify(struct span token, const struct jws_rules *rules, struct jws *jws_r)
{
    struct pieces pieces;
    *jws_r = (struct jws){.ours = rules->ours};
    if (!cut(token, &pieces))
        return jws_refuse(jws_r, "it is not three pieces with dots between them");
    enum jws_verdict verdict =
        read_object(jws_r, pieces.header, &jws_r->header_text, &jws_r->header,
                    "its header is not the base64url of a JSON object");
    if (verdict == JWS_GOOD)
        verdict = check_header(jws_r, rules);
    if (verdict == JWS_GOOD)
        verdict = check_signature(&pieces, rules, jws_r);
    if (verdict == JWS_GOOD)
        verdict = read_object(jws_r, pieces.payload, &jws_r->claims_text, &jws_r->claims,
                              "its claims are not the base64url of a JSON object");
    return verdict;
}

static bool read_time(const struct jws *jws, const char *name, int64_t *seconds_r)
{
    return jws->ours ? json_integer_member(jws->claims, name, seconds_r)
                     : json_floor_member(jws->claims, name, seconds_r);
}

enum jws_verdict jws_check_time(struct jws *jws, int64_t now, int64_t grace)
{
    struct json_object *ignored;
    int64_t time;
    if (!read_time(jws, "exp", &time))
        return jws_refuse(jws, "its exp is missing or not a number");
    if (time <= now - grace)
        return jws_refuse(jws, "it has expired");
    if (json_find(jws->claims, "nbf", &ignored) == JSON_ABSENT)
        return JWS_GOOD;
    if (!read_time(jws, "nbf", &time))
        return jws_refuse(jws, "its nbf is not a number");
    return time > now + CLOCK_SKEW ? jws_refuse(jws, "it is not valid yet") : JWS_GOOD;
}

void jws_free(struct jws *jws)
{
    json_release(jws->header);
    json_release(jws->claims);
    bytes_free(&jws->header_text);
    bytes_free(&jws->claims_text);
}
