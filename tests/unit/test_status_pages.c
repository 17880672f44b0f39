/* SPDX-License-Identifier: MIT
 * Requests for /status and /metrics, and the certificates that the page tells of. */
#include "api/status.h"

#include "api/handler.h"
#include "base/clock.h"
#include "short_memory.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

static struct settings *settings;
static struct http_response response;

static int start(void **state)
{
    response = (struct http_response){0};
    if (scratch_start(state) != 0)
        return -1;
    scratch_write_mode("password", SPAN("a password of the status page\n"), 0600);
    settings = settings_from(&(struct config_texts){
        .top =
            "status = { allow = [ \"192.0.2.7\" ]; password_file = \"password\"; show_ids = true };"
            " limits = { failures = 2 }"});
    return settings ? 0 : -1;
}

static int stop(void **state)
{
    http_response_free(&response);
    settings_free(settings);
    figures_close();
    return scratch_stop(state);
}

/* ---- Requests ---- */

static const char *serve(const char *method, const char *uri, const char *authorization,
                         const char *client)
{
    const struct http_request asked = {.method = span_of(method),
                                       .uri = span_of(uri),
                                       .query = SPAN("json"),
                                       .authorizations = {span_of(authorization)},
                                       .remote_addr = span_of(client),
                                       .deadline = clock_monotonic_ms() + 5000};
    assert_true(handler_serve(settings, &asked, &response));
    return bytes_string(&response.body);
}

static void json_is_asked_for_in_the_query(void **state)
{
    static const struct {
        const char *uri;
        bool json;
    } rows[] = {
        {"/status", false},       {"/status?", false},        {"/status?json", true},
        {"/status?json=1", true}, {"/status?a=b&json", true}, {"/status?json&a", true},
        {"/status?&json=", true}, {"/status?jsonp", false},   {"/status?a=json", false},
        {"/status?a&b", false},
    };
    (void)state;
    figures_use(NULL, FIGURES_RESIDENT);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *body = serve("GET", rows[i].uri, NULL, "192.0.2.7");
        expect(response.status == 200 && (*body == '{') == rows[i].json, "%s: %d %.20s",
               rows[i].uri, response.status, body);
    }
}

/* A host that sends no REQUEST_URI sends the query by itself. */
static void json_without_request_uri(void **state)
{
    const struct http_request asked = {.method = SPAN("GET"),
                                       .path_info = SPAN("/status"),
                                       .query = SPAN("json"),
                                       .remote_addr = SPAN("192.0.2.7")};
    (void)state;
    assert_true(handler_serve(settings, &asked, &response));
    assert_int_equal(*bytes_string(&response.body), '{');
}

/* As CGI without a file. */
static void without_figures(void **state)
{
    (void)state;
    const char *body = serve("GET", "/status", NULL, "192.0.2.7");
    assert_int_equal(response.status, 200);
    expect_contains(body, "There are no figures: this process serves one request");
    body = serve("GET", "/metrics", NULL, "192.0.2.7");
    assert_int_equal(response.status, 200);
    expect_contains(body, "memberchat_signing_key_info{app=\"demo\"");
    expect_lacks(body, "memberchat_http_requests_total");
}

static void guesses_are_held_off(void **state)
{
    static const char *const uris[] = {"/metrics", "/status"};
    (void)state;
    for (size_t i = 0; i < COUNT(uris); i++) {
        const char *client = i ? "198.51.100.1" : "198.51.100.2";
        figures_use(NULL, FIGURES_RESIDENT);
        for (int tries = 0; tries < 3; tries++) {
            serve("GET", uris[i], "Basic eDp3cm9uZw==", client);
            expect(response.status == (tries < 2 ? 401 : 429), "%s: %d", uris[i], response.status);
        }
        serve("GET", uris[i], "Basic eDp3cm9uZw==", "203.0.113.9"); /* the password is one target */
        assert_int_equal(response.status, 429);
        figures_close();
    }
}

/* One that gives no address is a client, too. */
static void guesses_without_an_address(void **state)
{
    (void)state;
    figures_use(NULL, FIGURES_RESIDENT);
    serve("GET", "/status", "Basic eDp3cm9uZw==", "unix:");
    assert_int_equal(response.status, 401);
    serve("GET", "/status", "Basic eDp3cm9uZw==", "");
    assert_int_equal(response.status, 401);
}

/* The address of whoever forwards for others is not the caller's, unless it is a proxy's. */
static void who_is_not_certain_is_asked(void **state)
{
    struct http_request asked = {
        .method = SPAN("GET"), .uri = SPAN("/status"), .remote_addr = SPAN("192.0.2.7")};
    (void)state;
    asked.forwarded_twice = true; /* the first one is empty */
    assert_true(handler_serve(settings, &asked, &response));
    assert_int_equal(response.status, 401);
    asked.forwarded_twice = false;
    assert_true(handler_serve(settings, &asked, &response));
    assert_int_equal(response.status, 200);
}

/* Ids are kept only where they are shown, and can be. */
static void ids_of_refusals(void **state)
{
    static const struct {
        const char *uri, *id;
    } rows[] = {
        {"/v2/apps/me/members/4711/chat-tokens", "4711"},
        {"/v2/apps/me/members//chat-tokens", ""},
        {"/v2/apps/me/members/a%0Ab/chat-tokens", ""},
        {"/v2/apps/me/members/guest-chat-tokens", ""},
    };
    (void)state;
    figures_use(NULL, FIGURES_RESIDENT);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct figures_past past;
        serve("POST", rows[i].uri, "Basic ZGVtby1rZXk6d3Jvbmc=", i % 2 ? "192.0.2.7" : "192.0.2.8");
        assert_true(figures_read_recent(figures_view_own().figures, 0, &past));
        assert_string_equal(past.id, rows[i].id);
    }
}

/* Each allocation fails in turn: the answer is whole, or it is an error. */
static void answers_with_little_memory(void **state)
{
    static const struct {
        const char *uri, *end;
    } rows[] = {{"/openapi.json", "}"},
                {"/status", "</html>\n"},
                {"/status?json", "}"},
                {"/metrics", "\n"}};
    (void)state;
    figures_use(NULL, FIGURES_RESIDENT);
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool failed = true;
        for (size_t granted = 0; failed; granted++) {
            http_response_free(&response);
            short_memory_start(granted, false);
            const char *body = serve("GET", rows[i].uri, NULL, "192.0.2.7");
            failed = short_memory_stop();
            const char *end = strstr(body, rows[i].end);
            while (end && strstr(end + 1, rows[i].end))
                end = strstr(end + 1, rows[i].end);
            bool whole = end && strlen(end) == strlen(rows[i].end);
            bool refused = response.body.failed || response.headers.failed;
            expect(refused || (response.status == 200 ? whole : failed && response.status == 500),
                   "%s after %zu: %d %s", rows[i].uri, granted, response.status, body);
        }
    }
}

/* ---- Certificates ---- */

/* A certificate as far as it is read, with an end of its validity. */
static void make_certificate(uint8_t tag, const char *end, struct bytes *out)
{
    static const char start[] = "\x17\x0d"
                                "260101000000Z";
    char validity = (char)(sizeof start - 1 + 2 + strlen(end));
    char body = (char)(3 + 2 + 2 + 2 + validity), outer = (char)(2 + body);
    const char head[] = {0x30, outer, 0x30, body, 0x02, 1, 1, 0x30, 0, 0x30, 0, 0x30, validity};
    const char time[] = {(char)tag, (char)strlen(end)};
    bytes_add(out, head, sizeof head);
    bytes_add(out, start, sizeof start - 1);
    bytes_add(out, time, sizeof time);
    bytes_add_string(out, end);
}

static void certificates(void **state)
{
    static const struct {
        uint8_t tag;
        const char *end;
        int64_t seconds; /* 0: it cannot be read */
    } rows[] = {
        {0x17, "270115080000Z", 1800000000}, {0x18, "20270115080000Z", 1800000000},
        {0x17, "20270115080000Z", 0},        {0x18, "270115080000Z", 0},
        {0x04, "270115080000Z", 0},          {0x17, "270199080000Z", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes der = {0};
        int64_t seconds = 0;
        make_certificate(rows[i].tag, rows[i].end, &der);
        bool read = status_read_certificate(bytes_span(&der), &seconds);
        expect(read == (rows[i].seconds != 0) && seconds == rows[i].seconds, "row %zu", i);
        bytes_free(&der);
    }
}

static void files_of_certificates(void **state)
{
    static const char *const ends[] = {"270115080000Z", "280115080000Z", "260615080000Z"};
    struct bytes file = {0};
    int64_t first = 0, last = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        struct bytes der = {0};
        make_certificate(0x17, ends[i], &der);
        bytes_add_string(&file, "-----BEGIN CERTIFICATE-----\n");
        bytes_add_base64(&file, bytes_span(&der));
        bytes_add_string(&file, "\n-----END CERTIFICATE-----\n");
        bytes_free(&der);
    }
    const char *path = scratch_write("chain.pem", bytes_span(&file));
    assert_true(status_read_expiry(path, STATUS_FIRST, &first));
    assert_true(status_read_expiry(path, STATUS_LAST, &last));
    assert_int_equal(first, 1781510400); /* 2026-06-15 08:00 */
    assert_int_equal(last, 1831536000);  /* 2028-01-15 08:00 */
    assert_false(status_read_expiry(scratch_path("nothing.pem"), STATUS_FIRST, &first));
    bool failed = true;
    for (size_t granted = 0; failed; granted++) {
        short_memory_start(granted, true);
        bool read = status_read_expiry(path, STATUS_FIRST, &first);
        failed = short_memory_stop();
        assert_true(read || failed);
    }
    bytes_free(&file);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(json_is_asked_for_in_the_query),
        TEST(json_without_request_uri),
        TEST(without_figures),
        TEST(guesses_are_held_off),
        TEST(guesses_without_an_address),
        TEST(who_is_not_certain_is_asked),
        TEST(ids_of_refusals),
        TEST(answers_with_little_memory),
        TEST(certificates),
        TEST(files_of_certificates),
    };
    return cmocka_run_group_tests_name("status_pages", tests, NULL, NULL);
}
