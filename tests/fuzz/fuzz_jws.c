/* SPDX-License-Identifier: MIT
 * Tokens from outside: none is good that the key did not sign. */
#include "fuzz.h"

#include "token/jws.h"

#include <string.h>

const char fuzz_corpus[] = "jws";

/* As seeds have the signature of nobody, the signature is made good here, so that what
 * lies behind it is reached. */
static void check_signed(const struct jws_rules *rules, struct span token)
{
    struct jws jws;
    struct bytes made = {0};
    uint8_t signature[KEY_SIGNATURE_MAX];
    const char *dot = token.length ? memrchr(token.data, '.', token.length) : NULL;
    if (!dot)
        return;
    struct span signed_part = {token.data, (size_t)(dot - token.data)};
    size_t length = key_sign(rules->keys->keys[0], signed_part, signature);
    bytes_add_span(&made, signed_part);
    bytes_add(&made, ".", 1);
    crypto_base64url_encode(&made, (struct span){(const char *)signature, length});
    if (jws_verify(bytes_span(&made), rules, &jws) == JWS_GOOD)
        jws_check_time(&jws, 1000, 0);
    jws_free(&jws);
    bytes_free(&made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct key key = {.algorithm = ALGORITHM_HS256, .id = "k1"};
    struct key *keys[] = {&key};
    const struct key_ring ring = {keys, 1};
    struct span token = {(const char *)data, size};
    struct jws jws;
    key.hmac =
        crypto_hmac_new(CRYPTO_SHA256, (struct span){"a secret that no seed knows, I hope", 32});
    must(key.hmac);
    for (int ours = 0; ours < 2; ours++) {
        const struct jws_rules rules = {.keys = &ring, .ours = ours, .type = "JWT"};
        must(jws_verify(token, &rules, &jws) != JWS_GOOD);
        must(!jws.key && !jws.claims);
        jws_free(&jws);
        check_signed(&rules, token);
    }
    crypto_hmac_free(key.hmac);
    return 0;
}
