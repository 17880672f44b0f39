/* SPDX-License-Identifier: MIT
 * Which accessToken names a guest, and which does not. */
#include "api/access_token.h"

#include "base/clock.h"
#include "api/guest.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

#define OUTSIDER "an outside issuer's own secret!!"

static struct settings *settings;
static const struct app *app;
static struct bytes token;
static int64_t now;

static int start(void **state)
{
    int rc = scratch_start(state);
    scratch_write("idp", SPAN(OUTSIDER));
    scratch_write("idp512", SPAN("another one, for tokens with another algorithm"));
    scratch_write("untyped.json", SPAN("{\"header\":{\"typ\":null}}"));
    settings = settings_from(&(struct config_texts){
        .app =
            "api_secret = \"demo-secret-demo\"; store = \"members\"; access_token = { algorithm = "
            "\"HS256\"; key_file = \"idp\"; issuer = \"https://id\"; audience = \"chat\" }",
        .apps =
            "other = { api_key = \"o\"; api_secret = \"oooooooooooooooo\"; store = \"members\"; "
            "chat_server_url = \"wss://x/\"; token = { key_file = \"key\" } }\n"
            "bare = { api_key = \"b\"; api_secret = \"bbbbbbbbbbbbbbbb\"; store = \"members\"; "
            "chat_server_url = \"wss://x/\"; token = { key_file = \"idp512\" } }\n"
            "untyped = { api_key = \"u\"; api_secret = \"uuuuuuuuuuuuuuuu\"; store = \"members\"; "
            "chat_server_url = \"wss://x/\"; token = { key_file = \"key\"; claims = "
            "\"untyped.json\" } }"});
    app = settings_find_app_id(settings, "demo");
    assert_true(clock_unix_seconds(&now));
    return rc;
}

static int stop(void **state)
{
    settings_free(settings);
    bytes_free(&token);
    return scratch_stop(state);
}

/* What an app issues. */
static struct span issue(const char *app_id, const char *role, int64_t ttl_ms)
{
    int64_t expires;
    const struct token_subject subject = {.id = SPAN("g1"),
                                          .name = SPAN("Anna"),
                                          .avatar = SPAN("https://i/1"),
                                          .role = span_of(role),
                                          .ttl_ms = ttl_ms};
    bytes_reset(&token);
    struct span refused;
    assert_int_equal(token_issue(&settings_find_app_id(settings, app_id)->profile, &subject, &token,
                                 &expires, &refused),
                     TOKEN_ISSUED);
    return bytes_span(&token);
}

/* What a key of a ring signs. */
static struct span make(const struct key_ring *ring, const char *header, const char *claims)
{
    bytes_reset(&token);
    crypto_base64url_encode(&token, span_of(header));
    bytes_add_string(&token, ".");
    size_t payload = token.length;
    bytes_add_string(&token, claims);
    jws_complete(ring->keys[0], &token, 0, payload);
    return bytes_span(&token);
}

/* NULL: good. */
static const char *check(struct span text, int64_t at)
{
    struct access_token access;
    enum jws_verdict verdict = access_token_check(app, text, at, &access);
    const char *fault = verdict == JWS_GOOD ? NULL : access.jws.fault;
    access_token_free(&access);
    return fault;
}

static void expect_fault(const char *fault, const char *part)
{
    expect(fault && strstr(fault, part), "\"%s\" is not in \"%s\"", part, fault ? fault : "good");
}

static void renewal(void **state)
{
    struct access_token access;
    (void)state;
    assert_int_equal(access_token_check(app, issue("demo", "guest", 600000), now, &access),
                     JWS_GOOD);
    expect_span(access.id, "g1");
    expect_span(access.name, "Anna");
    expect_span(access.avatar, "https://i/1");
    access_token_free(&access);
    /* until a day after it expired */
    assert_null(check(issue("demo", "guest", 600000), now + 600 + 86399));
    expect_fault(check(issue("demo", "guest", 600000), now + 600 + 86405), "expired");
}

static void tokens_of_nobody(void **state)
{
    (void)state;
    expect_fault(check(issue("demo", "member", 600000), now), "not a guest's token");
    expect_fault(check(issue("demo", "Guest", 600000), now), "not a guest's token");
    /* another app's, with another key and with the same one */
    expect_fault(check(issue("bare", "guest", 600000), now), "signature is wrong");
    expect_fault(check(issue("other", "guest", 600000), now), "another app");
    expect_fault(check(SPAN("eyJhbGciOiJub25lIn0.e30."), now), "typ is wrong");
    expect_fault(check(SPAN(""), now), "three pieces");
}

static void outsiders(void **state)
{
    static const struct {
        const char *header, *claims, *told; /* NULL: good */
    } rows[] = {
#define GOOD "\"iss\":\"https://id\",\"aud\":\"chat\",\"exp\":4000000000"
        {"{\"alg\":\"HS256\"}", "{\"sub\":\"u1\"," GOOD "}", NULL},
        {"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"theirs\"}",
         "{\"sub\":\"a|b-c\"," GOOD "}", NULL},
        {"{\"alg\":\"HS256\"}",
         "{\"sub\":\"u1\",\"iss\":\"https://id\",\"aud\":[\"x\",\"chat\"],\"exp\":4000000000}",
         NULL},
        {"{\"alg\":\"HS256\"}",
         "{\"sub\":\"u1\",\"iss\":\"https://id\",\"aud\":[7,\"chat\"],\"exp\":4000000000}", NULL},
        {"{\"alg\":\"HS256\"}", "{\"sub\":\"u1\",\"aud\":\"chat\",\"exp\":4000000000}", "issuer"},
        {"{\"alg\":\"HS256\"}",
         "{\"sub\":\"u1\",\"iss\":\"https://id/\",\"aud\":\"chat\",\"exp\":4000000000}", "issuer"},
        {"{\"alg\":\"HS256\"}", "{\"sub\":\"u1\",\"iss\":\"https://id\",\"exp\":4000000000}",
         "audience"},
        {"{\"alg\":\"HS256\"}",
         "{\"sub\":\"u1\",\"iss\":\"https://id\",\"aud\":[\"x\"],\"exp\":4000000000}", "audience"},
        {"{\"alg\":\"HS256\"}", "{\"sub\":\"u1\",\"iss\":\"https://id\",\"aud\":\"chat\"}",
         "exp is missing"},
        {"{\"alg\":\"HS256\"}",
         "{\"sub\":\"u1\",\"iss\":\"https://id\",\"aud\":\"chat\",\"exp\":1000}", "expired"},
        {"{\"alg\":\"HS256\"}", "{" GOOD "}", "sub cannot be the id"},
        {"{\"alg\":\"HS256\"}", "{\"sub\":1," GOOD "}", "sub cannot be the id"},
        {"{\"alg\":\"HS256\"}", "{\"sub\":\"\"," GOOD "}", "sub cannot be the id"},
        {"{\"alg\":\"HS256\"}", "{\"sub\":\"a\\u0000\"," GOOD "}", "sub cannot be the id"},
        {"{\"alg\":\"HS512\"}", "{\"sub\":\"u1\"," GOOD "}", "typ is wrong"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *fault = check(make(&app->access_keys, rows[i].header, rows[i].claims), now);
        if (rows[i].told)
            expect_fault(fault, rows[i].told);
        else
            expect(!fault, "row %zu: %s", i, fault);
    }
    /* an app without access_token takes none, nor does ours count as theirs */
    app = settings_find_app_id(settings, "other");
    expect_fault(check(make(&settings_find_app_id(settings, "demo")->access_keys,
                            "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"x\"}",
                            "{\"sub\":\"u1\"," GOOD "}"),
                       now),
                 "no key");
}

/* What the app's own key signs, of a guest of the app. */
static struct span make_own(const char *claims)
{
    struct bytes header = {0}, all = {0};
    bytes_addf(&header, "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"%s\"}",
               app->keys.keys[0]->id);
    bytes_addf(&all, "{\"role\":\"guest\",\"exp\":4000000000,%s}", claims);
    struct span made = make(&app->keys, bytes_string(&header), bytes_string(&all));
    bytes_free(&header);
    bytes_free(&all);
    return made;
}

/* A prefix that was configured later takes nothing off; what is too long is not taken over. */
static void renewal_of_older_tokens(void **state)
{
    struct access_token access;
    struct bytes claims = {0};
    char *name = repeated('x', 257);
    (void)state;
    settings->apps[0].settings.guest_id_prefix = "guest_";
    bytes_addf(&claims, "\"appId\":\"demo\",\"sub\":\"someone\",\"name\":\"%s\"", name);
    assert_int_equal(access_token_check(app, make_own(bytes_string(&claims)), now, &access),
                     JWS_GOOD);
    expect_span(access.id, "someone");
    expect_span(access.name, NULL);
    access_token_free(&access);
    bytes_free(&claims);
    free(name);
}

/* An app's template may take the typ away; then its tokens have none. */
static void tokens_without_a_type(void **state)
{
    (void)state;
    app = settings_find_app_id(settings, "other");
    expect_fault(check(issue("untyped", "guest", 600000), now), "typ is wrong");
    app = settings_find_app_id(settings, "untyped");
    assert_null(check(issue("untyped", "guest", 600000), now));
    expect_fault(check(issue("other", "guest", 600000), now), "typ is wrong");
}

/* The app's tokens_not_before, against the claim iat of an outsider's token and of our own. */
static void tokens_of_earlier(void **state)
{
    static const struct {
        const char *claims, *told; /* NULL: good */
    } rows[] = {
        {"{\"sub\":\"u1\",\"iat\":1000," GOOD "}", NULL},
        {"{\"sub\":\"u1\",\"iat\":999," GOOD "}", "was issued before the time"},
        {"{\"sub\":\"u1\",\"iat\":\"1000\"," GOOD "}", "does not say when it was issued"},
        {"{\"sub\":\"u1\"," GOOD "}", "does not say when it was issued"},
    };
    struct app *own = (struct app *)(uintptr_t)app;
    (void)state;
    own->tokens_not_before = 1000;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *fault =
            check(make(&app->access_keys, "{\"alg\":\"HS256\"}", rows[i].claims), now);
        if (rows[i].told)
            expect_fault(fault, rows[i].told);
        else
            expect(!fault, "row %zu: %s", i, fault);
    }
    assert_null(
        check(make_own("\"appId\":\"demo\",\"sub\":\"u1\",\"iat\":9223372036854775807"), now));
}

static enum guest_verdict read_guest(struct guest *guest, const char *rest)
{
    struct bytes body = {0};
    bytes_add_string(&body, "{\"accessToken\":");
    bytes_add_json(&body, bytes_span(&token));
    bytes_add_string(&body, rest);
    struct reason why;
    enum guest_verdict verdict = guest_read(guest, app, bytes_span(&body), &why);
    bytes_free(&body);
    return verdict;
}

static void guests(void **state)
{
    static const struct {
        const char *rest, *name, *avatar; /* name NULL: refused */
        enum guest_verdict verdict;
    } rows[] = {
        {"}", "Anna", "https://i/1", GUEST_GOOD},
        {",\"appUserId\":null}", "Anna", "https://i/1", GUEST_GOOD},
        {",\"appUserId\":\"g1\"}", "Anna", "https://i/1", GUEST_GOOD},
        {",\"appUserName\":\"Eve\",\"appUserProfileImgUrl\":\"https://i/2\"}", "Eve", "https://i/2",
         GUEST_GOOD},
        {",\"appUserId\":\"g2\"}", NULL, NULL, GUEST_BAD_ACCESS_TOKEN},
        {",\"appUserId\":\"G1\"}", NULL, NULL, GUEST_BAD_ACCESS_TOKEN},
        {",\"appUserId\":\"\"}", NULL, NULL, GUEST_BAD_ACCESS_TOKEN},
        {",\"appUserId\":1}", NULL, NULL, GUEST_BAD_BODY},
        {",\"appUserName\":1}", NULL, NULL, GUEST_BAD_BODY},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct guest guest;
        issue("demo", "guest", 600000);
        enum guest_verdict verdict = read_guest(&guest, rows[i].rest);
        expect(verdict == rows[i].verdict, "row %zu: %d", i, verdict);
        if (verdict == GUEST_GOOD) {
            expect_span(guest.id, "g1");
            expect_span(guest.name, rows[i].name);
            expect_span(guest.avatar, rows[i].avatar);
        }
        guest_free(&guest);
    }
    /* of an outsider only the id counts, which need not be alphanumeric */
    struct guest guest;
    make(&app->access_keys, "{\"alg\":\"HS256\"}", "{\"sub\":\"a-1\",\"name\":\"N\"," GOOD "}");
    assert_int_equal(read_guest(&guest, ",\"appUserId\":\"a-1\"}"), GUEST_GOOD);
    expect_span(guest.id, "a-1");
    expect_span(guest.name, "GUEST_a-1");
    expect_span(guest.avatar, NULL);
    guest_free(&guest);
}

/* Their ids may be sent with the app's prefix, or without it. */
static void guests_with_a_prefix(void **state)
{
    static const struct {
        const char *rest;
        enum guest_verdict verdict;
    } rows[] = {
        {",\"appUserId\":\"g1\"}", GUEST_GOOD},
        {",\"appUserId\":\"guest_g1\"}", GUEST_GOOD},
        {",\"appUserId\":\"guest_g2\"}", GUEST_BAD_ACCESS_TOKEN},
        {",\"appUserId\":\"Guest_g1\"}", GUEST_BAD_ACCESS_TOKEN},
        {",\"appUserId\":\"guest_g11\"}", GUEST_BAD_ACCESS_TOKEN},
    };
    (void)state;
    settings->apps[0].settings.guest_id_prefix = "guest_";
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct guest guest;
        issue("demo", "guest", 600000);
        enum guest_verdict verdict = read_guest(&guest, rows[i].rest);
        expect(verdict == rows[i].verdict, "row %zu: %d", i, verdict);
        guest_free(&guest);
    }
}

static const char *inspect(struct span text, int64_t at, bool *has_claims_r)
{
    struct jws jws;
    enum jws_verdict verdict = access_token_inspect(app, text, at, &jws);
    const char *fault = verdict == JWS_GOOD ? NULL : jws.fault;
    *has_claims_r = jws.claims != NULL;
    jws_free(&jws);
    return fault;
}

static void inspection(void **state)
{
    bool has_claims;
    (void)state;
    assert_null(inspect(issue("demo", "member", 600000), now, &has_claims));
    expect_fault(inspect(issue("demo", "member", 600000), now + 605, &has_claims), "expired");
    assert_true(has_claims);
    expect_fault(inspect(issue("other", "member", 600000), now, &has_claims), "");
    assert_null(inspect(make(&app->access_keys, "{\"alg\":\"HS256\"}", "{\"sub\":\"u1\"," GOOD "}"),
                        now, &has_claims));
    /* a template may leave appId out; such a token renews nothing */
    assert_null(inspect(make_own("\"sub\":\"g1\""), now, &has_claims));
    expect_fault(check(make_own("\"sub\":\"g1\""), now), "another app");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(renewal),
        TEST(tokens_of_nobody),
        TEST(outsiders),
        TEST(tokens_of_earlier),
        TEST(tokens_without_a_type),
        TEST(guests_with_a_prefix),
        TEST(renewal_of_older_tokens),
        TEST(guests),
        TEST(inspection),
    };
    return cmocka_run_group_tests_name("access_token", tests, NULL, NULL);
}
