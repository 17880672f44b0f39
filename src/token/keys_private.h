/* SPDX-License-Identifier: MIT
 * What the files of keys share.  Each may call those above it: keys.c, jwk_write.c, keys_make.c
 * (with disguise.c), jwk_read.c, keys_load.c. */
#ifndef KEYS_PRIVATE_H
#define KEYS_PRIVATE_H

#include "base/json.h"
#include "keys.h"

#define SECRET_MIN 32

/* ---- keys.c ---- */

void key_warn(struct key_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- jwk_write.c: appends to a buffer, which fails when a number of the key cannot be had ---- */

extern const char *const jwk_part_names[SIGN_PARTS];

/* RFC 7638, sections 3.1 and 3.2: the required members in lexical order. */
void jwk_thumbprint_secret(struct span secret, struct bytes *out);
void jwk_thumbprint(const struct key *key, struct bytes *out);

/* The public key as it is published; a key to be kept. */
void jwk_write_public(const struct key *key, struct bytes *out);
void jwk_write_private(const struct key *key, struct bytes *out);
void jwk_write_secret(const struct key *key, struct span secret, struct bytes *out);

/* ---- disguise.c ---- */

enum disguise_verdict {
    DISGUISE_NO_MEMORY,
    DISGUISE_NONE,
    DISGUISE_KEY, /* a public or private key, or a URL, in some form: anyone may know it */
    DISGUISE_WEAK /* what people may guess */
};

/* What a would-be secret is in truth.  *form_r: what to call it. */
enum disguise_verdict disguise_find(struct span secret, const char **form_r);

/* ---- keys_make.c ---- */

/* A key from what was read; takes `handle` over.  `id` empty: the thumbprint.  NULL: why. */
struct key *key_from_secret(enum algorithm algorithm, struct span secret, struct span id,
                            struct key_report *report);
struct key *key_from_handle(enum algorithm algorithm, const struct sign_module *module,
                            struct sign_key *handle, struct span id, struct reason *why);

/* ---- jwk_read.c ---- */

/* A key from a JWK (RFC 7517).  NULL: why. */
struct key *jwk_read(struct json_object *jwk, const struct key_source *source,
                     struct key_report *report);

/* Whether a JWK of a set is one for the algorithm of `source` at all. */
bool jwk_is_for(struct json_object *jwk, const struct key_source *source);

#endif
