/* SPDX-License-Identifier: MIT
 * Public-key algorithms: key files of all forms, and those that are refused.  The keys
 * in here were made for this test. */
#include "token/keys_private.h"

#include "support.h"
#include "vectors.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char rsa_1024[] = "-----BEGIN PRIVATE KEY-----\n"
                               "MIICdQIBADANBgkqhkiG9w0BAQEFAASCAl8wggJbAgEAAoGBAJvpcle2wcjWQnV1\n"
                               "dFb6iWaiPuuMa7KyRkMW+NxYrfkYHjzlFzf313k9fYVHIE2cIv/1iPiQtM5/aR0m\n"
                               "XNOyhOOLOMdJsovLtb70D1Kg2ET85jhihtlYMF4WM0kijFwnRGDnHq88l60DMdoc\n"
                               "BSbZ/7KT/MSW2ccyDyDiML7YYGplAgMBAAECgYB5O709l0537KMg0oP0XjwZIm/q\n"
                               "mPXlrdoUsPgx3oLo/mgE0d6MFpvmGnpP+E6WCqLshPBM17jAGTKTCBGGS3oofoYm\n"
                               "LW/I2Lz9FIQ8IwYWgqUNHdaDoLVdvVEgYUCl96i4HKT2xC/tJs1apLlLuyl0y/F7\n"
                               "pIGiKVSEkcNgNVr8AQJBAMvhZ8TmlOTnFydHvaw4BDQF3YKPPpfMVBybC9LKr90m\n"
                               "4qMte0BdZOHzEOkyYeRStdoYfb0t3QJiW/jRJ75XsbECQQDDxNKZqiy2EdI7Ne+V\n"
                               "h3L57bLfd3oAfHs2XX7jFPzJCWZyaicozZsLfaIf/tBFOQD1f+2urwQXxPkf/Vwk\n"
                               "RBz1AkA95eQ0UnEYAdT0twIt3B/ij3lN3yF4wq8ytBvl1mWINfsO4YsO4ovzUXFr\n"
                               "60DvKfFOEqtyGQ+FXslfhFiVoFgxAkB6gk0YhHn+ZiCdlR8c/+pfpPRvC6F5dGzW\n"
                               "lKO3D4cxd4R4zR08V45THoe6ZgeHiiijeS8QRc3V4hnUfwSOXWGRAkBquU9OAWjX\n"
                               "GG0Ay29uBa48bm6C/TSOJrCKxeyplZ2j1SmWkHf+UAGXw0CzM6GadgInoecP18JQ\n"
                               "jujeR/leKgqe\n"
                               "-----END PRIVATE KEY-----\n";

static const char ec_p384[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDCOvq+wE1YXUPBYlGB0\n"
                              "Hu79/6LQGkBZR5JylVHeU54i6Bs4xxjgstYYn29vbXpfvBihZANiAAQAq3x2wdeF\n"
                              "Wx8YbZ/uoU0HCK1r0VSGz8gs4gLUFxzxAmhCix1RVhSFj1nQge9IkA0grexLk9Ta\n"
                              "+WY/KFdUHYXZFrt4z6APLCeP31cDi8Dy0t5tKKMaCpTXFo2mGarQ2w4=\n"
                              "-----END PRIVATE KEY-----\n";

static const char ec_old_form[] =
    "-----BEGIN EC PARAMETERS-----\n"
    "BggqhkjOPQMBBw==\n"
    "-----END EC PARAMETERS-----\n"
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIHxGLctKa9wcuGEVMbX6cfQVYFO7euK6PWG1fGp6d9mfoAoGCCqGSM49\n"
    "AwEHoUQDQgAEPv54T/yNnZKHKyI7X702aPqxZDBxATlPMje8Ci3yGvdcZFVIonUO\n"
    "f3Qf0/EzXNw8upcGuh9/NaOBkTqVY+l3xA==\n"
    "-----END EC PRIVATE KEY-----\n";

static const char x25519[] = "-----BEGIN PRIVATE KEY-----\n"
                             "MC4CAQAwBQYDK2VuBCIEIBhu9XIVXcrSaNvxpRnZOChR74n7p9kReqVnejijUWhd\n"
                             "-----END PRIVATE KEY-----\n";

static const char locked[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                             "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhUU++d1uKfrwICCAAw\n"
                             "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEJ1jJgJNvdKhFoNcbjAmTJ8EQGr2\n"
                             "L9Fm2Japy/CnzWMgBCwGQI+WVNN3pTM9ecGIC8/9g6qzU+4emhQlb66pXJbk09uK\n"
                             "rcpWzFbyyn6LU28zoQI=\n"
                             "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBcDCCARWgAwIBAgIUYyNkIZbVVqqLQjzAcRAzeDaVK1YwCgYIKoZIzj0EAwIw\n"
    "DDEKMAgGA1UEAwwBeDAgFw0yNjExMjMwMzMyMTBaGA8yMTI2MTAzMDAzMzIxMFow\n"
    "DDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEpdtW8l8ZKt\n"
    "/Fo/NYI7jZg34A+rd7TlDiZd3w+4aUVY+blA0Na76RrKULJJgzlTUIjmiK3+1A46\n"
    "mtAqO7LPESqjUzBRMB0GA1UdDgQWBBRrx124SCxWR2sgCF+3CpNara+cYTAfBgNV\n"
    "HSMEGDAWgBRrx124SCxWR2sgCF+3CpNara+cYTAPBgNVHRMBAf8EBTADAQH/MAoG\n"
    "CCqGSM49BAMCA0kAMEYCIQC5AMbCPaCu6vKBmBV7CQfRyAFStjcX3OThjttXyYBH\n"
    "+gIhALHyRC+RrT6QVGPfscAR83A5ysHzzizZ5aygAAiax/X9\n"
    "-----END CERTIFICATE-----\n";

static struct key_report report;
static struct key_ring ring;

static int stop(void **state)
{
    key_ring_free(&ring);
    return scratch_stop(state);
}

static const struct key *load_from(struct key_source source, const char *content)
{
    source.path = scratch_write("key", span_of(content));
    source.modules = plugins;
    report = (struct key_report){0};
    key_ring_free(&ring);
    bool good = keys_load(&source, &ring, &report);
    assert_int_equal(good, ring.count > 0);
    return good ? ring.keys[0] : NULL;
}

static const struct key *load(const char *content, enum algorithm algorithm)
{
    return load_from((struct key_source){.algorithm = algorithm, .signs = true}, content);
}

static const char *why(void)
{
    return report.why.text;
}

/* Signed by the one, accepted by the other. */
static void expect_pair(const struct key *private, const struct key *public)
{
    uint8_t signature[KEY_SIGNATURE_MAX];
    size_t length = key_sign(private, SPAN("text"), signature);
    assert_true(length > 0);
    struct span span = {(const char *)signature, length};
    assert_int_equal(key_verify(public, SPAN("text"), span), SIGN_GOOD);
    assert_int_equal(key_verify(public, SPAN("Text"), span), SIGN_BAD);
    assert_string_equal(private->id, public->id);
}

static const enum algorithm public_ones[] = {ALGORITHM_ES256, ALGORITHM_RS256, ALGORITHM_PS256,
                                             ALGORITHM_EDDSA};

/* A new key; of RSA, one that is there, for to make one takes long under valgrind. */
static struct key *make_key(enum algorithm algorithm)
{
    struct bytes none = {0};
    struct reason fault = {0};
    struct json_object *jwk;
    struct key *key;
    if (strcmp(algorithm_rows[algorithm].kty, "RSA") == 0) {
        assert_int_equal(json_read(span_of(vectors[VECTOR_RSA].jwk), 0, &jwk, &fault), JSON_GOOD);
        key = jwk_read(jwk, &(struct key_source){.algorithm = algorithm, .modules = plugins},
                       &report);
        json_release(jwk);
    } else {
        key = key_generate(algorithm, NULL, plugins, &none, &fault);
    }
    expect(key, "%s%s", fault.text, report.why.text);
    return key;
}

/* A new key, as JWK and as PEM, private and public, whether the algorithm is known
 * or to be found out. */
static void every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(public_ones); i++) {
        enum algorithm algorithm = public_ones[i];
        struct bytes jwk = {0}, public = {0}, pem = {0};
        struct key *made = make_key(algorithm);
        jwk_write_private(made, &jwk);
        jwk_write_public(made, &public);
        char *room = bytes_reserve(&pem, SIGN_PEM_MAX);
        pem.length += made->module->write_pem(made->handle, room);
        expect_lacks(bytes_string(&public), "\"d\"");
        assert_true(span_equal(bytes_span(&public), bytes_span(&made->jwk)));

        const struct key *key = load(bytes_string(&jwk), algorithm);
        expect(key, "%s", why());
        expect_pair(key, made);
        key = load(bytes_string(&pem), algorithm);
        expect(key, "%s", why());
        expect_pair(key, made);
        assert_false(key->named);
        key = load_from((struct key_source){.algorithm = algorithm}, bytes_string(&public));
        expect(key, "%s", why());
        expect_pair(made, key);
        assert_false(key->can_sign);
        uint8_t signature[KEY_SIGNATURE_MAX];
        assert_int_equal(key_sign(key, SPAN("x"), signature), 0);
        assert_null(load(bytes_string(&public), algorithm));
        expect_contains(why(), "it is a public key");

        key = load_from((struct key_source){.any_algorithm = true, .id = "mine"},
                        bytes_string(&public));
        expect(key, "%s", why());
        assert_int_equal(key->algorithm, algorithm);
        assert_string_equal(key->id, "mine");
        key = load_from((struct key_source){.any_algorithm = true, .algorithm = algorithm},
                        bytes_string(&pem));
        assert_int_equal(key->algorithm, algorithm);
        bool rsa = strcmp(algorithm_rows[algorithm].kty, "RSA") == 0;
        uint8_t number[SIGN_PART_MAX];
        assert_int_equal(made->module->part(made->handle, rsa ? SIGN_X : SIGN_N, number), 0);
        key_free(made);
        bytes_free(&jwk);
        bytes_free(&public);
        bytes_free(&pem);
    }
}

static void other_forms(void **state)
{
    struct bytes commented = {0};
    (void)state;
    expect(load(ec_old_form, ALGORITHM_ES256), "%s", why());
    assert_int_equal(load_from((struct key_source){.any_algorithm = true}, ec_old_form)->algorithm,
                     ALGORITHM_ES256);
    assert_non_null(load_from((struct key_source){.algorithm = ALGORITHM_ES256}, certificate));
    bytes_add_string(&commented, "Bag Attributes\n  localKeyID: 01\n");
    bytes_add_string(&commented, ec_old_form);
    expect(load(bytes_string(&commented), ALGORITHM_ES256), "%s", why());
    assert_null(load(bytes_string(&commented), ALGORITHM_HS256));
    expect_contains(why(), "it is a PEM file, which holds no secret for HS256");
    bytes_free(&commented);
    assert_null(load_from((struct key_source){.any_algorithm = true}, rsa_1024));
    expect_contains(why(), "none of the algorithms can use this key");
}

static const struct {
    const char *content;
    enum algorithm algorithm;
    const char *told;
} refused_rows[] = {
    /* weak */
    {rsa_1024, ALGORITHM_RS256, "an RSA key of 1024 bits; it must have 2048 to 8192"},
    {rsa_1024, ALGORITHM_PS256, "an RSA key of 1024 bits"},
    /* wrong curve or type */
    {ec_p384, ALGORITHM_ES256, "type EC on the curve secp384r1; ES256 needs an EC key on the"},
    {ec_p384, ALGORITHM_RS256, "type EC on the curve secp384r1; RS256 needs an RSA key"},
    {ec_p384, ALGORITHM_PS256, "type EC on the curve secp384r1; PS256 needs an RSA key"},
    {ec_old_form, ALGORITHM_EDDSA, "EdDSA needs an Ed25519 key"},
    {x25519, ALGORITHM_EDDSA, "type X25519; EdDSA needs an Ed25519 key"},
    {rsa_1024, ALGORITHM_ES256, "type RSA; ES256 needs"},
    {rsa_1024, ALGORITHM_HS256, "it is a PEM file, which holds no secret for HS256"},
    {ec_old_form, ALGORITHM_HS512, "it is a PEM file, which holds no secret for HS512"},
    {"0123456789abcdef0123456789abcdef", ALGORITHM_ES256, "it is neither PEM nor a JWK"},
    {certificate, ALGORITHM_ES256, "it is a public key"},
    {locked, ALGORITHM_EDDSA, "locked with a pass phrase"},
    {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", ALGORITHM_ES256,
     "no key that OpenSSL can read"},
    {"-----BEGIN PUBLIC KEY-----\n", ALGORITHM_ES256, "no key that OpenSSL can read"},
    {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", ALGORITHM_ES256,
     "no key that OpenSSL can read"},
    {"{\"kty\":\"oct\",\"k\":\"AAAA\"}", ALGORITHM_ES256, "\"kty\" is not \"EC\""},
    {"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}", ALGORITHM_ES256,
     "\"crv\" is not \"P-256\""},
    {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AA\"}", ALGORITHM_EDDSA,
     "\"crv\" is not \"Ed25519\""},
    {"{\"kty\":\"RSA\",\"alg\":\"PS256\",\"n\":\"AA\",\"e\":\"AQAB\"}", ALGORITHM_RS256,
     "\"alg\" is not \"RS256\""},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"enc\",\"x\":\"AA\",\"y\":\"AA\"}",
     ALGORITHM_ES256, "\"use\" is not \"sig\""},
    /* numbers that are none, or make no key */
    {"{\"kty\":\"EC\",\"crv\":\"P-256\"}", ALGORITHM_ES256, "numbers are missing"},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}", ALGORITHM_ES256,
     "wrong length"},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"=\",\"y\":\"AA\"}", ALGORITHM_ES256,
     "\"x\" is not base64url"},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
     "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
     ALGORITHM_ES256, "make no key"},
    {"{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}", ALGORITHM_RS256, "\"n\" is not base64url"},
    {"{\"kty\":\"RSA\",\"e\":\"AQAB\"}", ALGORITHM_RS256, "numbers are missing"},
    {"{\"kty\":\"RSA\",\"n\":\"gQ\",\"e\":\"AQAB\"}", ALGORITHM_RS256, "bits; it must have"},
    /* RFC 8037, A.1, with the public half of another */
    {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
     "\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
     "\"x\":\"21qYAdo7SCVaio2X2ar7JhrFQB_TCHpUD3y5gPIOtqE\"}",
     ALGORITHM_EDDSA, "make no key"},
    /* RFC 7515, A.3, with another private half */
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
     "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","
     "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LE\"}",
     ALGORITHM_ES256, "do not belong together"},
    {"{\"keys\":[]}", ALGORITHM_ES256, "it is a set of keys"},
};

static void refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused_rows); i++) {
        expect(!load(refused_rows[i].content, refused_rows[i].algorithm), "row %zu was taken", i);
        expect(strstr(why(), refused_rows[i].told), "row %zu: %s", i, why());
        expect_lacks(why(), "nWGxne");
        expect_lacks(why(), "jpsQnn");
    }
}

#define X "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""

/* What of a set is for an algorithm, and what is passed over. */
static void sets(void **state)
{
    static const char set[] =
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\"," X
        ",\"use\":\"enc\"},1,{\"kty\":\"OKP\",\"crv\":\"Ed25519\"," X ",\"kid\":\"a\"},"
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"," X ",\"kid\":\"b\",\"alg\":\"EdDSA\"}]}";
    (void)state;
    assert_non_null(load_from((struct key_source){.algorithm = ALGORITHM_EDDSA}, set));
    assert_int_equal(ring.count, 2);
    assert_string_equal(ring.keys[0]->id, "a");
    assert_string_equal(ring.keys[1]->id, "b");
    assert_null(load_from((struct key_source){.algorithm = ALGORITHM_ES256}, set));
    expect_contains(why(), "it has 5 keys, but none for ES256");
    assert_null(load_from((struct key_source){.algorithm = ALGORITHM_EDDSA},
                          "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}]}"));
    expect_contains(why(), "wrong length");
}

static void *work(void *argument)
{
    const struct key *key = argument;
    uint8_t signature[KEY_SIGNATURE_MAX];
    size_t good = 0;
    for (int i = 0; i < 2; i++) {
        size_t length = key_sign(key, SPAN("text"), signature);
        struct span span = {(const char *)signature, length};
        good += key_verify(key, SPAN("text"), span) == SIGN_GOOD;
        good += key_verify(key, SPAN("other"), span) == SIGN_BAD;
    }
    return good == 4 ? argument : NULL;
}

/* A few at a time, more in all than a key has places for contexts. */
static void many_threads(void **state)
{
    static const enum algorithm some[] = {ALGORITHM_ES256, ALGORITHM_PS256, ALGORITHM_EDDSA};
    pthread_t threads[4];
    (void)state;
    for (size_t i = 0; i < COUNT(some); i++) {
        struct key *key = make_key(some[i]);
        for (int wave = 0; wave < 17; wave++) {
            for (size_t t = 0; t < COUNT(threads); t++)
                assert_int_equal(pthread_create(&threads[t], NULL, work, key), 0);
            for (size_t t = 0; t < COUNT(threads); t++) {
                void *good;
                assert_int_equal(pthread_join(threads[t], &good), 0);
                assert_ptr_equal(good, key);
            }
        }
        key_free(key);
    }
}

static void without_the_module(void **state)
{
    struct bytes secret = {0};
    struct reason fault = {0};
    (void)state;
    assert_null(key_generate(ALGORITHM_ES256, NULL, scratch_path("."), &secret, &fault));
    expect_contains(fault.text, "sign_openssl.so, which is not in this installation");
    scratch_write("sign_openssl.so", SPAN("no library"));
    assert_null(key_generate(ALGORITHM_ES256, NULL, scratch_path("."), &secret, &fault));
    expect_contains(fault.text, "sign_openssl.so");
    const struct key_source source = {
        .path = scratch_write("pem",
                              SPAN("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n")),
        .modules = scratch_path("."),
        .algorithm = ALGORITHM_ES256};
    report = (struct key_report){0};
    assert_false(keys_load(&source, &ring, &report));
    expect_contains(why(), "sign_openssl.so");
    bytes_free(&secret);
}

/* Among those that are accepted after their use, a key may be of another algorithm. */
static void of_any_algorithm(void **state)
{
    static const struct key_source source = {.algorithm = ALGORITHM_ES256, .any_algorithm = true};
    (void)state;
    const struct key *key = load_from(source, "pX3vK9mQ2sT7wZ4yB6nC8dF1gH5jL0aR");
    expect(key, "%s", why());
    assert_int_equal(key->algorithm, ALGORITHM_HS256);
    key = load_from(source,
                    "{\"kty\":\"oct\",\"k\":\"cTdadDJWYlg5bUxzNFJmV2M4SG4zRGdQeTZLZUo1QXU\"}");
    expect(key, "%s", why());
    assert_int_equal(key->algorithm, ALGORITHM_HS256);
    assert_null(load_from(source, "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AA\",\"y\":\"AA\"}"));
    expect_contains(why(), "it is a JWK of a type that none of the algorithms can use");
}

/* A public key is no secret. */
static void that_everybody_reads(void **state)
{
    struct bytes texts[2] = {0};
    struct key *made = make_key(ALGORITHM_ES256);
    (void)state;
    jwk_write_private(made, &texts[0]);
    jwk_write_public(made, &texts[1]);
    for (size_t i = 0; i < COUNT(texts); i++) {
        const struct key_source source = {
            .path = scratch_write_mode("open", bytes_span(&texts[i]), 0644),
            .modules = plugins,
            .algorithm = ALGORITHM_ES256};
        report = (struct key_report){0};
        key_ring_free(&ring);
        expect(keys_load(&source, &ring, &report), "%s", why());
        assert_int_equal(report.warning_count, i == 0);
        bytes_free(&texts[i]);
    }
    key_free(made);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_start, stop)
    const struct CMUnitTest tests[] = {
        TEST(every_form),       TEST(other_forms),
        TEST(refused),          TEST(sets),
        TEST(many_threads),     TEST(without_the_module),
        TEST(of_any_algorithm), TEST(that_everybody_reads),
    };
    return cmocka_run_group_tests_name("keys_public", tests, NULL, NULL);
}
