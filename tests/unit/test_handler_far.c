/* SPDX-License-Identifier: MIT
 * Requests for members of a directory that may be slow, down or broken. */
#include "api/handler.h"

#include "base/clock.h"
#include "members/gate.h"
#include "support.h"

#include <string.h>

#define MEMBER "/v2/apps/me/members/7/chat-tokens"
#define GOOD   "Basic ZGVtby1rZXk6ZGVtby1zZWNyZXQtZGVtbw==" /* demo-key:demo-secret-demo */

static struct settings *settings;
static struct http_response response;

static int start(void **state)
{
    struct config_report report = {0};
    int rc = scratch_start(state);
    scratch_write_basics();
    const char *path = scratch_write(
        "memberchat.conf",
        SPAN(
            "stores = { far = { plugin = \"slow\"; delay = \"1ms\"; state_path = \"state\";\n"
            "log_path = \"asked\"; cache = { size = 0 }; breaker = { failures = 0 } } }\n"
            "apps = { demo = { api_key = \"demo-key\"; api_secret = \"demo-secret-demo\";\n"
            "store = \"far\"; chat_server_url = \"ws://x\"; token = { key_file = \"key\" } } }\n"));
    settings = settings_read(path, test_plugins, NULL, &report);
    expect(settings, "%s", bytes_string(&report.text));
    assert_true(settings_open(settings, NULL, false, &report));
    config_report_free(&report);
    scratch_write("asked", SPAN(""));
    stderr_catch();
    return rc;
}

static int stop(void **state)
{
    http_response_free(&response);
    response = (struct http_response){0};
    settings_free(settings);
    return scratch_stop(state);
}

static struct http_request request(const char *method, const char *uri, int64_t ms)
{
    return (struct http_request){.method = span_of(method),
                                 .uri = span_of(uri),
                                 .authorizations = {SPAN(GOOD)},
                                 .deadline = clock_monotonic_ms() + ms};
}

static void expect_answer(const char *state, const char *uri, int status, const char *part)
{
    bool health = strcmp(uri, "/readyz") == 0;
    struct http_request asked = request(health ? "GET" : "POST", uri, 1000);
    scratch_write("state", span_of(state));
    int64_t begin = clock_monotonic_ms();
    assert_true(handler_serve(settings, &asked, &response));
    assert_true(clock_monotonic_ms() - begin < limit_ms(2000));
    const char *body = bytes_string(&response.body);
    expect(response.status == status, "%s: %d %s", state, response.status, body);
    expect_contains(body, part);
    bool retry = strstr(bytes_string(&response.headers), "Retry-After: ") != NULL;
    expect(health || retry == (status == 503), "%s: Retry-After", state);
}

static void states_of_a_directory(void **state)
{
    (void)state;
    expect_answer("up", MEMBER, 200, "\"userName\":\"Slow 7\"");
    expect_answer("up", "/v2/apps/me/members/nobody/chat-tokens", 404, "MEMBER_NOT_FOUND");
    expect_answer("down", MEMBER, 503, "MEMBER_STORE_UNAVAILABLE");
    expect_answer("down", "/v2/apps/me/members/nobody/chat-tokens", 503,
                  "MEMBER_STORE_UNAVAILABLE");
    expect_answer("hang", MEMBER, 503, "MEMBER_STORE_UNAVAILABLE");
    expect_answer("broken", MEMBER, 500, "INTERNAL_SERVER_ERROR");
    expect_lacks(bytes_string(&response.body), "password"); /* that is for the log */
    expect_contains(stderr_caught(),
                    "store far: misconfigured: the directory refuses our password");
}

/* Ids that no directory can hold are asked of none. */
static void ids_that_cannot_be(void **state)
{
    static const char *const ids[] = {"", "%00", "a%0A", "%FF", "%C0%AF"};
    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct bytes uri = {0};
        bytes_addf(&uri, "/v2/apps/me/members/%s/chat-tokens", ids[i]);
        expect_answer("down", bytes_string(&uri), 404, "MEMBER_NOT_FOUND");
        bytes_free(&uri);
    }
    assert_string_equal(scratch_read(scratch_path("asked")), "");
}

static void readiness(void **state)
{
    (void)state;
    expect_answer("down", "/readyz", 503, "\"unavailable\"");
    struct http_request asked = request("GET", "/healthz", 300);
    assert_true(handler_serve(settings, &asked, &response));
    assert_int_equal(response.status, 200);
}

static bool stay_closed(struct gate *gate, bool near)
{
    (void)gate;
    (void)near;
    return false;
}

static struct gate closed = {.enter = stay_closed};

/* A thread that may not wait hands the request back.  It is served by one that may, and is
 * answered at its deadline at the latest. */
static void requests_that_are_handed_back(void **state)
{
    static const char *const paths[] = {MEMBER, "/readyz"};
    (void)state;
    scratch_write("state", SPAN("up"));
    for (size_t i = 0; i < COUNT(paths); i++) {
        const char *method = i == 0 ? "POST" : "GET";
        struct http_request asked = request(method, paths[i], 5000);
        asked.gate = &closed;
        assert_false(handler_serve(settings, &asked, &response));
        struct http_request late = request(method, paths[i], -1);
        late.gate = &closed;
        assert_true(handler_serve(settings, &late, &response));
        assert_int_equal(response.status, 503);
        asked.gate = NULL;
        assert_true(handler_serve(settings, &asked, &response)); /* the same request again */
        assert_int_equal(response.status, 200);
        const char *headers = bytes_string(&response.headers);
        const char *once = strstr(headers, "Cache-Control");
        assert_non_null(once);
        assert_null(strstr(once + 1, "Cache-Control"));
    }
    struct http_request guest = request("POST", "/v2/apps/me/members/guest-chat-tokens", 5000);
    guest.gate = &closed; /* it asks no directory */
    assert_true(handler_serve(settings, &guest, &response));
    assert_int_equal(response.status, 200);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(states_of_a_directory),
        TEST(ids_that_cannot_be),
        TEST(readiness),
        TEST(requests_that_are_handed_back),
    };
    return cmocka_run_group_tests_name("handler_far", tests, NULL, NULL);
}
