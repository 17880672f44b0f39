/* SPDX-License-Identifier: MIT
 * Keys, claims, signatures and guests where each allocation fails in turn, once and from then on:
 * the right verdict, or none for want of memory; never a wrong one. */
#include "api/guest.h"
#include "short_memory.h"
#include "support.h"

#include <string.h>

#define SECRET "q7Zt2VbX9mLs4RfWc8Hn3DgPy6KeJ5Au"
#define EC_KEY                                                                                     \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEIfWtxWW4J54ESLrwyvKbXIb1nIc8r4x40FZhBVCInmuwvfqDNV11lWC/" \
    "quBTBD0uw+yESYPwrOjLqUv1rOD1yw=="

/* Whether the outcome was the right one; false: memory ran out, and whoever asked was told so. */
typedef bool (*attempt)(void);

/* Tries until no allocation fails any more, when the outcome must be the right one. */
static void try_each(attempt try_it)
{
    for (int lasting = 0; lasting < 2; lasting++) {
        bool failed = true;
        for (size_t granted = 0; failed; granted++) {
            short_memory_start(granted, lasting);
            bool right = try_it();
            failed = short_memory_stop();
            expect(right || failed, "allocation %zu", granted);
        }
    }
}

/* ---- Keys ---- */

static const char *path;

/* Loads the file: 1, a key that is whole; 0, refused; -1, no memory. */
static int load(const char *id)
{
    static struct key_report report;
    struct key_ring ring = {0};
    const struct key_source source = {.path = path, .id = id, .signs = true};
    report = (struct key_report){0};
    bool good = keys_load(&source, &ring, &report);
    int result = good ? 1 : strstr(report.why.text, "emory") ? -1 : 0;
    if (good && (ring.count != 1 || !ring.keys[0]->hmac || !*ring.keys[0]->id))
        result = 2; /* broken tokens until the next reload */
    key_ring_free(&ring);
    return result;
}

static bool takes_a_secret(void)
{
    int result = load(NULL);
    assert_true(result == 1 || result == -1);
    return result == 1;
}

static bool refuses_it(void)
{
    int result = load(NULL);
    assert_true(result <= 0);
    return result == 0;
}

static void good_keys(void **state)
{
    static const char *const contents[] = {
        SECRET, "{\"kty\":\"oct\",\"k\":\"cTdadDJWYlg5bUxzNFJmV2M4SG4zRGdQeTZLZUo1QXU\"}"};
    (void)state;
    for (size_t i = 0; i < COUNT(contents); i++) {
        path = scratch_write("key", span_of(contents[i]));
        try_each(takes_a_secret);
    }
}

static void bad_keys(void **state)
{
    static const char *const contents[] = {
        "too short",
        EC_KEY,
        "\"" EC_KEY "\"",
        "-----BEGIN PUBLIC KEY-----\n" EC_KEY "\n-----END PUBLIC KEY-----\n",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
        "{\"kty\":\"oct\",\"k\":\"AAAA\",\"k\":\"AAAA\"}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(contents); i++) {
        path = scratch_write("key", span_of(contents[i]));
        try_each(refuses_it);
    }
    struct bytes wide = {0}; /* UTF-16 */
    for (const char *at = EC_KEY; *at; at++) {
        bytes_add(&wide, at, 1);
        bytes_add(&wide, "", 1);
    }
    path = scratch_write("key", bytes_span(&wide));
    bytes_free(&wide);
    try_each(refuses_it);
    path = scratch_write_mode("open", SPAN(SECRET), 0666);
    try_each(refuses_it);
}

/* ---- Claims ---- */

static const char *template;

/* As above. */
static int parse(struct bytes *token)
{
    static const struct claims_constants constants = {"memberchat", "chat", "demo"};
    static struct claims_report report;
    const struct claims_values values = {.texts = {[CLAIM_USER_ID] = LITERAL("u-1"),
                                                   [CLAIM_ROLE] = LITERAL("host"),
                                                   [CLAIM_JTI] = LITERAL("j")},
                                         .numbers = {1000, 1000, 1900}};
    struct arena arena = {0};
    struct span refused;
    report = (struct claims_report){0};
    const struct claims *claims = claims_parse(span_of(template), &constants, &arena, &report);
    int result = claims ? 1 : strstr(report.why.text, "emory") ? -1 : 0;
    if (claims && (!claims_render(claims, &values, token, &refused) || token->failed))
        result = -1;
    arena_free(&arena);
    return result;
}

static bool renders_all_of_it(void)
{
    static const char whole[] =
        "{\"iss\":\"memberchat\",\"aud\":\"chat\",\"sub\":\"u-1\",\"iat\":1000,\"nbf\":1000,"
        "\"exp\":1900,\"jti\":\"j\",\"appId\":\"demo\",\"role\":\"host\",\"scope\":[\"a.u-1\","
        "\"demo.*\"],\"t\":{\"h\":\"1b3d6e7b\"}}";
    struct bytes token = {0};
    int result = parse(&token);
    bool same = result == 1 && span_equal(bytes_span(&token), SPAN(whole));
    assert_true(result == -1 || same);
    bytes_free(&token);
    return same;
}

static bool refuses_the_template(void)
{
    struct bytes token = {0};
    int result = parse(&token);
    assert_true(result <= 0);
    bytes_free(&token);
    return result == 0;
}

static void templates(void **state)
{
    static const char *const bad[] = {"{\"scope\":\"{userId}\"}", "{\"header\":{\"alg\":\"none\"}}",
                                      "{\"role\":\"guest\"}", "{\"exp\":1}", "{\"a\":1,\"a\":2}"};
    (void)state;
    template = "{\"header\":{\"cty\":\"x\"},\"scope\":[\"a.{userId|id}\",\"{appId}.*\"],"
               "\"t\":{\"h\":\"1b3d6e7b\",\"n\":\"{attr.none}\"}}";
    try_each(renders_all_of_it);
    for (size_t i = 0; i < COUNT(bad); i++) {
        template = bad[i];
        try_each(refuses_the_template);
    }
}

/* ---- Guests and their tokens ---- */

static struct settings *settings;
static const struct app *app;
static struct bytes body;
static enum guest_verdict wanted;

static bool reads_the_guest(void)
{
    struct guest guest;
    struct reason why;
    enum guest_verdict verdict = guest_read(&guest, app, bytes_span(&body), &why);
    assert_true(verdict == wanted || verdict == GUEST_FAILED);
    if (verdict == GUEST_GOOD)
        expect_span(guest.id, "guest_g1");
    guest_free(&guest);
    return verdict == wanted;
}

static bool issues_a_token(void)
{
    struct bytes token = {0};
    struct jws jws;
    struct span refused;
    int64_t expires;
    const struct token_subject guest = {
        .id = SPAN("guest_g1"), .role = SPAN(CLAIMS_ROLE_GUEST), .ttl_ms = 60000};
    const struct jws_rules rules = {.keys = &app->keys, .ours = true, .type = "JWT"};
    bool issued = token_issue(&app->profile, &guest, &token, &expires, &refused) == TOKEN_ISSUED;
    enum jws_verdict verdict = issued ? jws_verify(bytes_span(&token), &rules, &jws) : JWS_FAILED;
    assert_true(verdict == JWS_GOOD || verdict == JWS_FAILED);
    if (issued)
        jws_free(&jws);
    bytes_free(&token);
    return verdict == JWS_GOOD;
}

static bool refuses_the_person(void)
{
    struct bytes token = {0};
    struct span refused;
    int64_t expires;
    const struct token_subject person = {.id = SPAN("a b"), .role = SPAN("host"), .ttl_ms = 60000};
    enum token_verdict verdict = token_issue(&app->profile, &person, &token, &expires, &refused);
    assert_true(verdict == TOKEN_REFUSED || verdict == TOKEN_FAILED);
    bytes_free(&token);
    return verdict == TOKEN_REFUSED;
}

static void persons_whom_a_template_refuses(void **state)
{
    (void)state;
    scratch_write("claims.json", SPAN("{\"scope\":\"room.{userId|id}\"}"));
    settings = settings_from(&(struct config_texts){.token = "claims = \"claims.json\""});
    app = settings_find_app_id(settings, "demo");
    try_each(refuses_the_person);
    settings_free(settings);
}

static void guests(void **state)
{
    struct span refused;
    int64_t expires;
    const struct token_subject guest = {
        .id = SPAN("guest_g1"), .role = SPAN(CLAIMS_ROLE_GUEST), .ttl_ms = 60000};
    (void)state;
    settings =
        settings_from(&(struct config_texts){.app = "api_secret = \"xxxxxxxxxxxxxxxx\"; store = "
                                                    "\"members\"; guest_id_prefix = \"guest_\""});
    app = settings_find_app_id(settings, "demo");
    try_each(issues_a_token);

    bytes_add_string(&body, "{\"accessToken\":\"");
    assert_int_equal(token_issue(&app->profile, &guest, &body, &expires, &refused), TOKEN_ISSUED);
    size_t length = body.length;
    bytes_add_string(&body, "\"}");
    wanted = GUEST_GOOD;
    try_each(reads_the_guest);

    body.data[length - 6] = body.data[length - 6] == 'A' ? 'B' : 'A'; /* forged */
    wanted = GUEST_BAD_ACCESS_TOKEN;
    try_each(reads_the_guest);

    bytes_reset(&body);
    bytes_add_string(&body, "{\"appUserId\":\"a b\"}");
    wanted = GUEST_BAD_ID;
    try_each(reads_the_guest);
    bytes_free(&body);
    settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(good_keys), SCRATCH_TEST(bad_keys),
        SCRATCH_TEST(templates), SCRATCH_TEST(persons_whom_a_template_refuses),
        SCRATCH_TEST(guests),
    };
    return cmocka_run_group_tests_name("token_memory", tests, NULL, NULL);
}
