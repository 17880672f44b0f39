/* SPDX-License-Identifier: MIT
 * Public keys in other clothes are never secrets; secrets of people draw a warning. */
#include "token/keys_private.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* openssl ecparam -name prime256v1 -genkey -noout | openssl pkey -pubout -outform DER | base64 */
#define EC_KEY                                                                                     \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEIfWtxWW4J54ESLrwyvKbXIb1"                                 \
    "nIc8r4x40FZhBVCInmuwvfqDNV11lWC/quBTBD0uw+yESYPwrOjLqUv1rOD1yw=="
/* openssl genpkey -algorithm ed25519 | openssl pkey -pubout -outform DER | base64 */
#define ED_KEY "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
/* the start of an RSAPublicKey (PKCS #1), which has no object identifier */
#define RSA_KEY "MIIBCgKCAQEAr09JZ8sVqDk0ox2Yc7v1mVb8n4Lw5Tq3eXyZ0pGhJuKdRfSaWiOt"

static struct bytes in, out;

static int stop(void **state)
{
    (void)state;
    bytes_free(&in);
    bytes_free(&out);
    return 0;
}

static enum disguise_verdict find(struct span text, const char **form_r)
{
    char *copy = exact_copy(text);
    enum disguise_verdict verdict = disguise_find((struct span){copy, text.length}, form_r);
    assert_int_equal(*form_r != NULL, verdict != DISGUISE_NONE);
    free(copy);
    return verdict;
}

static void expect_key(struct span text, const char *what)
{
    const char *form;
    expect(find(text, &form) == DISGUISE_KEY, "%s: %.*s", what, (int)text.length, text.data);
}

/* ---- Clothes: each makes `out` of `in` ---- */

static void as_it_is(void)
{
    bytes_add_span(&out, bytes_span(&in));
}

static void base64(void)
{
    crypto_base64url_encode(&out, bytes_span(&in));
    for (size_t i = 0; i < out.length; i++)
        out.data[i] = out.data[i] == '-' ? '+' : out.data[i] == '_' ? '/' : out.data[i];
}

static void base64url(void)
{
    crypto_base64url_encode(&out, bytes_span(&in));
}

static void wrap(size_t width, const char *line_end)
{
    struct bytes whole = {0};
    crypto_base64url_encode(&whole, bytes_span(&in));
    for (size_t at = 0; at < whole.length; at += width) {
        size_t rest = whole.length - at;
        bytes_add(&out, whole.data + at, rest < width ? rest : width);
        bytes_add_string(&out, line_end);
    }
    bytes_free(&whole);
}

static void wrapped(void)
{
    wrap(64, "\r\n");
}

static void wrapped_narrowly(void)
{
    wrap(7, "\n  ");
}

static void hexadecimal(void)
{
    bytes_add_hex(&out, bytes_span(&in));
}

static void digits(const char *before, const char *format, const char *behind)
{
    bytes_add_string(&out, before);
    for (size_t i = 0; i < in.length; i++) {
        char text[8];
        snprintf(text, sizeof text, format, (unsigned char)in.data[i]);
        bytes_add_string(&out, text);
    }
    bytes_add_string(&out, behind);
}

static void colons(void)
{
    digits("", "%02X:", "");
}

static void array_of_c(void)
{
    digits("{ ", "0x%02x, ", "}\n");
}

static void escapes(void)
{
    digits("\"", "\\x%02x", "\"");
}

static void percent(void)
{
    digits("", "%%%02x", "");
}

static void utf16le(void)
{
    bytes_add(&out, "\xff\xfe", 2);
    for (size_t i = 0; i < in.length; i++) {
        bytes_add(&out, &in.data[i], 1);
        bytes_add(&out, "\0", 1);
    }
}

static void utf16be(void)
{
    for (size_t i = 0; i < in.length; i++) {
        bytes_add(&out, "\0", 1);
        bytes_add(&out, &in.data[i], 1);
    }
}

static void quoted(void)
{
    bytes_add_json(&out, bytes_span(&in));
}

static void with_a_name(void)
{
    bytes_add_string(&out, "KEY=");
    bytes_add_span(&out, bytes_span(&in));
    bytes_add_string(&out, "\n");
}

static void behind_a_mark(void)
{
    bytes_add_string(&out, "\xef\xbb\xbf");
    bytes_add_span(&out, bytes_span(&in));
}

struct clothing {
    void (*put_on)(void);
    bool of_bytes; /* fits any bytes, not only text */
};

static const struct clothing clothes[] = {
    {as_it_is, true},         {base64, true},       {base64url, true},      {wrapped, true},
    {wrapped_narrowly, true}, {hexadecimal, true},  {colons, true},         {array_of_c, true},
    {escapes, true},          {percent, true},      {utf16le, false},       {utf16be, false},
    {quoted, false},          {with_a_name, false}, {behind_a_mark, false},
};

/* Every key in every pair of clothes, one above the other. */
static void keys_in_clothes(void **state)
{
    static const char *const keys[] = {EC_KEY, ED_KEY, RSA_KEY};
    struct bytes der = {0}, inner = {0};
    (void)state;
    for (size_t key = 0; key < COUNT(keys); key++) {
        struct span text = span_of(keys[key]);
        bytes_reset(&der);
        char *room = bytes_reserve(&der, CRYPTO_DECODED_MAX(text.length));
        assert_true(crypto_base64_decode((uint8_t *)room, text, &der.length));
        for (size_t i = 0; i < COUNT(clothes); i++)
            for (size_t j = 0; j < COUNT(clothes) && clothes[i].of_bytes; j++) {
                bytes_copy(&in, bytes_span(&der));
                bytes_reset(&out);
                clothes[i].put_on();
                bytes_copy(&inner, bytes_span(&out));
                if (i == 0 && !clothes[j].of_bytes)
                    continue;
                bytes_copy(&in, bytes_span(&inner));
                bytes_reset(&out);
                clothes[j].put_on();
                struct bytes what = {0};
                bytes_addf(&what, "key %zu, clothes %zu and %zu", key, i, j);
                expect_key(bytes_span(&out), bytes_string(&what));
                bytes_free(&what);
            }
    }
    bytes_free(&der);
    bytes_free(&inner);
}

static void keys_among_digits(void **state)
{
    (void)state;
    assert_true(crypto_base64_decode((uint8_t *)bytes_reserve(&in, 200), SPAN(EC_KEY), &in.length));
    hexadecimal();
    bytes_add_string(&out, " of the issuer 0123456789abcdef0123456789abcdef");
    expect_key(bytes_span(&out), "digits");
}

static void keys_in_words(void **state)
{
    static const struct span rows[] = {
        LITERAL("---- BEGIN SSH2 PUBLIC KEY ----\nComment: me\nAAAAB3NzaC1yc2EAAAADAQABAAAB\n"),
        LITERAL("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ me@example.com"),
        LITERAL("sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t"),
        LITERAL("restrict ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEo"),
        LITERAL("AAAAC3NzaC1lZDI1NTE5AAAAIEoqkN1pYcKzQ7Zt2VbX9mLs4RfWc8Hn"), /* of SSH, bare */
        LITERAL("<RSAKeyValue><Modulus>sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri</Modulus>"),
        LITERAL("Modulus=B1772D0DA41E6C79CF886BF20CE013E2C6861147AD4B2A3D30A2CEA1616CB9EA"),
        LITERAL("kty: RSA\nn: sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri\ne: AQAB\n"),
        LITERAL("\"{\\\"kty\\\":\\\"RSA\\\",\\\"n\\\":\\\"sXchDaQebHnPiGvy\\\",\\\"e\\\":"
                "\\\"AQAB\\\"}\""),
        LITERAL("{'kty': 'EC', 'crv': 'P-256', 'x': 'f83OJ3D2xF1Bg8vub9tLe1gH'}"),
        LITERAL("https://id.example.com/.well-known/jwks.json"),
        LITERAL("ldap://id.example.com/cn=key,dc=example,dc=com"),
        LITERAL("Public-Key: (256 bit)\npub:\n    04:3e:fe:78:4f:fc:8d:9d:92:87:2b:22\n"),
        LITERAL("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n"),
        LITERAL("{\"n\": 3063293718747, \"e\": 65537, \"x\": 51642}"),
        LITERAL("[3063, 2937, 1874, 9264, 7251, 4408, 5516]"),
        /* base64 of a JWK */
        LITERAL("eyJrdHkiOiJFQyIsImNydiI6IlAtMjU2IiwieCI6ImY4M09KM0QyeEYxQmc4dnViOXRMZTFnSCJ9"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_key(rows[i], "words");
}

/* Rich in letters, but poor in vowels, as no language is. */
static void letters_are_no_words(void **state)
{
    const char *form;
    (void)state;
    assert_int_equal(find(SPAN("xkcdw brrtz hmmpf pfgtk tsktsk grrvn zzqzx psstl"), &form),
                     DISGUISE_NONE);
}

/* Every length of secret in every form in which people keep random bytes. */
static void random_secrets_are_taken(void **state)
{
    static void (*const forms[])(void) = {as_it_is, base64, base64url, hexadecimal, wrapped};
    uint64_t random = 88172645463325252u;
    (void)state;
    for (int i = 0; i < 400; i++)
        for (size_t form = 0; form < COUNT(forms); form++) {
            const char *what;
            bytes_reset(&in);
            bytes_reset(&out);
            for (int length = 0; length < 32 + i % 40; length++) {
                random ^= random << 13, random ^= random >> 7, random ^= random << 17;
                bytes_add(&in, (const char *)&random, 1);
            }
            forms[form]();
            expect(find(bytes_span(&out), &what) == DISGUISE_NONE, "%s: %s", what,
                   bytes_string(&out));
        }
}

static void secrets_that_can_be_guessed(void **state)
{
    static const struct {
        const char *secret, *told;
    } rows[] = {
        {"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", "few different characters"},
        {"\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1", "few different"},
        {"12341234123412341234123412341234", "few different characters"},
        {"0123456789abcdefghijklmnopqrstuv", "in their order"},
        {"zyxwvutsrqponmlkjihgfedcba9876543210", "in their order"},
        {"S3cr3t-P4ssw0rd!S3cr3t-P4ssw0rd!S3cr3t", "repeats itself"},
        {"correct horse battery staple correct", "words"},
        {"ThisIsMyVerySecretSigningKeyForChat2026", "words"},
        {"please-change-this-secret-before-production", "words"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *form = NULL;
        expect(find(span_of(rows[i].secret), &form) == DISGUISE_WEAK, "%s", rows[i].secret);
        expect_contains(form, rows[i].told);
    }
    static const char zeros[64];
    const char *form = NULL;
    expect(find((struct span){zeros, sizeof zeros}, &form) == DISGUISE_WEAK, "zeros");
    expect_contains(form, "few different characters");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_teardown(function, stop)
    const struct CMUnitTest tests[] = {
        TEST(keys_in_clothes),
        TEST(keys_among_digits),
        TEST(keys_in_words),
        TEST(letters_are_no_words),
        TEST(random_secrets_are_taken),
        TEST(secrets_that_can_be_guessed),
    };
    return cmocka_run_group_tests_name("disguise", tests, NULL, NULL);
}
