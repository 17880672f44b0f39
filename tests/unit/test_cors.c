/* SPDX-License-Identifier: MIT
 * Which pages may call: by app, and before the app is known. */
#include "api/cors.h"

#include "support.h"

#include <stdio.h>
#include <string.h>

static const char *const listed[] = {"https://www.example.com", "http://localhost:3000"};
static const char *const any[] = {"*"};

static struct app apps[] = {
    {.settings = {.cors_origins = {listed, 2}}},
    {.settings = {.cors_origins = {any, 1}}},
    {.settings = {.cors_origins = {NULL, 0}}},
};

static const char *headers_of(struct app *app, struct span origin, struct http_response *response)
{
    http_response_reset(response);
    cors_add_headers(app, origin, response);
    return bytes_string(&response->headers);
}

static void answers(void **state)
{
    static const struct {
        size_t app;
        struct span origin;
        const char *allowed; /* NULL: no header */
    } rows[] = {
        {0, LITERAL("https://www.example.com"), "https://www.example.com"},
        {0, LITERAL("http://localhost:3000"), "http://localhost:3000"},
        {0, LITERAL("http://localhost:3001"), NULL},
        {0, LITERAL("https://www.example.com.evil.com"), NULL},
        {0, LITERAL("https://WWW.example.com"), NULL},
        {0, LITERAL("https://www.example.com\0"), NULL},
        {0, LITERAL("https://www.example.com\r\nX: y"), NULL},
        {0, LITERAL("*"), NULL},
        {0, LITERAL("null"), NULL},
        {0, LITERAL(""), NULL},
        {0, {NULL, 0}, NULL},
        {1, LITERAL("https://anything.example"), "*"},
        {1, {NULL, 0}, NULL},
        {2, LITERAL("https://www.example.com"), NULL},
    };
    struct http_response response = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *text = headers_of(&apps[rows[i].app], rows[i].origin, &response);
        char wanted[128] = "";
        if (rows[i].allowed)
            snprintf(wanted, sizeof wanted, "Access-Control-Allow-Origin: %s\r\n", rows[i].allowed);
        expect(!strstr(text, "Access-Control") == !rows[i].allowed, "row %zu: %s", i, text);
        expect_contains(text, wanted);
        /* a cache in between must not hand one page's answer to another */
        expect(!strstr(text, "Vary: Origin\r\n") == (rows[i].app == 2), "row %zu: Vary", i);
        expect_lacks(text, "X: y");
        expect_lacks(text, "Allow-Credentials");
    }
    http_response_free(&response);
}

static void preflights(void **state)
{
    struct settings settings = {.apps = apps, .app_count = 1};
    struct http_response response = {0};
    (void)state;
    cors_add_preflight(&settings, SPAN("http://localhost:3000"), &response);
    const char *text = bytes_string(&response.headers);
    expect_contains(text, "Access-Control-Allow-Origin: http://localhost:3000\r\n");
    expect_contains(text, "Access-Control-Allow-Methods: POST\r\n");
    expect_contains(text, "Access-Control-Allow-Headers: Authorization, Content-Type");
    expect_contains(text, "Vary: Origin\r\n");

    http_response_reset(&response);
    cors_add_preflight(&settings, SPAN("https://elsewhere.example"), &response);
    expect_lacks(bytes_string(&response.headers), "Access-Control");

    http_response_reset(&response);
    cors_add_preflight(&settings, SPAN_NONE, &response);
    expect_lacks(bytes_string(&response.headers), "Access-Control");

    settings.app_count = 3; /* any app's list will do */
    http_response_reset(&response);
    cors_add_preflight(&settings, SPAN("https://elsewhere.example"), &response);
    expect_contains(bytes_string(&response.headers), "Access-Control-Allow-Origin: *\r\n");
    http_response_free(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(preflights),
    };
    return cmocka_run_group_tests_name("cors", tests, NULL, NULL);
}
