/* SPDX-License-Identifier: MIT
 * Tokens that are not what they say: attacks by name. */
#include "token/jws.h"

#include "support.h"

#include <stdlib.h>
#include <string.h>

#define SECRET "q7Zt2VbX9mLs4RfWc8Hn3DgPy6KeJ5Au"
#define CLAIMS "{\"sub\":\"1\",\"exp\":4000000000}"

static struct key_ring ring;
static struct bytes token;

static struct key *add_key(const char *content, enum algorithm algorithm, const char *id)
{
    static struct key_report report;
    const struct key_source source = {
        .path = scratch_write("key", span_of(content)), .id = id, .algorithm = algorithm};
    expect(keys_load(&source, &ring, &report), "%s", report.why.text);
    return ring.keys[ring.count - 1];
}

static int start(void **state)
{
    int rc = scratch_start(state);
    add_key(SECRET, ALGORITHM_HS256, "k1");
    return rc;
}

static int stop(void **state)
{
    key_ring_free(&ring);
    bytes_free(&token);
    return scratch_stop(state);
}

/* A token with any header, signed with the first key. */
static struct span make(const char *header, const char *claims)
{
    bytes_reset(&token);
    crypto_base64url_encode(&token, span_of(header));
    bytes_add_string(&token, ".");
    size_t payload = token.length;
    bytes_add_string(&token, claims);
    jws_complete(ring.keys[0], &token, 0, payload);
    assert_false(token.failed);
    return bytes_span(&token);
}

static const char *check_typed(struct span text, bool ours, const char *type)
{
    struct jws jws;
    char *copy = exact_copy(text);
    const struct jws_rules rules = {.keys = &ring, .ours = ours, .type = type};
    enum jws_verdict verdict = jws_verify((struct span){copy, text.length}, &rules, &jws);
    assert_true((verdict == JWS_GOOD) == (jws.key && jws.claims));
    const char *fault = verdict == JWS_GOOD ? NULL : jws.fault;
    jws_free(&jws);
    free(copy);
    return fault;
}

static const char *check(struct span text, bool ours)
{
    return check_typed(text, ours, "JWT");
}

static void expect_fault(const char *fault, const char *part, const char *row)
{
    expect(fault, "%s was taken", row);
    expect(strstr(fault, part), "%s: \"%s\" is not in \"%s\"", row, part, fault);
}

#define GOOD_HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}"

static void good_ones(void **state)
{
    (void)state;
    assert_null(check(make(GOOD_HEADER, CLAIMS), true));
    assert_null(check(make(GOOD_HEADER, CLAIMS), false));
    assert_null(check(make("{\"alg\":\"HS256\"}", CLAIMS), false));
    assert_null(check(make("{\"alg\":\"HS256\",\"typ\":\"application/at+JWT\"}", CLAIMS), false));
    assert_null(check(make("{\"alg\":\"HS256\",\"typ\":\"jwt\"}", "{}"), false));
}

/* An app whose template takes the typ away. */
static void without_a_type(void **state)
{
    (void)state;
    assert_null(check_typed(make("{\"alg\":\"HS256\",\"kid\":\"k1\"}", CLAIMS), true, NULL));
    expect_fault(check_typed(make(GOOD_HEADER, CLAIMS), true, NULL), "typ is wrong", GOOD_HEADER);
}

static void headers(void **state)
{
    static const struct {
        const char *header, *told;
        bool outside_too;
    } rows[] = {
        /* alg none, in any spelling, and what is no algorithm of the key */
        {"{\"alg\":\"none\",\"typ\":\"JWT\",\"kid\":\"k1\"}", "no key that is configured", true},
        {"{\"alg\":\"None\",\"typ\":\"JWT\",\"kid\":\"k1\"}", "no key that is configured", true},
        {"{\"alg\":\"hs256\",\"typ\":\"JWT\",\"kid\":\"k1\"}", "no key that is configured", true},
        {"{\"alg\":\"HS512\",\"typ\":\"JWT\",\"kid\":\"k1\"}", "no key that is configured", true},
        {"{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}", "no key that is configured", true},
        {"{\"alg\":\"\",\"typ\":\"JWT\",\"kid\":\"k1\"}", "no key that is configured", true},
        {"{\"alg\":[\"HS256\"],\"typ\":\"JWT\",\"kid\":\"k1\"}", "names no algorithm", true},
        {"{\"typ\":\"JWT\",\"kid\":\"k1\"}", "names no algorithm", true},
        /* unknown crit */
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\",\"crit\":[\"x\"],\"x\":1}", "critical",
         true},
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\",\"crit\":[]}", "critical", true},
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\",\"b64\":true}", "critical", true},
        /* wrong typ */
        {"{\"alg\":\"HS256\",\"typ\":\"logout+jwt\",\"kid\":\"k1\"}", "typ is wrong", true},
        {"{\"alg\":\"HS256\",\"typ\":1,\"kid\":\"k1\"}", "typ is wrong", true},
        {"{\"alg\":\"HS256\",\"typ\":\"application/x\",\"kid\":\"k1\"}", "typ is wrong", true},
        {"{\"alg\":\"HS256\",\"typ\":\"some-other-things+jwt\",\"kid\":\"k1\"}", "typ is wrong",
         true},
        {"{\"alg\":\"HS256\",\"typ\":\"jwt\",\"kid\":\"k1\"}", "typ is wrong", false},
        {"{\"alg\":\"HS256\",\"kid\":\"k1\"}", "typ is wrong", false},
        /* unknown kid */
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k2\"}", "no key that is configured", true},
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"../../dev/null\"}", "no key that", true},
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":null}", "key id is missing", true},
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\"}", "key id is missing", false},
        /* duplicate members */
        {"{\"alg\":\"none\",\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}", "its header", true},
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\",\"kid\":\"k1\"}", "its header", true},
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\",\"x\":{\"a\":1,\"\\u0061\":1}}",
         "its header", true},
        /* no header */
        {"[]", "its header", true},
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\"", "its header", true},
        {"", "its header", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span text = make(rows[i].header, CLAIMS);
        expect_fault(check(text, true), rows[i].told, rows[i].header);
        if (rows[i].outside_too)
            expect_fault(check(text, false), rows[i].told, rows[i].header);
    }
}

static void claims_twice(void **state)
{
    (void)state;
    expect_fault(check(make(GOOD_HEADER, "{\"sub\":\"1\",\"sub\":\"2\"}"), true), "its claims", "");
    expect_fault(check(make(GOOD_HEADER, "[1]"), true), "its claims", "");
    expect_fault(check(make(GOOD_HEADER, "{\"sub\":NaN}"), true), "its claims", "");
}

/* A key that the token brings along is no key (jwk, jku, x5u, x5c). */
static void embedded_keys(void **state)
{
    static const char *const members[] = {
        "\"jwk\":{\"kty\":\"oct\",\"k\":\"YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE\"}",
        "\"jku\":\"https://evil.example/jwks.json\"",
        "\"x5u\":\"https://evil.example/cert.pem\"",
        "\"x5c\":[\"AAAA\"]",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(members); i++) {
        struct bytes header = {0};
        struct key_ring mine = ring;
        bytes_addf(&header, "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\",%s}", members[i]);
        ring = (struct key_ring){0};
        add_key("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ALGORITHM_HS256, "k1");
        struct span text = make(bytes_string(&header), CLAIMS);
        key_ring_free(&ring);
        ring = mine;
        expect_fault(check(text, true), "signature is wrong", members[i]);
        expect_fault(check(text, false), "signature is wrong", members[i]);
        bytes_free(&header);
    }
}

static void altered_bytes(void **state)
{
    struct span good = make(GOOD_HEADER, CLAIMS);
    char *copy = exact_copy(good);
    (void)state;
    for (size_t i = 0; i < good.length; i++)
        for (int bit = 0; bit < 8; bit++) {
            copy[i] = (char)(good.data[i] ^ 1 << bit);
            expect(check((struct span){copy, good.length}, true), "byte %zu, bit %d", i, bit);
            copy[i] = good.data[i];
        }
    free(copy);
}

static void truncated(void **state)
{
    struct span good = make(GOOD_HEADER, CLAIMS);
    (void)state;
    for (size_t length = 0; length < good.length; length++)
        expect(check((struct span){good.data, length}, true), "%zu bytes", length);
}

/* The same bytes in another spelling of base64 are not the same token. */
static void reencoded(void **state)
{
    static const char *const ends[] = {"=", "==", "\n", " ", ".", ".x", "\r\n", "%3D"};
    struct bytes other = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        bytes_reset(&other);
        bytes_add_span(&other, make(GOOD_HEADER, CLAIMS));
        bytes_add_string(&other, ends[i]);
        expect(check(bytes_span(&other), true), "%s", ends[i]);
    }
    /* of the last character's six bits, two are not used */
    bytes_reset(&other);
    bytes_add_span(&other, make(GOOD_HEADER, CLAIMS));
    const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *last = &other.data[other.length - 1], kept = *last;
    size_t value = (size_t)(strchr(digits, kept) - digits);
    for (size_t i = 1; i < 4; i++) {
        *last = digits[value ^ i];
        expect(check(bytes_span(&other), true), "%c for %c", *last, kept);
    }
    *last = kept;
    assert_null(check(bytes_span(&other), true));
    bytes_reset(&other);
    bytes_add_string(&other, " ");
    bytes_add_span(&other, make(GOOD_HEADER, CLAIMS));
    assert_non_null(check(bytes_span(&other), true));
    bytes_free(&other);
}

static void shapes(void **state)
{
    static const struct span rows[] = {
        LITERAL(""),         LITERAL("."),         LITERAL(".."),      LITERAL("..."),
        LITERAL("a.b"),      LITERAL("a.b.c.d.e"), LITERAL("e30"),     LITERAL("e30.e30"),
        LITERAL("e30.e30."), LITERAL("\0.\0.\0"),  LITERAL("{}.{}.{}")};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect(check(rows[i], true) && check(rows[i], false), "row %zu", i);
}

/* A key of an outside issuer that has no name is tried whatever the token calls it; a
 * named one is not. */
static void names_of_keys(void **state)
{
    (void)state;
    key_ring_free(&ring);
    add_key(SECRET, ALGORITHM_HS256, NULL);
    assert_null(check(make("{\"alg\":\"HS256\",\"kid\":\"theirs\"}", CLAIMS), false));
    expect_fault(
        check(make("{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"theirs\"}", CLAIMS), true),
        "no key", "ours");
    add_key("another secret of 32 bytes or so", ALGORITHM_HS256, "theirs");
    assert_null(check(make("{\"alg\":\"HS256\",\"kid\":\"theirs\"}", CLAIMS), false));
}

static void times(void **state)
{
    static const struct {
        const char *claims, *told; /* NULL: good at 1000 */
        int64_t grace;
    } rows[] = {
        {"{\"exp\":1001}", NULL, 0},
        {"{\"exp\":1000}", "expired", 0},
        {"{\"exp\":1000}", NULL, 1},
        {"{\"exp\":1001,\"nbf\":1030}", NULL, 0},
        {"{\"exp\":1001,\"nbf\":1031}", "not valid yet", 0},
        {"{\"exp\":1001,\"nbf\":\"0\"}", "nbf is not a number", 0},
        {"{\"exp\":1001,\"nbf\":null}", "nbf is not a number", 0},
        /* RFC 7519, section 2: a NumericDate may have a fraction */
        {"{\"exp\":1001.0}", NULL, 0},
        {"{\"exp\":1001.9}", NULL, 0},
        {"{\"exp\":1000.9}", "expired", 0},
        {"{\"exp\":-0.5}", "expired", 0},
        {"{\"exp\":1.9e9}", NULL, 0},
        {"{\"exp\":1e400}", NULL, 0},
        {"{\"exp\":1e-400}", "expired", 0},
        {"{\"exp\":2e3,\"nbf\":1030.9}", NULL, 0},
        {"{\"exp\":2e3,\"nbf\":1.031E3}", "not valid yet", 0},
        {"{\"exp\":\"1001\"}", "not a number", 0}, /* string exp */
        {"{\"exp\":true}", "not a number", 0},
        {"{\"exp\":-1}", "expired", 0},
        {"{\"exp\":99999999999999999999999999}", NULL, 0},
        {"{\"exp\":-99999999999999999999999999}", "expired", 86400},
        {"{}", "not a number", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jws jws;
        assert_int_equal(
            jws_verify(make(GOOD_HEADER, rows[i].claims), &(struct jws_rules){.keys = &ring}, &jws),
            JWS_GOOD);
        enum jws_verdict verdict = jws_check_time(&jws, 1000, rows[i].grace);
        const char *fault = verdict == JWS_GOOD ? NULL : jws.fault;
        if (rows[i].told)
            expect_fault(fault, rows[i].told, rows[i].claims);
        else
            expect(!fault, "%s: %s", rows[i].claims, fault);
        jws_free(&jws);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(good_ones),     TEST(without_a_type), TEST(headers),   TEST(claims_twice),
        TEST(embedded_keys), TEST(altered_bytes),  TEST(truncated), TEST(reencoded),
        TEST(shapes),        TEST(names_of_keys),  TEST(times),
    };
    return cmocka_run_group_tests_name("jws", tests, NULL, NULL);
}
