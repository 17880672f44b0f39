/* SPDX-License-Identifier: MIT */
#include "jws.h"

void jws_sign(const struct signing_key *key, struct span payload, struct strbuf *out)
{
    uint8_t signature[SHA256_LENGTH];
    size_t start = out->length;
    strbuf_add_span(out, strbuf_span(&key->header));
    crypto_base64url_encode(out, payload);
    if (out->failed)
        return;
    struct span signed_part = {out->data + start, out->length - start};
    crypto_hmac_sign(key->hmac, signed_part, signature);
    strbuf_add_string(out, ".");
    crypto_base64url_encode(out, (struct span){(const char *)signature, sizeof signature});
}
