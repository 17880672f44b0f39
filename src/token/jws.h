/* SPDX-License-Identifier: MIT
 * JSON Web Signature, compact serialisation (RFC 7515, section 7.1). */
#ifndef JWS_H
#define JWS_H

#include "base/json.h"
#include "keys.h"

/* ---- Signing ---- */

/* Appends the encoded header of tokens that a key signs, and its dot.  `more` are
 * further members, each after a comma; `type` NULL: no `typ`. */
void jws_write_header(const struct key *key, const char *type, struct span more, struct bytes *out);

/* Makes a token of what is in the buffer from `start` on: such a header, and from `payload` on the
 * bare payload.  Where it cannot be signed, the buffer has failed. */
void jws_complete(const struct key *key, struct bytes *out, size_t start, size_t payload);

/* ---- Checking ---- */

/* What a token must be like.  Algorithm and key come from here, never from the token. */
struct jws_rules {
    const struct key_ring *keys;
    bool ours;        /* made by us: it has a `kid`, and exactly this `typ` */
    const char *type; /* NULL: none */
};

enum jws_verdict {
    JWS_FAILED, /* it could not be checked: no memory, no clock */
    JWS_GOOD,
    JWS_NO_KEY, /* none of the keys could have signed it */
    JWS_BAD
};

/* A token whose signature is good. */
struct jws {
    struct bytes header_text, claims_text;
    struct json_object *header, *claims; /* claims: NULL until the signature is good */
    const struct key *key;
    bool ours;         /* as the rules said */
    const char *fault; /* what is wrong with the token, in words; of static storage */
};

/* Checks the signature, no more (not the time).  jws_free() after each verdict. */
enum jws_verdict jws_verify(struct span token, const struct jws_rules *rules, struct jws *jws_r);
void jws_free(struct jws *jws);

/* Sets the fault of a token; JWS_BAD, for the caller to return. */
enum jws_verdict jws_refuse(struct jws *jws, const char *fault);

/* Checks the time (RFC 7519, section 4.1), which has no fractions and exponents in tokens of ours:
 * JWS_GOOD, also for `grace` seconds after `exp`, or JWS_BAD. */
enum jws_verdict jws_check_time(struct jws *jws, int64_t now, int64_t grace);

#endif
