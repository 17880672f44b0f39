/* SPDX-License-Identifier: MIT
 * Keys with less than all their numbers, and RSA keys that are for PSS only. */
#include "token/keys_private.h"

#include "support.h"
#include "vectors.h"

#include <stdlib.h>
#include <string.h>

static const char rsa_pss[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBAOM5f3JeDsl4qkkpIcGB5wpL\n"
                              "zvVJG1lCSZp4CVsbgdfAOMrJZJtZPyhvNLGfGP6nXxODizqNlbijIqBO7NIXBKLO\n"
                              "iROkejfVj+nN7ZhrB7qmV4rcvs86Mc7c+BLa1vcmpNdr7q0xADrYKpLyMV+d2KNt\n"
                              "BPTn9PSJzRud9ve2faXWDKA9zu7rmq3EkLhaHMfCrMLxMxUerZXkjRFOd5k5xb9n\n"
                              "HWQuiu5La1RQTru7TtnIHZg+N3hoChoIoAtsr9NQxE5Poagb/BmrUWsvJY0H3Yae\n"
                              "66wwHAqqcOVOztjnploOlCVgHlLFj6a8e0nPodqwffkj5eMqo27Yk6pmGXq21ksC\n"
                              "AwEAAQ==\n"
                              "-----END PUBLIC KEY-----\n";

static struct key_report report;
static struct key_ring ring;

static int stop(void **state)
{
    key_ring_free(&ring);
    return scratch_stop(state);
}

static const struct key *load(const char *content, enum algorithm algorithm, bool signs)
{
    const struct key_source source = {.path = scratch_write("key", span_of(content)),
                                      .modules = plugins,
                                      .algorithm = algorithm,
                                      .signs = signs};
    report = (struct key_report){0};
    key_ring_free(&ring);
    return keys_load(&source, &ring, &report) ? ring.keys[0] : NULL;
}

/* RFC 7518, section 6.3.2: they speed it up, if all of them are there. */
static void without_one_factor(void **state)
{
    static const char *const names[] = {"\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\""};
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        char *jwk =
            exact_copy((struct span){vectors[VECTOR_RSA].jwk, strlen(vectors[VECTOR_RSA].jwk) + 1});
        strstr(jwk, names[i])[1] = '_';
        const struct key *key = load(jwk, ALGORITHM_RS256, true);
        expect(key, "without %s: %s", names[i], report.why.text);
        uint8_t signature[KEY_SIGNATURE_MAX];
        size_t length = key_sign(key, SPAN("text"), signature);
        struct span span = {(const char *)signature, length};
        assert_int_equal(key_verify(key, SPAN("text"), span), SIGN_GOOD);
        free(jwk);
    }
}

static void for_pss_only(void **state)
{
    (void)state;
    expect(load(rsa_pss, ALGORITHM_PS256, false), "%s", report.why.text);
    assert_null(load(rsa_pss, ALGORITHM_RS256, false));
    expect_contains(report.why.text, "type RSA-PSS; RS256 needs an RSA key");
}

static void without_a_number(void **state)
{
    static const struct {
        const char *jwk;
        enum algorithm algorithm;
        const char *told;
    } rows[] = {
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
         ALGORITHM_ES256, "numbers are missing"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
         "\"y\":\"AA\"}",
         ALGORITHM_ES256, "wrong length"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", ALGORITHM_EDDSA, "numbers are missing"},
        {"{\"kty\":\"RSA\",\"n\":\"gQ\"}", ALGORITHM_RS256, "numbers are missing"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(!load(rows[i].jwk, rows[i].algorithm, false), "row %zu was taken", i);
        expect_contains(report.why.text, rows[i].told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_one_factor, scratch_start, stop),
        cmocka_unit_test_setup_teardown(without_a_number, scratch_start, stop),
        cmocka_unit_test_setup_teardown(for_pss_only, scratch_start, stop),
    };
    return cmocka_run_group_tests_name("keys_rsa", tests, NULL, NULL);
}
