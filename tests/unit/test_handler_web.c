/* SPDX-License-Identifier: MIT
 * What browsers, proxies and web servers put into a request or around it. */
#include "api/handler.h"

#include "base/clock.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUEST "/v2/apps/me/members/guest-chat-tokens"
#define GOOD  "Basic ZGVtby1rZXk6ZGVtby1zZWNyZXQtZGVtbw==" /* demo-key:demo-secret-demo */
#define WRONG "Basic ZGVtby1rZXk6d3Jvbmc="                 /* demo-key:wrong */
#define PAGE  "https://www.example.com"

static struct settings *settings;
static struct http_response response;

static int start(void **state)
{
    response = (struct http_response){0};
    if (scratch_start(state) != 0)
        return -1;
    settings = settings_from(&(struct config_texts){
        .top = "trusted_proxies = [ \"10.0.0.0/8\", \"2001:db8:1::/48\", \"unix:\" ]",
        .app = "api_secret = \"demo-secret-demo\"; store = \"members\"; cors_origins = [ \"" PAGE
               "\" ]",
    });
    log_configure("stderr", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    return settings ? 0 : -1;
}

static int stop(void **state)
{
    http_response_free(&response);
    settings_free(settings);
    return scratch_stop(state);
}

static struct http_request guest(const char *authorization)
{
    return (struct http_request){.method = SPAN("POST"),
                                 .uri = SPAN(GUEST),
                                 .authorizations = {span_of(authorization)},
                                 .content_type = SPAN("application/json"),
                                 .remote_addr = SPAN("192.0.2.7"),
                                 .deadline = clock_monotonic_ms() + 5000};
}

static const char *serve(const struct http_request *asked)
{
    assert_true(handler_serve(settings, asked, &response));
    return bytes_string(&response.body);
}

static const char *headers(void)
{
    return bytes_string(&response.headers);
}

static void bodies_and_their_types(void **state)
{
#define JSON_BODY "{\"appUserId\":\"u7\"}"
    static const struct {
        const char *type, *encoding;
        struct span body;
        int status;
    } rows[] = {
        {"application/json", NULL, LITERAL(JSON_BODY), 200},
        {"application/json;charset=utf-8", "", LITERAL(JSON_BODY), 200},
        {"application/json\t;charset=utf-8", NULL, LITERAL(JSON_BODY), 200},
        {"application/json ; charset=utf-8", NULL, LITERAL(JSON_BODY), 200},
        {"application/problem+json\t", "identity", LITERAL(JSON_BODY), 200},
        {"application/json", "Identity", LITERAL(JSON_BODY), 200},
        {"application/json", NULL, LITERAL("\xef\xbb\xbf" JSON_BODY), 200},
        {"application/json", NULL, LITERAL("\xef\xbb\xbf\xef\xbb\xbf" JSON_BODY), 400},
        {"application/json", NULL, LITERAL("\xef\xbb" JSON_BODY), 400},
        {"application/json", NULL, LITERAL("\xff\xfe{\0}\0"), 400},
        {"application/json", "identity", LITERAL("{"), 400},
        {"application/json", "gzip", LITERAL("\x1f\x8b\x08"), 415},
        {"application/json", "br", LITERAL("\x0b\x02\x80{}\x03"), 415},
        {"application/json", "identity, gzip", LITERAL("\x1f\x8b\x08"), 415},
        {"application/json", "gzip", LITERAL(JSON_BODY), 200}, /* a filter has decoded it */
        {"application/json", "gzip", LITERAL(""), 200},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request asked = guest(GOOD);
        asked.content_type = span_of(rows[i].type);
        asked.content_encoding = span_of(rows[i].encoding);
        asked.body = rows[i].body;
        const char *body = serve(&asked);
        expect(response.status == rows[i].status, "row %zu: %d %s", i, response.status, body);
        expect(!strstr(headers(), "Accept-Encoding: identity") == (rows[i].status != 415),
               "row %zu: %s", i, headers());
    }
}

/* Every 400 for a body says what is wrong with it. */
static void bodies_that_did_not_arrive(void **state)
{
    struct http_request asked = guest(GOOD);
    (void)state;
    asked.content_length = SPAN("7");
    http_judge_body(&asked, 0, 1000);
    expect_contains(serve(&asked), "The request body did not arrive");
    asked.content_length = SPAN("7x");
    http_judge_body(&asked, 7, 1000);
    expect_contains(serve(&asked), "The Content-Length is not a number of bytes");
}

/* Without these headers a page would see a network error in place of the answer. */
static void pages_see_errors(void **state)
{
    static const struct {
        const char *method, *uri, *authorization;
        int status;
    } rows[] = {
        {"POST", GUEST, WRONG, 401},     {"POST", GUEST, NULL, 401},
        {"POST", "/nothing", NULL, 404}, {"PUT", GUEST, GOOD, 405},
        {"POST", "/healthz", NULL, 405}, {"POST", "/v2/apps/me/members/9/chat-tokens", GOOD, 404},
        {"POST", "/%zz", GOOD, 404},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int listed = 0; listed < 2; listed++) {
            struct http_request asked = guest(rows[i].authorization);
            asked.method = span_of(rows[i].method);
            asked.uri = span_of(rows[i].uri);
            asked.origin = listed ? SPAN(PAGE) : SPAN("https://elsewhere.example");
            serve(&asked);
            expect(response.status == rows[i].status, "row %zu: %d", i, response.status);
            const char *allowed = strstr(headers(), "Access-Control-Allow-Origin: " PAGE "\r\n");
            expect(!allowed == !listed, "row %zu: %s", i, headers());
            expect(!allowed || !strstr(allowed + 1, "Access-Control-Allow-Origin"),
                   "row %zu: twice", i);
            expect_contains(headers(), "Vary: Origin\r\n");
        }
}

static void clients_in_the_log(void **state)
{
    static const struct {
        const char *peer, *forwarded, *named;
    } rows[] = {
        {"192.0.2.7", NULL, "192.0.2.7"},
        {"192.0.2.7", "203.0.113.7", "192.0.2.7"}, /* not a proxy that is believed */
        {"10.0.0.1", "203.0.113.7", "203.0.113.7"},
        {"10.0.0.1", "203.0.113.7:51234, 10.1.2.3:4000", "203.0.113.7"},
        {"10.0.0.1", "198.51.100.1, 203.0.113.7:51234,\t10.1.2.3", "203.0.113.7"},
        {"10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"},
        {"10.0.0.1", "[2001:db8::1]", "2001:db8::1"},
        {"10.0.0.1", "2001:db8::1", "2001:db8::1"},
        {"10.0.0.1", "203.0.113.7 \t, [2001:db8:1::9]:8080 ", "203.0.113.7"},
        {"[2001:db8:1::9]:1", "203.0.113.7", "203.0.113.7"},
        {"unix:", "203.0.113.7", "203.0.113.7"},
        {"unix:", "203.0.113.7, 10.0.0.9", "203.0.113.7"},
        {"unix:", NULL, "unix:"},
        {"10.0.0.1", "unknown", "unknown"},
        {"10.0.0.1", "", "10.0.0.1"},
        {"10.0.0.1", ",", "unknown"},
        {"", "203.0.113.7", "unknown"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char wanted[128];
        struct http_request asked = guest(WRONG);
        asked.remote_addr = span_of(rows[i].peer);
        asked.forwarded_for = span_of(rows[i].forwarded);
        stderr_catch();
        serve(&asked);
        snprintf(wanted, sizeof wanted,
                 "client %s: wrong API key or secret: the key is that of app demo; no token for a "
                 "guest\n",
                 rows[i].named);
        const char *log = stderr_caught();
        expect(strstr(log, wanted), "row %zu: %s", i, log);
    }
}

static void clients_of_unknown_keys(void **state)
{
    struct http_request asked = guest("Basic d3Jvbmc6d3Jvbmc=");
    (void)state;
    stderr_catch();
    serve(&asked);
    expect_contains(stderr_caught(),
                    "client 192.0.2.7: wrong API key or secret; no token for a guest\n");
    settings->log.ids = LOG_IDS_HASHED; /* with a secret of the app, which is not known here */
    asked.uri = SPAN("/v2/apps/me/members/4711/chat-tokens");
    stderr_catch();
    serve(&asked);
    expect_contains(stderr_caught(),
                    "client 192.0.2.7: wrong API key or secret; no token for a member\n");
    settings->log.ids = LOG_IDS_PLAIN;
    asked.uri = SPAN(GUEST);

    asked.remote_addr = span_of("10.0.0.1");
    asked.forwarded_for = span_of("203.0.113.7");
    asked.forwarded_twice = true; /* the other one is not the proxy's address either */
    stderr_catch();
    serve(&asked);
    expect_contains(stderr_caught(),
                    "client unknown: wrong API key or secret; no token for a guest\n");

    asked.forwarded_for = (struct span){"", 0};
    stderr_catch();
    serve(&asked);
    expect_contains(stderr_caught(),
                    "client unknown: wrong API key or secret; no token for a guest\n");
}

/* From outside it looks like any 404. */
static void mounts_that_do_not_fit_are_told(void **state)
{
    struct http_request asked = guest(GOOD);
    (void)state;
    stderr_catch();
    char *folder = repeated('x', 300), uri[400], wanted[400];
    snprintf(uri, sizeof uri, "/%s" GUEST, folder);
    snprintf(wanted, sizeof wanted,
             "no route for %.200s: the base path (MEMBERCHAT_BASE_PATH) is \"/chat-api\"", uri);
    free(folder);
    asked.uri = span_of(uri);
    asked.base_path = SPAN("/chat-api");
    for (int i = 0; i < 3; i++) {
        serve(&asked);
        assert_int_equal(response.status, 404);
        asked.uri = SPAN("/other" GUEST);
    }
    const char *log = stderr_caught();
    const char *told = strstr(log, wanted);
    expect(told, "%s", log);
    assert_null(strstr(told + 1, "no route")); /* once a minute */
    stderr_catch();
    asked.uri = SPAN("/chat-api/nothing");
    serve(&asked);
    assert_string_equal(stderr_caught(), "");
}

/* What is refused for another reason says that one. */
static void what_is_too_large_is_no_fault_of_the_mount(void **state)
{
    struct http_request asked = guest(GOOD);
    (void)state;
    asked.uri = SPAN("/other" GUEST);
    asked.base_path = SPAN("/chat-api");
    asked.too_large = true;
    expect_contains(serve(&asked), "The path and the headers are too large");
}

/* The caller sees the path that came, without its query, and only what a page can show. */
static void mounts_that_do_not_fit_are_answered(void **state)
{
    static const struct {
        const char *uri, *base, *told; /* NULL: only that there is nothing */
    } rows[] = {
        {"/other/healthz", "/chat", "memberchat saw /other/healthz, and its base path is /chat"},
        {"/other/healthz?a=b", "/chat", "saw /other/healthz, and its base path is /chat"},
        {"/other/healthz", "", "saw /other/healthz, and its base path is /\""},
        {"/o\xc3\xa9/healthz", "/chat", NULL},
        {"/o\x7f/healthz", "/chat", NULL},
        {"/<b>/healthz", "/chat", NULL},
        {"/other/healthz", "/<chat>", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request asked = guest(GOOD);
        asked.uri = span_of(rows[i].uri);
        asked.base_path = span_of(rows[i].base);
        const char *body = serve(&asked);
        assert_int_equal(response.status, 404);
        expect(rows[i].told ? strstr(body, rows[i].told) != NULL : !strstr(body, "saw"),
               "row %zu: %s", i, body);
    }
    char *segment = repeated('x', 300);
    struct bytes uri = {0};
    struct http_request asked = guest(GOOD);
    bytes_addf(&uri, "/%s/healthz", segment);
    asked.uri = bytes_span(&uri);
    asked.base_path = SPAN("/chat");
    segment[199] = '\0';
    char wanted[300];
    snprintf(wanted, sizeof wanted, "saw /%s, and", segment);
    expect_contains(serve(&asked), wanted);
    asked.base_path = asked.uri;
    asked.uri = SPAN("/healthz");
    expect_lacks(serve(&asked), "saw");
    bytes_free(&uri);
    free(segment);
}

/* A large body is kept for those that may send one. */
static void bodies_that_are_wanted(void **state)
{
    struct http_request asked = guest(GOOD), wrong = guest(WRONG), nobody = guest(NULL);
    (void)state;
    assert_true(handler_wants_body(settings, &asked));
    assert_false(handler_wants_body(settings, &wrong));
    assert_false(handler_wants_body(settings, &nobody));
    asked.uri = SPAN("/v2/apps/me/members/1/chat-tokens");
    assert_false(handler_wants_body(settings, &asked));
    asked.uri = SPAN("/nothing");
    assert_false(handler_wants_body(settings, &asked));
    asked = guest(GOOD);
    asked.method = SPAN("PUT");
    assert_false(handler_wants_body(settings, &asked));
    asked = guest(GOOD); /* credentials that became good meanwhile do not make it complete */
    asked.body_state = HTTP_BODY_DROPPED;
    serve(&asked);
    assert_int_equal(response.status, 401);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(bodies_and_their_types),
        TEST(bodies_that_did_not_arrive),
        TEST(pages_see_errors),
        TEST(clients_in_the_log),
        TEST(clients_of_unknown_keys),
        TEST(bodies_that_are_wanted),
        TEST(mounts_that_do_not_fit_are_told),
        TEST(what_is_too_large_is_no_fault_of_the_mount),
        TEST(mounts_that_do_not_fit_are_answered),
    };
    return cmocka_run_group_tests_name("handler_web", tests, NULL, NULL);
}
