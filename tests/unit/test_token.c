/* SPDX-License-Identifier: MIT
 * Tokens: their claims, one by one. */
#include "token/token.h"

#include "base/clock.h"
#include "token/jws.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Checks the signature and returns the claims; they live in static memory. */
static const char *claims_of(struct span token, const struct app *app)
{
    static char text[4096];
    struct jws jws;
    const struct jws_rules rules = {.keys = &app->keys, .ours = true, .type = "JWT"};
    expect(jws_verify(token, &rules, &jws) == JWS_GOOD, "%s", jws.fault);
    assert_true(jws.claims_text.length < sizeof text);
    strcpy(text, bytes_string(&jws.claims_text));
    jws_free(&jws);
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

static void issue(const struct app *app, const struct token_subject *subject, struct bytes *token,
                  int64_t *expires_r)
{
    bytes_reset(token);
    struct span refused;
    assert_int_equal(token_issue(&app->profile, subject, token, expires_r, &refused), TOKEN_ISSUED);
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
    struct bytes token = {0};
    int64_t expires, now;
    char wanted[512];
    (void)state;
    assert_true(clock_unix_seconds(&now));
    issue(app, &subject, &token, &expires);
    const char *text = claims_of(bytes_span(&token), app);
    long long iat = number(text, "\"iat\":");
    assert_true(iat >= now - 30 && iat <= now - 25);
    assert_int_equal(expires, iat + 30 + 900);
    snprintf(
        wanted, sizeof wanted,
        "{\"iss\":\"memberchat\",\"aud\":\"chat\",\"sub\":\"u\\\"1\",\"iat\":%lld,\"nbf\":%lld,"
        "\"exp\":%lld,\"appId\":\"demo\",\"role\":\"host\",\"name\":\"J\xc3\xbcrgen\","
        "\"picture\":\"https://i/1\"}",
        iat, iat, (long long)expires);
    assert_string_equal(without_jti(text), wanted);

    subject.name = subject.avatar = SPAN_NONE; /* left out, not null */
    subject.ttl_ms = 1999;
    issue(app, &subject, &token, &expires);
    text = claims_of(bytes_span(&token), app);
    assert_int_equal(expires, number(text, "\"iat\":") + 30 + 1);
    expect_contains(text, "\"role\":\"host\"}");
    bytes_free(&token);
    settings_free(settings);
}

static void defaults_of_the_app(void **state)
{
    struct settings *settings = settings_from(&(struct config_texts){
        .app = "app_id = \"other-id\"; api_secret = \"xxxxxxxxxxxxxxxx\"; store = \"members\"",
        .token = "issuer = \"me\""});
    const struct app *app = settings_find_app_id(settings, "other-id");
    struct bytes token = {0};
    int64_t expires;
    (void)state;
    issue(app, &(struct token_subject){.id = SPAN("1"), .role = SPAN("guest"), .ttl_ms = 1000},
          &token, &expires);
    const char *text = claims_of(bytes_span(&token), app);
    expect_contains(text, "{\"iss\":\"me\",\"aud\":\"other-id\",\"sub\":\"1\"");
    expect_contains(text, "\"appId\":\"other-id\"");
    bytes_free(&token);
    settings_free(settings);
}

/* Many verifiers refuse an iat that is a second ahead of their clock. */
static void iat_lies_before_now(void **state)
{
    static const struct {
        const char *setting;
        int64_t skew;
    } rows[] = {{"", 30}, {"clock_skew = \"0s\"", 0}, {"clock_skew = \"2m\"", 120}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct settings *settings = settings_from(&(struct config_texts){.token = rows[i].setting});
        const struct app *app = settings_find_app_id(settings, "demo");
        struct bytes token = {0};
        int64_t expires;
        issue(app, &(struct token_subject){.id = SPAN("1"), .role = SPAN("x"), .ttl_ms = 60000},
              &token, &expires);
        const char *text = claims_of(bytes_span(&token), app);
        assert_int_equal(number(text, "\"iat\":"), expires - 60 - rows[i].skew);
        assert_int_equal(number(text, "\"nbf\":"), expires - 60 - rows[i].skew);
        bytes_free(&token);
        settings_free(settings);
    }
}

static void every_token_has_its_own_id(void **state)
{
    struct settings *settings = settings_from(&(struct config_texts){0});
    const struct app *app = settings_find_app_id(settings, "demo");
    char seen[200][22];
    struct bytes token = {0};
    int64_t expires;
    (void)state;
    for (size_t i = 0; i < COUNT(seen); i++) {
        issue(app, &(struct token_subject){.id = SPAN("1"), .role = SPAN("guest"), .ttl_ms = 1000},
              &token, &expires);
        const char *text = claims_of(bytes_span(&token), app);
        memcpy(seen[i], strstr(text, "\"jti\":\"") + 7, 22);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(seen[i], seen[j], 22);
    }
    bytes_free(&token);
    settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(claims),
        SCRATCH_TEST(defaults_of_the_app),
        SCRATCH_TEST(iat_lies_before_now),
        SCRATCH_TEST(every_token_has_its_own_id),
    };
    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
