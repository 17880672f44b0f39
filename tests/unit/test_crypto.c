/* SPDX-License-Identifier: MIT
 * The vectors of FIPS 180, RFC 4231 and RFC 4648. */
#include "base/crypto.h"

#include "support.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static void expect_hex(const uint8_t *bytes, const char *hex)
{
    for (size_t i = 0; i < SHA256_LENGTH; i++)
        expect(bytes[i] == (text_hex_digit(hex[2 * i]) << 4 | text_hex_digit(hex[2 * i + 1])),
               "byte %zu of %s", i, hex);
}

static void sha256(void **state)
{
    static const struct {
        struct span data;
        const char *digest;
    } rows[] = {
        {{NULL, 0}, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {LITERAL("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {LITERAL("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t digest[SHA256_LENGTH];
        crypto_sha256(rows[i].data, digest);
        expect_hex(digest, rows[i].digest);
    }
}

/* RFC 4231, sections 4.2 to 4.8 (4.6 is about truncation). */
static void hmac_sha256(void **state)
{
    struct {
        char fill;
        size_t length;
        const char *key, *data;
        const char *mac;
    } rows[] = {
        {'\x0b', 20, NULL, "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {0, 4, "Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {'\xaa', 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {'\xaa', 131, NULL,
         "This is a test using a larger than block-size key and a larger than block-size data. The "
         "key needs to be hashed before being used by the HMAC algorithm.",
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *filled = repeated(rows[i].fill, rows[i].length);
        struct span key = {rows[i].key ? rows[i].key : filled, rows[i].length};
        struct crypto_hmac *hmac = crypto_hmac_new(CRYPTO_SHA256, key);
        uint8_t mac[CRYPTO_DIGEST_MAX];
        for (int again = 0; again < 2; again++) { /* a prepared key is used many times */
            assert_int_equal(crypto_hmac_sign(hmac, span_of(rows[i].data), mac), SHA256_LENGTH);
            expect_hex(mac, rows[i].mac);
        }
        crypto_hmac_free(hmac);
        free(filled);
    }
    crypto_hmac_free(NULL);
}

/* RFC 4231, test case 2 */
static void longer_hmacs(void **state)
{
    static const struct {
        enum crypto_hash hash;
        size_t length;
        const char *begin;
    } rows[] = {
        {CRYPTO_SHA384, 48, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"},
        {CRYPTO_SHA512, 64, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct crypto_hmac *hmac = crypto_hmac_new(rows[i].hash, SPAN("Jefe"));
        uint8_t mac[CRYPTO_DIGEST_MAX];
        assert_int_equal(crypto_hmac_sign(hmac, SPAN("what do ya want for nothing?"), mac),
                         rows[i].length);
        expect_hex(mac, rows[i].begin);
        crypto_hmac_free(hmac);
    }
}

static void equality(void **state)
{
    (void)state;
    assert_true(crypto_equal("abc", "abc", 3));
    assert_false(crypto_equal("abc", "abd", 3));
    assert_false(crypto_equal("bbc", "abc", 3));
    assert_true(crypto_equal("a", "b", 0));
}

/* Appends, as crypto_base64url_decode() does. */
static bool base64_decode(struct bytes *out, struct span text)
{
    size_t length = 0;
    char *room = bytes_reserve(out, CRYPTO_DECODED_MAX(text.length));
    bool good = crypto_base64_decode((uint8_t *)room, text, &length);
    out->length += good ? length : 0;
    return good;
}

/* RFC 4648, section 10, and the two alphabets. */
static const struct {
    struct span data;
    const char *base64, *base64url;
} pairs[] = {
    {LITERAL(""), "", ""},
    {LITERAL("f"), "Zg==", "Zg"},
    {LITERAL("fo"), "Zm8=", "Zm8"},
    {LITERAL("foo"), "Zm9v", "Zm9v"},
    {LITERAL("foob"), "Zm9vYg==", "Zm9vYg"},
    {LITERAL("fooba"), "Zm9vYmE=", "Zm9vYmE"},
    {LITERAL("foobar"), "Zm9vYmFy", "Zm9vYmFy"},
    {LITERAL("\xfb\xff\xbf"), "+/+/", "-_-_"},
    {LITERAL("\0\0\0\0"), "AAAAAA==", "AAAAAA"},
};

static void base64_of_good_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct bytes url = {0}, back = {0}, plain = {0};
        crypto_base64url_encode(&url, pairs[i].data);
        assert_string_equal(bytes_string(&url), pairs[i].base64url);
        assert_true(crypto_base64url_decode(&back, bytes_span(&url)));
        assert_true(span_equal(bytes_span(&back), pairs[i].data));
        assert_true(base64_decode(&plain, span_of(pairs[i].base64)));
        assert_true(span_equal(bytes_span(&plain), pairs[i].data));
        bytes_free(&url);
        bytes_free(&back);
        bytes_free(&plain);
    }
}

static void no_text_is_no_bytes(void **state)
{
    struct bytes url = {0}, plain = {0};
    (void)state;
    assert_true(crypto_base64url_decode(&url, SPAN_NONE) && url.length == 0);
    assert_true(base64_decode(&plain, SPAN_NONE) && plain.length == 0);
    bytes_free(&url);
    bytes_free(&plain);
}

static void every_length_goes_round(void **state)
{
    char data[300];
    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7 + 3);
    for (size_t length = 0; length <= sizeof data; length++) {
        struct bytes text = {0}, back = {0};
        bytes_add_string(&text, "before.");
        bytes_add_string(&back, "kept");
        crypto_base64url_encode(&text, (struct span){data, length});
        assert_true(crypto_base64url_decode(&back, (struct span){text.data + 7, text.length - 7}));
        assert_int_equal(back.length, 4 + length);
        assert_memory_equal(back.data, "kept", 4);
        assert_memory_equal(back.data + 4, data, length);
        bytes_reset(&back);
        bytes_add_string(&back, "before.");
        bytes_add(&back, data, length);
        crypto_base64url_replace(&back, 7);
        assert_true(span_equal(bytes_span(&back), bytes_span(&text)));
        bytes_free(&text);
        bytes_free(&back);
    }
}

static void base64_of_bad_texts(void **state)
{
    static const struct span both[] = {
        LITERAL("Z"),       LITERAL("Zm9vY"),  LITERAL("Zm 9v"), LITERAL("Zm9v\n"),
        LITERAL(" Zm9v"),   LITERAL("Zm9v\t"), LITERAL("Zm9*"),  LITERAL("Zm\0v"),
        LITERAL("Zm9\xff"), LITERAL("Z==="),   LITERAL("===="),  LITERAL("Zg==Zg=="),
        LITERAL("Zh=="),    LITERAL("Zm9="),   LITERAL("Zg="),   LITERAL("Zg==="),
        LITERAL("Zm9v="),   LITERAL("=Zm9v"),  LITERAL("Zm=v"),
    };
    static const struct span url_only[] = {LITERAL("Zh"), LITERAL("Zm9"), LITERAL("Zg=="),
                                           LITERAL("+/+/")};
    static const struct span plain_only[] = {LITERAL("Zg"), LITERAL("Zm8"), LITERAL("-_-_"),
                                             LITERAL("Zm9vYg")};
    struct bytes out = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(both); i++) {
        char *copy = exact_copy(both[i]);
        struct span text = {copy, both[i].length};
        expect(!base64_decode(&out, text), "base64 %.*s", (int)text.length, copy);
        expect(!crypto_base64url_decode(&out, text), "base64url %.*s", (int)text.length, copy);
        free(copy);
    }
    for (size_t i = 0; i < COUNT(url_only); i++)
        expect(!crypto_base64url_decode(&out, url_only[i]), "base64url %s", url_only[i].data);
    for (size_t i = 0; i < COUNT(plain_only); i++)
        expect(!base64_decode(&out, plain_only[i]), "base64 %s", plain_only[i].data);
    assert_int_equal(out.length, 0);
    bytes_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256),
        cmocka_unit_test(hmac_sha256),
        cmocka_unit_test(longer_hmacs),
        cmocka_unit_test(equality),
        cmocka_unit_test(base64_of_good_texts),
        cmocka_unit_test(no_text_is_no_bytes),
        cmocka_unit_test(every_length_goes_round),
        cmocka_unit_test(base64_of_bad_texts),
    };
    return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
