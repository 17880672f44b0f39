/* SPDX-License-Identifier: MIT
 * Tokens: the signature by the vector of RFC 7515, the claims one by one. */
#include "token.h"

#include "clock.h"
#include "json.h"
#include "jws.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 7515, appendix A.1 */
#define A1_HEADER "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
#define A1_PAYLOAD                                                                                 \
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
#define A1_ENCODED                                                                                 \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl" \
    "fQ"
#define A1_SIGNATURE "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define A1_KEY                                                                                     \
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"

static void signature_of_rfc_7515(void **state)
{
    struct strbuf secret = {0}, token = {0};
    struct signing_key key = {0};
    (void)state;
    assert_true(crypto_base64url_decode(&secret, SPAN(A1_KEY)));
    key.hmac = crypto_hmac_new(strbuf_span(&secret));
    strbuf_add_string(&key.header, A1_HEADER ".");
    strbuf_add_string(&token, "kept:");
    jws_sign(&key, SPAN(A1_PAYLOAD), &token);
    assert_string_equal(strbuf_string(&token), "kept:" A1_HEADER "." A1_ENCODED "." A1_SIGNATURE);
    crypto_hmac_free(key.hmac);
    strbuf_free(&key.header);
    strbuf_free(&secret);
    strbuf_free(&token);
}

/* Checks the signature and returns the claims; they live in static memory. */
static const char *claims_of(struct span token, const struct signing_key *key)
{
    static char text[4096];
    const char *first = memchr(token.data, '.', token.length);
    const char *second = memrchr(token.data, '.', token.length);
    uint8_t mac[SHA256_LENGTH];
    struct strbuf signature = {0}, claims = {0};
    assert_true(first && second > first);
    assert_int_equal((size_t)(first + 1 - token.data), key->header.length);
    assert_memory_equal(token.data, key->header.data, key->header.length);
    crypto_hmac_sign(key->hmac, (struct span){token.data, (size_t)(second - token.data)}, mac);
    assert_true(crypto_base64url_decode(
        &signature, (struct span){second + 1, token.length - (size_t)(second + 1 - token.data)}));
    assert_int_equal(signature.length, sizeof mac);
    assert_memory_equal(signature.data, mac, sizeof mac);
    assert_true(
        crypto_base64url_decode(&claims, (struct span){first + 1, (size_t)(second - first - 1)}));
    assert_true(claims.length < sizeof text);
    strcpy(text, strbuf_string(&claims));
    strbuf_free(&signature);
    strbuf_free(&claims);
    return text;
}

/* The number behind a claim's name. */
static long long number(const char *claims, const char *name)
{
    const char *at = strstr(claims, name);
    expect(at, "no %s in %s", name, claims);
    return strtoll(at + strlen(name), NULL, 10);
}

/* Cuts out what differs each time. */
static const char *without_jti(const char *claims)
{
    static char text[4096];
    const char *jti = strstr(claims, ",\"jti\":\"");
    const char *end = strchr(jti + 8, '"');
    assert_int_equal(end - jti - 8, 22); /* 128 bits in base64url */
    snprintf(text, sizeof text, "%.*s%s", (int)(jti - claims), claims, end + 1);
    return text;
}

static void issue(const struct app *app, const struct token_subject *subject, struct strbuf *token,
                  int64_t *expires_r)
{
    strbuf_reset(token);
    token_issue(app, subject, token, expires_r);
    assert_false(token->failed);
}

static void claims(void **state)
{
    struct settings *settings =
        settings_from(&(struct config_texts){.token = "key_id = \"k1\"; audience = \"chat\""});
    const struct app *app = settings_find_app_id(settings, "demo");
    struct token_subject subject = {.id = SPAN("u\"1"),
                                    .name = SPAN("J\xc3\xbcrgen"),
                                    .avatar = SPAN("https://i/1"),
                                    .role = SPAN("host"),
                                    .ttl_ms = 900000};
    struct strbuf token = {0};
    int64_t expires, now = clock_unix_seconds();
    char wanted[512];
    (void)state;
    issue(app, &subject, &token, &expires);
    const char *text = claims_of(strbuf_span(&token), app->key);
    long long iat = number(text, "\"iat\":");
    assert_true(iat >= now && iat <= now + 5);
    assert_int_equal(expires, iat + 900);
    snprintf(
        wanted, sizeof wanted,
        "{\"iss\":\"memberchat\",\"aud\":\"chat\",\"sub\":\"u\\\"1\",\"iat\":%lld,\"nbf\":%lld,"
        "\"exp\":%lld,\"appId\":\"demo\",\"role\":\"host\",\"name\":\"J\xc3\xbcrgen\","
        "\"picture\":\"https://i/1\"}",
        iat, iat - 30, iat + 900);
    assert_string_equal(without_jti(text), wanted);

    subject.name = subject.avatar = SPAN_NONE; /* left out, not null */
    subject.ttl_ms = 1999;
    issue(app, &subject, &token, &expires);
    text = claims_of(strbuf_span(&token), app->key);
    assert_int_equal(expires, number(text, "\"iat\":") + 1);
    expect_contains(text, "\"role\":\"host\"}");
    strbuf_free(&token);
    settings_free(settings);
}

static void defaults_of_the_app(void **state)
{
    struct settings *settings = settings_from(&(struct config_texts){
        .app = "app_id = \"other-id\"; api_secret = \"x\"; store = \"members\"",
        .token = "issuer = \"me\""});
    const struct app *app = settings_find_app_id(settings, "other-id");
    struct strbuf token = {0};
    int64_t expires;
    (void)state;
    issue(app, &(struct token_subject){.id = SPAN("1"), .role = SPAN("guest"), .ttl_ms = 1000},
          &token, &expires);
    const char *text = claims_of(strbuf_span(&token), app->key);
    expect_contains(text, "{\"iss\":\"me\",\"aud\":\"other-id\",\"sub\":\"1\"");
    expect_contains(text, "\"appId\":\"other-id\"");
    strbuf_free(&token);
    settings_free(settings);
}

static void every_token_has_its_own_id(void **state)
{
    struct settings *settings = settings_from(&(struct config_texts){0});
    const struct app *app = settings_find_app_id(settings, "demo");
    char seen[200][22];
    struct strbuf token = {0};
    int64_t expires;
    (void)state;
    for (size_t i = 0; i < COUNT(seen); i++) {
        issue(app, &(struct token_subject){.id = SPAN("1"), .role = SPAN("guest"), .ttl_ms = 1000},
              &token, &expires);
        const char *text = claims_of(strbuf_span(&token), app->key);
        memcpy(seen[i], strstr(text, "\"jti\":\"") + 7, 22);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(seen[i], seen[j], 22);
    }
    strbuf_free(&token);
    settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signature_of_rfc_7515),
        SCRATCH_TEST(claims),
        SCRATCH_TEST(defaults_of_the_app),
        SCRATCH_TEST(every_token_has_its_own_id),
    };
    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
