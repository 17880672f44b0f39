/* SPDX-License-Identifier: MIT
 * The set of public keys: what is in it, and how it is asked for. */
#include "api/jwks.h"

#include "base/json.h"
#include "token/keys_private.h"
#include "support.h"

#include <string.h>

#define APP(name, token)                                                                           \
    name " = { api_key = \"" name "\"; api_secret = \"ssssssssssssssss\"; store = \"members\"; "                  \
         "chat_server_url = \"wss://x/\"; token = { " token " } }\n"

static struct config_report report;
static struct http_response response;

static int stop(void **state)
{
    config_report_free(&report);
    http_response_free(&response);
    return scratch_stop(state);
}

static void write_key(const char *name, enum algorithm algorithm, const char *id)
{
    struct bytes secret = {0}, text = {0};
    struct reason why;
    struct key *key = key_generate(algorithm, id, plugins, &secret, &why);
    expect(key, "%s", why.text);
    if (key->hmac)
        jwk_write_secret(key, bytes_span(&secret), &text);
    else
        jwk_write_private(key, &text);
    scratch_write(name, bytes_span(&text));
    key_free(key);
    bytes_free(&secret);
    bytes_free(&text);
}

static struct settings *load(const char *token, const char *apps)
{
    config_report_free(&report);
    report = (struct config_report){0};
    scratch_write_basics();
    return settings_read(
        scratch_write("memberchat.conf",
                      span_of(config_text(&(struct config_texts){.token = token, .apps = apps}))),
        plugins, NULL, &report);
}

static void serve(const struct settings *settings, const char *if_none_match)
{
    struct http_request request = {.if_none_match = span_of(if_none_match)};
    struct exchange exchange = {.settings = settings, .request = &request, .response = &response};
    http_response_reset(&response);
    assert_int_equal(jwks_answer(&exchange), OUTCOME_ANSWERED);
}

static void secrets_are_not_published(void **state)
{
    (void)state;
    struct settings *settings = load(NULL, NULL);
    serve(settings, NULL);
    assert_int_equal(response.status, 200);
    assert_string_equal(bytes_string(&response.body), "{\"keys\":[]}");
    assert_string_equal(response.cache_control, "public, max-age=300");
    settings_free(settings);
}

static void all_public_keys_once(void **state)
{
    (void)state;
    write_key("es", ALGORITHM_ES256, "es");
    write_key("es2", ALGORITHM_ES256, "es2");
    write_key("ed", ALGORITHM_EDDSA, "ed");
    write_key("hs", ALGORITHM_HS512, "hs");
    struct settings *settings =
        load("next_keys = [ \"es2\", \"ed#renamed\" ]; previous_keys = \"hs\"",
             APP("a", "algorithm = \"ES256\"; key_file = \"es\"")
                 APP("b", "algorithm = \"ES256\"; key_file = \"es2\"; previous_keys = [ \"es\", "
                          "\"es2\" ]"));
    expect(settings, "%s", bytes_string(&report.text));
    serve(settings, NULL);
    struct json_object *keys, *object = json_of(bytes_span(&response.body));
    assert_int_equal(json_find(object, "keys", &keys), JSON_ARRAY);
    assert_int_equal(json_length(keys), 3);
    expect_span(json_string_member(json_element(keys, 0), "kid"), "es2");
    expect_span(json_string_member(json_element(keys, 1), "kid"), "renamed");
    expect_span(json_string_member(json_element(keys, 1), "alg"), "EdDSA");
    expect_span(json_string_member(json_element(keys, 2), "kid"), "es");
    for (size_t i = 0; i < 3; i++) {
        expect_span(json_string_member(json_element(keys, i), "use"), "sig");
        expect_span(json_string_member(json_element(keys, i), "d"), NULL);
        expect_span(json_string_member(json_element(keys, i), "k"), NULL);
    }
    const struct app *app = settings_find_app_id(settings, "demo");
    assert_int_equal(app->keys.count, 4);
    assert_ptr_equal(app->profile.key, app->keys.keys[0]);
    assert_int_equal(app->keys.keys[3]->algorithm, ALGORITHM_HS512);
    json_release(object);
    settings_free(settings);
}

static bool read_choice(unsigned parts, const char *key, const char *secret)
{
    const struct settings_choice choice = {parts, span_of(key), span_of(secret)};
    config_report_free(&report);
    report = (struct config_report){0};
    struct settings *settings =
        settings_read(scratch_path("memberchat.conf"), plugins, &choice, &report);
    settings_free(settings);
    return settings != NULL;
}

/* For one request: the keys of the app that signs in, and all of them for the set. */
static void keys_are_read_when_they_are_needed(void **state)
{
    struct config_texts texts = {.apps = APP("a", "algorithm = \"ES256\"; key_file = \"one\"")};
    (void)state;
    scratch_write_basics();
    scratch_write("memberchat.conf", span_of(config_text(&texts)));
    unsigned one = SETTINGS_ONE_APP | SETTINGS_KEYS, all = SETTINGS_APPS | SETTINGS_KEYS;
    assert_true(read_choice(one, "demo-key", "demo-secret-demo"));
    assert_true(read_choice(one | SETTINGS_APPS, "demo-key", "demo-secret-demo"));
    assert_true(read_choice(one, "a", "wrong"));
    assert_true(read_choice(one, NULL, NULL));
    assert_false(read_choice(one, "a", "ssssssssssssssss"));
    expect_contains(bytes_string(&report.text), "apps.a.token.key_file: ");
    assert_false(read_choice(all, NULL, NULL));
    expect_contains(bytes_string(&report.text), "apps.a.token.key_file: ");
    write_key("one", ALGORITHM_ES256, "first");
    assert_true(read_choice(one, "a", "ssssssssssssssss"));
    assert_true(read_choice(all, NULL, NULL));
}

static void one_id_for_two_keys(void **state)
{
    (void)state;
    write_key("one", ALGORITHM_ES256, "same");
    write_key("two", ALGORITHM_ES256, "same");
    write_key("three", ALGORITHM_HS256, "same");
    assert_null(load("previous_keys = [ \"one\", \"two\" ]", NULL));
    expect_contains(bytes_string(&report.text), "two different keys have the key id \"same\"");
    assert_null(load("previous_keys = [ \"one\", \"three\" ]", NULL));
    struct settings *settings =
        load("previous_keys = \"one\"", APP("a", "algorithm = \"ES256\"; key_file = \"two\""));
    assert_non_null(settings);
    expect_contains(bytes_string(&report.text),
                    "two apps have different keys with the key id \"same\"");
    settings_free(settings);
}

static void conditional_requests(void **state)
{
    struct bytes tags = {0};
    (void)state;
    struct settings *settings = load(NULL, NULL);
    const char *etag = bytes_string(&settings->jwks.etag);
    const struct {
        const char *before, *after;
        int status;
    } rows[] = {{"", "", 304},         {"W/", "", 304},       {"\"x\", ", "", 304},
                {"\"x\",W/", "", 304}, {" ", " ,\"y\"", 304}, {"\"x\"", "", 200},
                {"x", "", 200},        {"w/", "", 200}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bytes_reset(&tags);
        bytes_addf(&tags, "%s%s%s", rows[i].before, etag, rows[i].after);
        serve(settings, bytes_string(&tags));
        expect(response.status == rows[i].status, "row %zu: %d", i, response.status);
        expect_contains(bytes_string(&response.headers), etag);
        expect_contains(bytes_string(&response.headers), "Access-Control-Allow-Origin: *");
        assert_int_equal(response.body.length > 0, response.status == 200);
    }
    static const char *const endings[] = {"-gzip", "-br", "-zstd", "-deflate", "-bzip2", "-x", "x"};
    for (size_t i = 0; i < COUNT(endings); i++) { /* as web servers that compress change it */
        for (int weak = 0; weak < 2; weak++) {
            bytes_reset(&tags);
            bytes_addf(&tags, "%s%.*s%s\"", weak ? "W/" : "", (int)strlen(etag) - 1, etag,
                       endings[i]);
            serve(settings, bytes_string(&tags));
            expect(response.status == (i < 5 ? 304 : 200), "%s: %d", bytes_string(&tags),
                   response.status);
        }
    }
    static const struct {
        const char *tags;
        int status;
    } others[] = {{"*", 304}, {"", 200}, {",", 200}, {",,", 200}, {"\"\"", 200}, {"W/", 200}};
    for (size_t i = 0; i < COUNT(others); i++) {
        serve(settings, others[i].tags);
        expect(response.status == others[i].status, "%s: %d", others[i].tags, response.status);
    }
    bytes_free(&tags);
    settings_free(settings);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_start, stop)
    const struct CMUnitTest tests[] = {
        TEST(secrets_are_not_published),
        TEST(all_public_keys_once),
        TEST(keys_are_read_when_they_are_needed),
        TEST(one_id_for_two_keys),
        TEST(conditional_requests),
    };
    return cmocka_run_group_tests_name("jwks", tests, NULL, NULL);
}
