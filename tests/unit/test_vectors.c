/* SPDX-License-Identifier: MIT
 * The examples of RFC 7515, 7520, 7638 and 8037, signed and checked. */
#include "vectors.h"

#include "token/jws.h"
#include "support.h"

#include <string.h>

static struct key_ring ring;

static int stop(void **state)
{
    key_ring_free(&ring);
    return scratch_stop(state);
}

static const struct key *load(const char *name, enum algorithm algorithm, const char *jwk,
                              bool signs)
{
    static struct key_report report;
    const struct key_source source = {.path = scratch_write("key", span_of(jwk)),
                                      .modules = plugins,
                                      .algorithm = algorithm,
                                      .signs = signs};
    key_ring_free(&ring);
    expect(keys_load(&source, &ring, &report), "%s: %s", name, report.why.text);
    return ring.keys[0];
}

/* What was signed, and the signature. */
static struct span cut(const char *token, struct bytes *signature)
{
    const char *dot = strrchr(token, '.');
    assert_true(crypto_base64url_decode(signature, span_of(dot + 1)));
    return (struct span){token, (size_t)(dot - token)};
}

static void signatures(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const struct vector *vector = &vectors[i];
        struct bytes wanted = {0};
        uint8_t made[KEY_SIGNATURE_MAX];
        const struct key *key = load(vector->name, vector->algorithm, vector->jwk, true);
        struct span text = cut(vector->token, &wanted);
        expect(key_verify(key, text, bytes_span(&wanted)) == SIGN_GOOD, "%s", vector->name);
        size_t length = key_sign(key, text, made);
        assert_int_equal(length, wanted.length);
        if (vector->same_each_time)
            assert_memory_equal(made, wanted.data, length);
        assert_int_equal(key_verify(key, text, (struct span){(const char *)made, length}),
                         SIGN_GOOD);

        /* of other bytes, of fewer, and by other bytes */
        assert_int_equal(
            key_verify(key, (struct span){text.data, text.length - 1}, bytes_span(&wanted)),
            SIGN_BAD);
        assert_int_equal(key_verify(key, text, (struct span){wanted.data, wanted.length - 1}),
                         SIGN_BAD);
        assert_int_equal(key_verify(key, text, SPAN("")), SIGN_BAD);
        for (size_t at = 0; at < wanted.length; at += 7) {
            wanted.data[at] = (char)(wanted.data[at] ^ 1);
            expect(key_verify(key, text, bytes_span(&wanted)) == SIGN_BAD, "%s, byte %zu",
                   vector->name, at);
            wanted.data[at] = (char)(wanted.data[at] ^ 1);
        }
        bytes_free(&wanted);
    }
}

/* The payload of RFC 7515, A.1, through the whole of signing. */
static void whole_tokens(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct bytes token = {0};
        const char *dot = strchr(vectors[i].token, '.');
        size_t header = (size_t)(dot - vectors[i].token) + 1;
        const struct key *key = load(vectors[i].name, vectors[i].algorithm, vectors[i].jwk, true);
        bytes_add_string(&token, "kept:");
        bytes_add(&token, vectors[i].token, header);
        assert_true(crypto_base64url_decode(
            &token, (struct span){dot + 1, (size_t)(strrchr(dot, '.') - dot) - 1}));
        jws_complete(key, &token, 5, 5 + header);
        assert_false(token.failed);
        if (vectors[i].same_each_time)
            assert_string_equal(bytes_string(&token) + 5, vectors[i].token);
        bytes_free(&token);
    }
}

static void names(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(thumbprints); i++) {
        const struct key *key =
            load(thumbprints[i].name, thumbprints[i].algorithm, thumbprints[i].jwk, false);
        assert_string_equal(key->id, thumbprints[i].id);
        assert_false(key->named);
        assert_false(key->can_sign);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_start, stop)
    const struct CMUnitTest tests[] = {
        TEST(signatures),
        TEST(whole_tokens),
        TEST(names),
    };
    return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
