/* SPDX-License-Identifier: MIT
 * Basic credentials, wherever a web server leaves them. */
#include "api/credentials.h"

#include "support.h"

#include <stdlib.h>
#include <string.h>

static struct settings *settings;

/* Two apps: demo with one secret, second with two. */
static int start(void **state)
{
    if (scratch_start(state) != 0)
        return -1;
    settings = settings_from(&(struct config_texts){
        .apps = "second = { api_key = \"second-key\"; chat_server_url = "
                "\"ws://x\"; store = \"members\";"
                " api_secret = [ \"old:secret:of:16\", \"new \xc3\xa9 secret of 16\" ];"
                " token = { key_file = \"key\" } }"});
    return settings ? 0 : -1;
}

static int stop(void **state)
{
    settings_free(settings);
    return scratch_stop(state);
}

static void add_base64(struct bytes *out, struct span data)
{
    size_t padding = (3 - data.length % 3) % 3;
    crypto_base64url_encode(out, data);
    for (size_t i = 0; i < out->length; i++)
        out->data[i] = out->data[i] == '-' ? '+' : out->data[i] == '_' ? '/' : out->data[i];
    bytes_add(out, "==", padding);
}

static enum credentials check_header(struct span header, const struct app **app_r)
{
    struct http_request request = {0};
    char *copy = exact_copy(header);
    *app_r = NULL;
    request.authorizations[0] = (struct span){copy, header.length};
    enum credentials verdict = credentials_check(settings, &request, app_r);
    free(copy);
    return verdict;
}

static enum credentials check_pair(struct span pair, const struct app **app_r)
{
    struct bytes encoded = {0}, header = {0};
    add_base64(&encoded, pair);
    bytes_addf(&header, "Basic %s", bytes_string(&encoded));
    enum credentials verdict = check_header(bytes_span(&header), app_r);
    bytes_free(&encoded);
    bytes_free(&header);
    return verdict;
}

static void pairs(void **state)
{
    static const struct {
        struct span pair;
        const char *app; /* NULL: wrong */
    } rows[] = {
        {LITERAL("demo-key:demo-secret-demo"), "demo"},
        {LITERAL("second-key:old:secret:of:16"), "second"}, /* the first colon divides */
        {LITERAL("second-key:new \xc3\xa9 secret of 16"), "second"},
        {LITERAL("second-key:demo-secret-demo"), NULL},
        {LITERAL("demo-key:old:secret:of:16"), NULL},
        {LITERAL("demo-key:"), NULL},
        {LITERAL("demo-key:demo-secre"), NULL},
        {LITERAL("demo-key:demo-secret-demos"), NULL},
        {LITERAL("demo-key:demo-secret-demo\0"), NULL},
        {LITERAL("demo-key\0:demo-secret-demo"), NULL},
        {LITERAL("Demo-key:demo-secret-demo"), NULL},
        {LITERAL(" demo-key:demo-secret-demo"), NULL},
        {LITERAL("nobody:demo-secret-demo"), NULL},
        {LITERAL(":demo-secret-demo"), NULL},
        {LITERAL(":"), NULL},
        {LITERAL("demo-key"), NULL}, /* no colon */
        {LITERAL("demo-keydemo-secret-demo"), NULL},
        {LITERAL("\0"), NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct app *app;
        enum credentials verdict = check_pair(rows[i].pair, &app);
        expect(verdict == (rows[i].app ? CREDENTIALS_GOOD : CREDENTIALS_WRONG), "%s: %d",
               rows[i].pair.data, verdict);
        expect(!rows[i].app || (app && strcmp(app->id, rows[i].app) == 0), "%s: which app",
               rows[i].pair.data);
    }
}

#define GOOD_64 "ZGVtby1rZXk6ZGVtby1zZWNyZXQtZGVtbw=="

static void headers(void **state)
{
    static const struct {
        struct span header;
        enum credentials verdict;
    } rows[] = {
        {LITERAL("Basic " GOOD_64), CREDENTIALS_GOOD},
        {LITERAL("basic " GOOD_64), CREDENTIALS_GOOD},
        {LITERAL("BASIC   " GOOD_64 "  "), CREDENTIALS_GOOD},
        {{NULL, 0}, CREDENTIALS_NONE},
        {LITERAL(""), CREDENTIALS_NONE},
        {LITERAL("Basic"), CREDENTIALS_NONE},
        {LITERAL("Basic "), CREDENTIALS_NONE},
        {LITERAL("Basic    "), CREDENTIALS_NONE},
        {LITERAL("Bearer " GOOD_64), CREDENTIALS_NONE},
        {LITERAL("Basics " GOOD_64), CREDENTIALS_NONE},
        {LITERAL("Basi " GOOD_64), CREDENTIALS_NONE},
        {LITERAL(GOOD_64), CREDENTIALS_NONE},
        {LITERAL("Basic " GOOD_64 ", Basic " GOOD_64), CREDENTIALS_WRONG}, /* joined duplicates */
        {LITERAL("Basic " GOOD_64 "," GOOD_64), CREDENTIALS_WRONG},
        {LITERAL("Basic " GOOD_64 " " GOOD_64), CREDENTIALS_WRONG},
        {LITERAL("Basic ZGVtby1rZXk6ZGVtby1zZWNyZXQ"), CREDENTIALS_WRONG}, /* no padding */
        {LITERAL("Basic ZGVtby1rZXk6\nZGVtby1zZWNyZXQ="), CREDENTIALS_WRONG},
        {LITERAL("Basic ZGVtby1rZXk6ZGVtby1zZWNyZXR="), CREDENTIALS_WRONG}, /* bits left over */
        {LITERAL("Basic ===="), CREDENTIALS_WRONG},
        {LITERAL("Basic !!!!"), CREDENTIALS_WRONG},
        {LITERAL("Basic \xff\xff\xff\xff"), CREDENTIALS_WRONG},
        {LITERAL("Basic ZGVt\0by1r"), CREDENTIALS_WRONG},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct app *app;
        enum credentials verdict = check_header(rows[i].header, &app);
        expect(verdict == rows[i].verdict, "row %zu, %.*s: %d", i, (int)rows[i].header.length,
               rows[i].header.data ? rows[i].header.data : "", verdict);
    }
}

static void eight_kilobytes(void **state)
{
    const struct app *app;
    char *long_text = repeated('A', 8192);
    struct bytes header = {0};
    (void)state;
    bytes_addf(&header, "Basic %s", long_text);
    assert_int_equal(check_header(bytes_span(&header), &app), CREDENTIALS_WRONG);
    bytes_reset(&header);
    bytes_addf(&header, "Basic " GOOD_64 "%s", long_text);
    assert_int_equal(check_header(bytes_span(&header), &app), CREDENTIALS_WRONG);
    bytes_free(&header);
    free(long_text);
}

/* RFC 3875 names it HTTP_AUTHORIZATION; Apache renames it on internal redirects,
 * and leaves an empty one where a rule sets it always. */
static void where_servers_leave_it(void **state)
{
    const struct app *app = NULL;
    (void)state;
    for (size_t place = 0; place < HTTP_AUTHORIZATIONS; place++) {
        struct http_request request = {0};
        request.authorizations[0] = SPAN("");
        request.authorizations[place] = SPAN("Basic " GOOD_64);
        assert_int_equal(credentials_check(settings, &request, &app), CREDENTIALS_GOOD);
    }
    struct http_request both = {0};
    both.authorizations[0] = SPAN("Basic d3Jvbmc6d3Jvbmc=");
    both.authorizations[1] = SPAN("Basic " GOOD_64);
    assert_int_equal(credentials_check(settings, &both, &app), CREDENTIALS_WRONG);
}

/* A second way, for where a web server keeps Authorization back.  Both at once must agree. */
static void headers_of_their_own(void **state)
{
    static const struct {
        const char *basic, *key, *secret;
        enum credentials verdict;
    } rows[] = {
        {NULL, "demo-key", "demo-secret-demo", CREDENTIALS_GOOD},
        {"", "demo-key", "demo-secret-demo", CREDENTIALS_GOOD},
        {"Bearer x", "demo-key", "demo-secret-demo", CREDENTIALS_GOOD},
        {NULL, "demo-key", "demo-secre", CREDENTIALS_WRONG},
        {NULL, "second-key", "demo-secret-demo", CREDENTIALS_WRONG},
        {NULL, "second-key", "old:secret:of:16", CREDENTIALS_GOOD},
        {NULL, "demo-key", NULL, CREDENTIALS_NONE},
        {NULL, NULL, "demo-secret-demo", CREDENTIALS_NONE},
        {NULL, "demo-key", "", CREDENTIALS_NONE},
        {"Basic " GOOD_64, "demo-key", "demo-secret-demo", CREDENTIALS_GOOD},
        {"Basic " GOOD_64, "", "", CREDENTIALS_GOOD},
        {"Basic " GOOD_64, "demo-key", NULL, CREDENTIALS_GOOD},
        {"Basic " GOOD_64, "demo-key", "demo-secret-demos", CREDENTIALS_WRONG},
        {"Basic " GOOD_64, "second-key", "demo-secret-demo", CREDENTIALS_WRONG},
        {"Basic " GOOD_64, "second-key", "old:secret:of:16", CREDENTIALS_WRONG},
        {"Basic " GOOD_64, "second-key", NULL, CREDENTIALS_WRONG},
        {"Basic " GOOD_64, NULL, "x", CREDENTIALS_WRONG},
        {"Basic d3Jvbmc6d3Jvbmc=", "demo-key", "demo-secret-demo", CREDENTIALS_WRONG},
        {"Basic " GOOD_64, "demo-keY", "demo-secret-demo", CREDENTIALS_WRONG},
        {"Basic " GOOD_64, "demo-key", "demo-secret-demO", CREDENTIALS_WRONG},
        {"Basic !!!!", "demo-key", "demo-secret-demo", CREDENTIALS_WRONG},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct app *app;
        struct http_request request = {.authorizations = {span_of(rows[i].basic)},
                                       .api_key = span_of(rows[i].key),
                                       .api_secret = span_of(rows[i].secret)};
        enum credentials verdict = credentials_check(settings, &request, &app);
        expect(verdict == rows[i].verdict, "row %zu: %d", i, verdict);
    }
}

/* The log tells whose secret is wrong. */
static void keys_that_are_known(void **state)
{
    const struct app *app;
    (void)state;
    assert_int_equal(check_pair(SPAN("second-key:wrong"), &app), CREDENTIALS_WRONG);
    assert_string_equal(app->id, "second");
    assert_int_equal(check_pair(SPAN("nobody:wrong"), &app), CREDENTIALS_WRONG);
    assert_null(app);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(pairs),
        TEST(headers),
        TEST(eight_kilobytes),
        TEST(where_servers_leave_it),
        TEST(headers_of_their_own),
        TEST(keys_that_are_known),
    };
    return cmocka_run_group_tests_name("credentials", tests, NULL, NULL);
}
