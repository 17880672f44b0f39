/* SPDX-License-Identifier: MIT
 * Key files: what is taken for a secret, what is refused, and what it is called. */
#include "token/keys.h"
#include "token/sign_module.h"

#include "base/file.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TEXT_32 "0a2f4c6e8b1d3957f0e2c4a6b8d19573"
#define K_64    "MGEyZjRjNmU4YjFkMzk1N2YwZTJjNGE2YjhkMTk1NzM" /* TEXT_32 in base64url */

/* Base64url of SHA-256 of {"k":"...","kty":"oct"}, computed with another program. */
#define THUMBPRINT "eYd-Lyhb6LPkgUuAqewGU_vWigGH02gxwGGo-6HbBOA"

static struct key_report report;
static struct key_ring ring;

static int start(void **state)
{
    report = (struct key_report){0};
    return scratch_start(state);
}

static int stop(void **state)
{
    key_ring_free(&ring);
    return scratch_stop(state);
}

/* The key of a file, which lives until the next; NULL: why() says why. */
static const struct key *load_path(const char *path, const char *id)
{
    const struct key_source source = {.path = path, .id = id, .signs = true};
    report = (struct key_report){0};
    key_ring_free(&ring);
    bool good = keys_load(&source, &ring, &report);
    assert_int_equal(good, ring.count == 1);
    return good ? ring.keys[0] : NULL;
}

static const struct key *load(struct span content, const char *id)
{
    return load_path(scratch_write("key", content), id);
}

static const char *why(void)
{
    return report.why.text;
}

/* The secret, by what it signs. */
static bool has_secret(const struct key *key, struct span secret)
{
    struct crypto_hmac *hmac = crypto_hmac_new(CRYPTO_SHA256, secret);
    uint8_t one[CRYPTO_DIGEST_MAX], other[CRYPTO_DIGEST_MAX];
    crypto_hmac_sign(hmac, SPAN("x"), one);
    crypto_hmac_sign(key->hmac, SPAN("x"), other);
    crypto_hmac_free(hmac);
    return memcmp(one, other, SHA256_LENGTH) == 0;
}

static void good_keys(void **state)
{
    static const struct {
        struct span content, secret;
    } rows[] = {
        {LITERAL(TEXT_32), LITERAL(TEXT_32)},
        {LITERAL(TEXT_32 "\n"), LITERAL(TEXT_32)},
        {LITERAL(TEXT_32 "\r\n"), LITERAL(TEXT_32)},
        {LITERAL(TEXT_32 "x\n"), LITERAL(TEXT_32 "x")},
        /* binary: a newline at its end is a byte like others */
        {LITERAL("\x00\xff" TEXT_32 "\n"), LITERAL("\x00\xff" TEXT_32 "\n")},
        /* of a text, one line end at its end does not count, however many lines it has */
        {LITERAL(TEXT_32 "\n\n"), LITERAL(TEXT_32 "\n")},
        {LITERAL(TEXT_32 "\n" TEXT_32 "x\n"), LITERAL(TEXT_32 "\n" TEXT_32 "x")},
        {LITERAL(TEXT_32 "\r\n" TEXT_32 "x\r\n"), LITERAL(TEXT_32 "\r\n" TEXT_32 "x")},
        {LITERAL(TEXT_32 "\t\xc3\xa4\n"), LITERAL(TEXT_32 "\t\xc3\xa4")},
        {LITERAL("\xe2\x82\xac" TEXT_32 "\r\n"), LITERAL("\xe2\x82\xac" TEXT_32)},
        {LITERAL(TEXT_32 "\x07\n"), LITERAL(TEXT_32 "\x07\n")},
        {LITERAL(TEXT_32 "\xc3\n"), LITERAL(TEXT_32 "\xc3\n")},
        {LITERAL("{\"kty\":\"oct\",\"k\":\"" K_64 "\"}"), LITERAL(TEXT_32)},
        {LITERAL("{\n  \"k\": \"" K_64 "\",\n  \"kty\": \"oct\",\n  \"alg\": \"HS256\"\n}\n"),
         LITERAL(TEXT_32)},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct key *key = load(rows[i].content, NULL);
        expect(key, "row %zu: %s", i, why());
        expect(has_secret(key, rows[i].secret), "row %zu: another secret", i);
        assert_int_equal(report.warning_count, 0);
    }
}

static void bad_keys(void **state)
{
    static const struct {
        struct span content;
        const char *told;
    } rows[] = {
        {LITERAL(""), "has 0 bytes; HS256 needs at least 32: make one with \"memberchat keygen "
                      "HS256 FILE\""},
        {LITERAL("\n"), "has 0 bytes; HS256 needs at least 32"},
        {LITERAL("0123456789abcdef0123456789abcde\n"), "has 31 bytes; HS256 needs at least 32"},
        {LITERAL("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"), "PEM"},
        {LITERAL("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n"), "PEM"},
        /* whoever has these, as everybody may, would know the secret */
        {LITERAL("\xef\xbb\xbf{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"}]}"),
         "a JWK, not a secret"},
        {LITERAL(" [{\"kty\":\"oct\",\"k\":\"" K_64 "\"}]"), "a JWK, not a secret"},
        {LITERAL("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAA me"), "a key of SSH"},
        {LITERAL("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\0" TEXT_32), "a key in DER"},
        {LITERAL("\x30\x81\x29\x02" TEXT_32 "12345678"), "a key in DER"},
        {LITERAL("\x30\x82\0\x29\x30" TEXT_32 "12345678"), "a key in DER"},
        {LITERAL("{}"), "\"kty\" is not \"oct\""},
        {LITERAL("{\"kty\":\"RSA\",\"n\":\"x\",\"e\":\"AQAB\"}"), "\"kty\" is not \"oct\""},
        {LITERAL("{\"kty\":\"oct\"}"), "\"k\" is not base64url"},
        {LITERAL("{\"kty\":\"oct\",\"k\":1}"), "\"k\" is not base64url"},
        {LITERAL("{\"kty\":\"oct\",\"k\":\"" K_64 "=\"}"), "\"k\" is not base64url"},
        {LITERAL("{\"kty\":\"oct\",\"k\":\"AAAA\"}"), "has 3 bytes; HS256 needs at least 32"},
        {LITERAL("{\"kty\":\"oct\",\"alg\":\"HS512\",\"k\":\"" K_64 "\"}"),
         "\"alg\" is not \"HS256\""},
        {LITERAL("{\"kty\":\"oct\",\"k\":\"" K_64 "\""), "unexpected end"},
        {LITERAL("{\"kty\":\"oct\",\"k\":\"" K_64 "\",\"kid\":\"a\\u0000b\"}"), "key id"},
        {LITERAL("{\"kty\":\"oct\",\"k\":\"" K_64 "\",\"kid\":\"a\\nb\"}"), "key id"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct key *key = load(rows[i].content, NULL);
        expect(!key, "row %zu was taken", i);
        expect_contains(why(), rows[i].told);
        expect_contains(why(), scratch_path("key"));
        expect_lacks(why(), K_64);
        expect_lacks(why(), "8b1d3957f0e2c4");
    }
}

/* A JWK that somebody indented is still no raw secret. */
static void jwk_behind_white_space(void **state)
{
    (void)state;
    const struct key *key = load(SPAN(" \n{\"kty\":\"oct\",\"k\":\"" K_64 "\"}"), NULL);
    expect(key, "%s", why());
    assert_true(has_secret(key, SPAN(TEXT_32)));
}

static void key_ids(void **state)
{
    static const struct {
        struct span content;
        const char *given, *id;
    } rows[] = {
        {LITERAL(TEXT_32), NULL, THUMBPRINT},
        {LITERAL(TEXT_32 "\n"), NULL, THUMBPRINT},
        {LITERAL("{\"kty\":\"oct\",\"k\":\"" K_64 "\"}"), NULL, THUMBPRINT},
        {LITERAL("{\"kty\":\"oct\",\"k\":\"" K_64 "\",\"kid\":\"\"}"), NULL, THUMBPRINT},
        {LITERAL("{\"kty\":\"oct\",\"k\":\"" K_64 "\",\"kid\":\"own\"}"), NULL, "own"},
        {LITERAL("{\"kty\":\"oct\",\"k\":\"" K_64 "\",\"kid\":\"own\"}"), "given", "given"},
        {LITERAL(TEXT_32), "2026-11", "2026-11"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct key *key = load(rows[i].content, rows[i].given);
        expect(key, "row %zu: %s", i, why());
        assert_string_equal(key->id, rows[i].id);
    }
    char *long_id = repeated('x', KEY_ID_MAX + 1);
    assert_null(load(SPAN(TEXT_32), long_id));
    expect_contains(why(), "longer than 128 bytes");
    long_id[KEY_ID_MAX] = '\0';
    const struct key *key = load(SPAN(TEXT_32), long_id);
    assert_string_equal(key->id, long_id);
    free(long_id);
}

/* RFC 7518, section 3.2, wants secrets as long as the digest. */
static void longer_hmacs(void **state)
{
    static const struct {
        enum algorithm algorithm;
        size_t length;
        bool warned;
    } rows[] = {{ALGORITHM_HS384, 32, true},
                {ALGORITHM_HS384, 48, false},
                {ALGORITHM_HS512, 63, true},
                {ALGORITHM_HS512, 64, false}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *secret = repeated('\0', rows[i].length);
        for (size_t at = 0; at < rows[i].length; at++)
            secret[at] = (char)(33 + at * 37 % 89);
        const struct key_source source = {.path = scratch_write("key", span_of(secret)),
                                          .algorithm = rows[i].algorithm,
                                          .signs = true};
        report = (struct key_report){0};
        key_ring_free(&ring);
        expect(keys_load(&source, &ring, &report), "%s", why());
        assert_int_equal(report.warning_count > 0, rows[i].warned);
        assert_int_equal(ring.keys[0]->algorithm, rows[i].algorithm);
        free(secret);
    }
}

static void files_that_are_none(void **state)
{
    (void)state;
    assert_null(load_path(scratch_path("nothing"), NULL));
    expect_contains(why(), "nothing cannot be read: No such file");
    assert_null(load_path(scratch_path("."), NULL));
    expect_contains(why(), "is not a file");
    assert_int_equal(mkfifo(scratch_path("fifo"), 0600), 0);
    assert_null(load_path(scratch_path("fifo"), NULL));
    expect_contains(why(), "is not a file");
    char *large = repeated('x', 64 * 1024 + 1);
    assert_null(load(span_of(large), NULL));
    expect_contains(why(), "is larger than 65536 bytes");
    large[64 * 1024] = '\0';
    const struct key *key = load(span_of(large), NULL);
    expect(key, "%s", why());
    free(large);
}

static void permissions(void **state)
{
    static const struct {
        unsigned mode;
        bool good, exposed;
    } rows[] = {{0600, true, false}, {0640, true, false},  {0660, true, false},
                {0644, true, true},  {0666, false, false}, {0602, false, false}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct key *key =
            load_path(scratch_write_mode("key", SPAN(TEXT_32), rows[i].mode), NULL);
        expect(!key == !rows[i].good, "mode %04o", rows[i].mode);
        expect((report.warning_count > 0) == rows[i].exposed, "mode %04o", rows[i].mode);
        if (!key)
            expect_contains(why(), "any user of this machine can write to");
    }
}

static void secret_files(void **state)
{
    struct bytes content = {0};
    struct reason fault = {0};
    bool exposed;
    (void)state;
    const char *path = scratch_write("secret", SPAN("ab\0cd"));
    assert_true(file_read_secret(path, 5, &content, &exposed, &fault));
    assert_true(span_equal(bytes_span(&content), SPAN("ab\0cd")));
    bytes_reset(&content);
    assert_false(file_read_secret(path, 4, &content, &exposed, &fault));
    expect_contains(fault.text, "is larger than 4 bytes");
    bytes_free(&content);
}

static void sets_that_everybody_reads(void **state)
{
    static const char set[] =
        "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":"
        "\"cTdadDJWYlg5bUxzNFJmV2M4SG4zRGdQeTZLZUo1QXU\"},"
        "{\"kty\":\"oct\",\"kid\":\"b\",\"k\":\"dTdadDJWYlg5bUxzNFJmV2M4SG4zRGdQeTZLZUo1QXU\"}]}";
    const struct key_source source = {.path = scratch_write_mode("open", SPAN(set), 0644)};
    (void)state;
    report = (struct key_report){0};
    expect(keys_load(&source, &ring, &report), "%s", why());
    assert_int_equal(ring.count, 2);
    assert_int_equal(report.warning_count, 1);
    expect_contains(report.warnings[0].text, "any user of this machine can read");
}

static void modules_of_another_version(void **state)
{
    struct bytes secret = {0};
    struct reason fault = {0};
    char version[64];
    (void)state;
    for (unsigned older = 0; older < 2; older++) {
        snprintf(version, sizeof version, "%u %zu", SIGN_MODULE_ABI - older,
                 sizeof(struct sign_module) - !older);
        setenv("MEMBERCHAT_TEST_SIGN", version, 1);
        assert_null(key_generate(ALGORITHM_ES256, NULL, test_plugins, &secret, &fault));
        expect_contains(fault.text, "sign_openssl.so belongs to another version of memberchat");
    }
    bytes_free(&secret);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(good_keys),
        TEST(bad_keys),
        TEST(jwk_behind_white_space),
        TEST(key_ids),
        TEST(longer_hmacs),
        TEST(files_that_are_none),
        TEST(permissions),
        TEST(secret_files),
        TEST(sets_that_everybody_reads),
        TEST(modules_of_another_version),
    };
    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
