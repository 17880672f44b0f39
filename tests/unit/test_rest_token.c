/* SPDX-License-Identifier: MIT
 * What a token endpoint's answers mean. */
#include "plugins/rest/token.h"

#include "short_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct reason why;

static enum memberchat_outcome read_answer(long status, const char *body,
                                           struct rest_token *token_r)
{
    const struct rest_reply reply = {.status = status, .body = span_of(body)};
    *token_r = (struct rest_token){0};
    why.text[0] = '\0';
    return rest_token_read(&reply, token_r, &why);
}

static void lives(void **state)
{
    static const struct {
        const char *expires_in;
        int64_t life_ms;
    } rows[] = {
        {"1", 1000},       {"\"60\"", 60000},         {"0", 0},
        {"-1", 0},         {"null", 3600000},         {"\"soon\"", 3600000},
        {"1.5", 3600000},  {"[]", 3600000},           {"99999999999999999999", 31536000000},
        {"\"\"", 3600000}, {"31536001", 31536000000}, {"\"0000000000000000001\"", 3600000},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes body = {0};
        struct rest_token token;
        bytes_addf(&body, "{\"access_token\":\"abc\",\"expires_in\":%s}", rows[i].expires_in);
        assert_int_equal(read_answer(200, bytes_string(&body), &token), MEMBERCHAT_FOUND);
        if (token.life_ms != rows[i].life_ms)
            fail_msg("%s: %lld", rows[i].expires_in, (long long)token.life_ms);
        assert_string_equal(bytes_string(&token.text), "abc");
        bytes_free(&token.text);
        bytes_free(&body);
    }
}

#define SIXTY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void refusals(void **state)
{
    static const struct {
        long status;
        const char *body, *told;
        enum memberchat_outcome outcome;
    } rows[] = {
        {400, "{\"error\":\"invalid_scope\"}", "status 400, invalid_scope: check",
         MEMBERCHAT_MISCONFIGURED},
        {401, "<html>", "status 401: check", MEMBERCHAT_MISCONFIGURED},
        {403, "{\"error\":\"Secret 5\"}", "status 403: check", MEMBERCHAT_MISCONFIGURED},
        {302, "", "status 302: check", MEMBERCHAT_MISCONFIGURED},
        {101, "", "status 101: check", MEMBERCHAT_MISCONFIGURED},
        {400, "{\"error\":\"" SIXTY "abcd\"}", "status 400, aaaa", MEMBERCHAT_MISCONFIGURED},
        {400, "{\"error\":\"" SIXTY "abcde\"}", "status 400: check", MEMBERCHAT_MISCONFIGURED},
        {400, "{\"error\":\"a{\"}", "status 400: check", MEMBERCHAT_MISCONFIGURED},
        {425, "", "status 425", MEMBERCHAT_UNAVAILABLE},
        {408, "", "status 408", MEMBERCHAT_UNAVAILABLE},
        {429, "{\"error\":\"slow_down\"}", "status 429, slow_down", MEMBERCHAT_UNAVAILABLE},
        {503, "", "status 503", MEMBERCHAT_UNAVAILABLE},
        {200, "", "not a JSON object", MEMBERCHAT_MISCONFIGURED},
        {200, "{}", "no access_token", MEMBERCHAT_MISCONFIGURED},
        {200, "{\"access_token\":\"a\",\"token_type\":\"mac\"}", "type Bearer",
         MEMBERCHAT_MISCONFIGURED},
    };
    struct rest_token token;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum memberchat_outcome outcome = read_answer(rows[i].status, rows[i].body, &token);
        if (outcome != rows[i].outcome || !strstr(why.text, rows[i].told))
            fail_msg("row %zu: %s", i, why.text);
        assert_null(strstr(why.text, "Secret"));
        assert_null(token.text.data);
    }
}

static void exchanges_without_a_whole_answer(void **state)
{
    static const struct {
        enum rest_end end;
        long status;
        const char *told;
        enum memberchat_outcome outcome;
    } rows[] = {
        {REST_TOO_LARGE, 200, "the answer is too large", MEMBERCHAT_MISCONFIGURED},
        {REST_TOO_LARGE, 403, "HTTP status 403: check", MEMBERCHAT_MISCONFIGURED},
        {REST_TOO_LARGE, 503, "HTTP status 503", MEMBERCHAT_UNAVAILABLE},
        {REST_IMPOSSIBLE, 0, "no luck", MEMBERCHAT_MISCONFIGURED},
        {REST_LATE, 0, "no luck", MEMBERCHAT_UNAVAILABLE},
        {REST_NO_ANSWER, 0, "no luck", MEMBERCHAT_UNAVAILABLE},
        {REST_BUSY, 0, "no luck", MEMBERCHAT_UNAVAILABLE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct rest_reply reply = {
            .end = rows[i].end, .status = rows[i].status, .trouble = "no luck"};
        struct rest_token token = {0};
        assert_int_equal(rest_token_read(&reply, &token, &why), rows[i].outcome);
        if (!strstr(why.text, rows[i].told))
            fail_msg("row %zu: %s", i, why.text);
        assert_null(token.text.data);
    }
}

static void memory_that_runs_out_is_no_refusal(void **state)
{
    static const long statuses[] = {200, 400};
    (void)state;
    for (size_t i = 0; i < COUNT(statuses); i++) {
        bool failed = true;
        for (size_t granted = 0; failed; granted++) {
            struct rest_token token;
            short_memory_start(granted, false);
            enum memberchat_outcome outcome = read_answer(
                statuses[i], "{\"access_token\":\"abc\",\"token_type\":\"Bearer\",\"error\":\"x\"}",
                &token);
            failed = short_memory_stop();
            if (failed)
                assert_int_equal(outcome, MEMBERCHAT_UNAVAILABLE);
            else
                assert_int_equal(outcome, i ? MEMBERCHAT_MISCONFIGURED : MEMBERCHAT_FOUND);
            bytes_free(&token.text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lives),
        cmocka_unit_test(refusals),
        cmocka_unit_test(exchanges_without_a_whole_answer),
        cmocka_unit_test(memory_that_runs_out_is_no_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
