/* SPDX-License-Identifier: MIT
 * Signing keys: read once, checked, wiped when dropped. */
#ifndef KEYS_H
#define KEYS_H

#include "crypto.h"

#define KEY_ID_MAX 128

struct signing_key {
    struct crypto_hmac *hmac;
    char id[KEY_ID_MAX + 1]; /* `kid` */
    struct strbuf header;    /* of every token: the encoded header and its dot */
};

/* Reads a key for HS256 from a file: a raw secret of at least 32 bytes (of a
 * text file, one newline at the end does not count), or a JWK of type "oct"
 * (RFC 7518, section 6.4).  `id` NULL: the key id of the JWK, else the RFC 7638
 * thumbprint.  NULL: *why_r says what is wrong with it.  *exposed_r: other users
 * of the machine can read the file. */
struct signing_key *key_load(const char *path, const char *id, bool *exposed_r,
                             struct strbuf *why_r);
void key_free(struct signing_key *key);

/* A file of secrets, at most `limit` bytes; refused when others can write it.
 * False: *why_r says why. */
bool secret_file_read(const char *path, size_t limit, struct strbuf *out, bool *exposed_r,
                      struct strbuf *why_r);

#endif
