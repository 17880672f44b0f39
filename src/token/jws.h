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

/* Makes a token of what is in the buffer from `start` on: such a header, and from
 * `payload` on the bare payload.  When it cannot be, the buffer has failed. */
void jws_complete(const struct key *key, struct bytes *out, size_t start, size_t payload);

/* ---- Checking ---- */

/* What a token must be like.  Algorithm and key come from here, never from it. */
struct jws_rules {
    const struct key_ring *keys;
    bool ours;        /* made by us: it has a `kid`, and exactly this `typ` */
    const char *type; /* NULL: none */
};

/* A token whose signature is good. */
struct jws {
    struct bytes header_text, claims_text;
    struct json_object *header, *claims;
    const struct key *key;
};

/* NULL when the token is good: its signature, no more (not its time).  Else what is
 * wrong with it, in words.  jws_free() after either. */
const char *jws_verify(struct span token, const struct jws_rules *rules, struct jws *jws_r);
void jws_free(struct jws *jws);

/* What it says for a token that none of the keys could have signed. */
extern const char jws_no_key[];

/* Whether its time is good (RFC 7519, section 4.1), `grace` seconds beyond `exp`: as
 * above. */
const char *jws_check_time(const struct jws *jws, int64_t now, int64_t grace);

#endif
