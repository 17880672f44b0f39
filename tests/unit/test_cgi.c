/* SPDX-License-Identifier: MIT
 * One request a process: variables in, answer out, whatever the input does. */
#include "server/cgi.h"

#include "base/clock.h"
#include "support.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define GOOD  "Basic ZGVtby1rZXk6ZGVtby1zZWNyZXQtZGVtbw==" /* demo-key:demo-secret-demo */
#define GUEST "/cgi-bin/memberchat.cgi/v2/apps/me/members/guest-chat-tokens"

struct call {
    const char *method, *uri, *length, *transfer_encoding;
    struct span input;
    bool keep_open; /* the input does not end */
    const char *config;
};

static const char *config_path;

static int start(void **state)
{
    int rc = scratch_start(state);
    scratch_write_basics();
    config_path =
        scratch_write("memberchat.conf",
                      span_of(config_text(&(struct config_texts){.top = "body_limit = 2000"})));
    return rc;
}

static void set(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
}

static void be_the_program(const struct call *call, int input, int output)
{
    clearenv();
    set("GATEWAY_INTERFACE", "CGI/1.1");
    set("REQUEST_METHOD", call->method ? call->method : "POST");
    set("REQUEST_URI", call->uri ? call->uri : GUEST);
    set("SCRIPT_NAME", "/cgi-bin/memberchat.cgi");
    set("HTTP_AUTHORIZATION", GOOD);
    set("CONTENT_TYPE", "application/json");
    set("CONTENT_LENGTH", call->length);
    set("HTTP_TRANSFER_ENCODING", call->transfer_encoding);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    close(input);
    close(output);
    if (!cgi_is_request())
        _exit(1);
    cgi_serve(call->config ? call->config : config_path, plugins, STDOUT_FILENO);
    _exit(0);
}

/* Runs it in a process of its own; what it wrote is in static memory. */
static const char *serve(const struct call *call, int64_t *took_ms_r)
{
    static char text[8192];
    int in[2], out[2], status;
    size_t length = 0;
    ssize_t got;
    assert_true(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    int64_t begin = clock_monotonic_ms();
    pid_t child = fork();
    if (child == 0) {
        close(in[1]); /* or its own input would never end */
        close(out[0]);
        be_the_program(call, in[0], out[1]);
    }
    close(in[0]);
    close(out[1]);
    struct span left = call->input;
    while (left.length) {
        struct pollfd writable = {.fd = in[1], .events = POLLOUT};
        ssize_t written = poll(&writable, 1, 5000) > 0 ? write(in[1], left.data, left.length) : -1;
        if (written <= 0)
            break;
        left.data += written;
        left.length -= (size_t)written;
    }
    if (!call->keep_open)
        close(in[1]);
    while ((got = read(out[0], text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = '\0';
    *took_ms_r = clock_monotonic_ms() - begin;
    if (call->keep_open)
        close(in[1]);
    close(out[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d: %s", status, text);
    return text;
}

static void answers(void **state)
{
    char *large = repeated('b', 300000), *limit = repeated(' ', 2001);
    memcpy(limit, "{\"appUserId\":\"u7\"}", 18);
    const struct {
        struct call call;
        const char *status, *part;
    } rows[] = {
        {{.uri = "/x/v2/apps/me/members/1/chat-tokens"}, "200 OK", "\"userName\":\"Ann\""},
        {{.length = "18", .input = SPAN("{\"appUserId\":\"u7\"}")}, "200 OK", "\"userId\":\"u7\""},
        {{.length = "0"}, "200 OK", "GUEST_"},
        {{.length = ""}, "200 OK", "GUEST_"},
        {{.length = NULL}, "200 OK", "GUEST_"},
        {{.transfer_encoding = "chunked", .input = SPAN("{\"appUserId\":\"u7\"}")}, "200 OK", "u7"},
        {{.length = "2000", .input = {limit, 2000}}, "200 OK", "\"userId\":\"u7\""},
        {{.length = "2001", .input = {limit, 2001}}, "413 ", "REQUEST_TOO_LARGE"},
        {{.length = "300000", .input = {large, 300000}}, "413 ", "REQUEST_TOO_LARGE"},
        {{.transfer_encoding = "chunked", .input = {large, 300000}}, "413 ", "REQUEST_TOO_LARGE"},
        {{.length = "19", .input = SPAN("{\"appUserId\":\"u7\"}")}, "200 OK", "\"userId\":\"u7\""},
        {{.length = "19", .input = SPAN("{\"appUserId\":\"u7\"")},
         "400 ",
         "INVALID_HTTP_MESSAGE_BODY"},
        {{.length = "7", .input = SPAN("{\"appUserId\":\"u7\"}")}, "200 OK", "\"userId\":\"u7\""},
        {{.length = "7", .input = {large, 300000}}, "413 ", "REQUEST_TOO_LARGE"},
        {{.length = "-1", .input = SPAN("{\"appUserId\":\"u7\"}")}, "200 OK", "\"userId\":\"u7\""},
        {{.length = "18"}, "400 ", "INVALID_HTTP_MESSAGE_BODY"},
        {{.length = "+2", .input = SPAN("{}")}, "400 ", "INVALID_HTTP_MESSAGE_BODY"},
        {{.length = "-2", .input = SPAN("{}")}, "400 ", "INVALID_HTTP_MESSAGE_BODY"},
        {{.length = "99999999999999999999", .input = SPAN("{}")}, "400 ", "INVALID_HTTP_MESSAGE"},
        {{.uri = "/none"}, "404 ", "RESOURCE_NOT_FOUND"},
        {{.method = "GET", .uri = "/x/healthz"}, "200 OK", "\r\n\r\n\"ok\""},
        {{.method = "GET", .uri = "/x/readyz"}, "200 OK", "\r\n\r\n\"ok\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char wanted[64];
        int64_t took;
        const char *text = serve(&rows[i].call, &took);
        snprintf(wanted, sizeof wanted, "Status: %s", rows[i].status);
        expect(strncmp(text, wanted, strlen(wanted)) == 0, "row %zu: %s", i, text);
        expect_contains(text, rows[i].part);
        expect_contains(text, "Content-Type: application/json\r\n");
    }
    free(large);
    free(limit);
}

/* A body ends with its length, not with the input (RFC 3875, section 4.2). */
static void inputs_that_do_not_end(void **state)
{
    int64_t took;
    (void)state;
    const char *text = serve(
        &(struct call){.length = "18", .input = SPAN("{\"appUserId\":\"u7\"}"), .keep_open = true},
        &took);
    expect_contains(text, "\"userId\":\"u7\"");
    assert_true(took < 10000);
    text = serve(&(struct call){.length = NULL, .keep_open = true}, &took);
    expect_contains(text, "Status: 200 OK");
    assert_true(took < 10000);
}

static void heads_have_no_body(void **state)
{
    int64_t took;
    (void)state;
    const char *text = serve(&(struct call){.method = "HEAD", .uri = "/healthz"}, &took);
    expect_contains(text, "Status: 200 OK\r\n");
    expect_contains(text, "Content-Length: 4\r\n");
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}

static void without_a_good_configuration(void **state)
{
    int64_t took;
    (void)state;
    stderr_catch();
    const char *text = serve(
        &(struct call){.config = scratch_path("nothing.conf"), .length = "2", .input = SPAN("{}")},
        &took);
    expect_contains(text, "Status: 500 Internal Server Error\r\n");
    expect_contains(text, "{\"errorCode\":\"INTERNAL_SERVER_ERROR\"");
    expect_lacks(text, "nothing.conf"); /* that is for the log */
    expect_contains(stderr_caught(), "nothing.conf: cannot be read");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, scratch_stop)
    const struct CMUnitTest tests[] = {
        TEST(answers),
        TEST(inputs_that_do_not_end),
        TEST(heads_have_no_body),
        TEST(without_a_good_configuration),
    };
    return cmocka_run_group_tests_name("cgi", tests, NULL, NULL);
}
