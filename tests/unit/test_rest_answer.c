/* SPDX-License-Identifier: MIT
 * What a service's statuses and JSON mean. */
#include "plugins/rest/answer.h"

#include "fake_services.h"
#include "short_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct fake_services services;
static struct fake_result result;
static struct reason reason;
static const char *const active = "ACTIVE", *const statuses[] = {"204", "422"};
static struct rest_settings settings;

static int start(void **state)
{
    (void)state;
    fake_services_start(&services);
    settings = (struct rest_settings){.id_pointer = "/appUserId",
                                      .name_pointer = "/appUserName",
                                      .avatar_pointer = "/appUserProfileImgUrl",
                                      .active_values = {&active, 1},
                                      .not_found_statuses = {statuses, 2}};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_services_stop(&services);
    return 0;
}

/* The body lies in memory of its own, and nothing is behind it. */
static enum memberchat_outcome read_bytes(const char *body, size_t length, const char *asked)
{
    char *copy = malloc(length + !length);
    memcpy(copy, body, length);
    reason.text[0] = '\0';
    enum memberchat_outcome outcome =
        rest_answer_read(&settings, (struct span){copy, length}, span_of(asked), &services.table,
                         fake_result_start(&result), &reason);
    free(copy);
    return outcome;
}

static enum memberchat_outcome read_text(const char *body, const char *asked)
{
    return read_bytes(body, strlen(body), asked);
}

static void what_statuses_mean(void **state)
{
    static const struct {
        long first, last;
        enum memberchat_outcome outcome;
    } rows[] = {
        {0, 199, MEMBERCHAT_MISCONFIGURED},    {200, 203, MEMBERCHAT_FOUND},
        {204, 204, MEMBERCHAT_NOT_FOUND},      {205, 299, MEMBERCHAT_FOUND},
        {300, 403, MEMBERCHAT_MISCONFIGURED},  {404, 404, MEMBERCHAT_NOT_FOUND},
        {405, 407, MEMBERCHAT_MISCONFIGURED},  {408, 408, MEMBERCHAT_UNAVAILABLE},
        {409, 409, MEMBERCHAT_MISCONFIGURED},  {410, 410, MEMBERCHAT_NOT_FOUND},
        {411, 421, MEMBERCHAT_MISCONFIGURED},  {422, 422, MEMBERCHAT_NOT_FOUND},
        {423, 424, MEMBERCHAT_MISCONFIGURED},  {425, 425, MEMBERCHAT_UNAVAILABLE},
        {426, 428, MEMBERCHAT_MISCONFIGURED},  {429, 429, MEMBERCHAT_UNAVAILABLE},
        {430, 499, MEMBERCHAT_MISCONFIGURED},  {500, 599, MEMBERCHAT_UNAVAILABLE},
        {600, 1000, MEMBERCHAT_MISCONFIGURED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (long status = rows[i].first; status <= rows[i].last; status++)
            if (rest_answer_status(&settings, status, &reason) != rows[i].outcome)
                fail_msg("%ld: %s", status, reason.text);
}

static void a_member(void **state)
{
    (void)state;
    assert_int_equal(read_text("{\"appUserId\": \"1\", \"appUserName\": \"J\\u00fcrgen\","
                               " \"appUserProfileImgUrl\": \"https://x/1\", \"state\": \"active\"}",
                               "1"),
                     MEMBERCHAT_FOUND);
    assert_string_equal(result.fields[MEMBERCHAT_ID], "1");
    assert_string_equal(result.fields[MEMBERCHAT_NAME], "J\xc3\xbcrgen");
    assert_string_equal(result.fields[MEMBERCHAT_AVATAR], "https://x/1");
    assert_int_equal(result.lengths[MEMBERCHAT_ROLE], 0);
    assert_int_equal(result.attributes, 0);
}

static void lists_can_be_answers(void **state)
{
    (void)state;
    settings.id_pointer = "/0/id";
    assert_int_equal(read_text("[{\"id\":\"1\"}]", "1"), MEMBERCHAT_FOUND);
    assert_int_equal(read_text("[]", "1"), MEMBERCHAT_MISCONFIGURED);
}

#define SIXTY "sixty bytes of a state that nobody has thought of until now, "

static void states(void **state)
{
    static const struct {
        const char *pointer, *body, *reason;
        enum memberchat_outcome outcome;
    } rows[] = {
        {NULL, "{\"appUserId\":1}", "", MEMBERCHAT_FOUND},
        {NULL, "{\"appUserId\":1,\"state\":null}", "", MEMBERCHAT_FOUND},
        {NULL, "{\"appUserId\":1,\"state\":\"\"}", "", MEMBERCHAT_FOUND},
        {NULL, "{\"appUserId\":1,\"state\":0}", "its state is \"0\"", MEMBERCHAT_NOT_FOUND},
        {NULL, "{\"appUserId\":1,\"state\":\"" SIXTY "and more\"}", "its state is \"" SIXTY "and\"",
         MEMBERCHAT_NOT_FOUND},
        {NULL, "{\"appUserId\":1,\"state\":[]}", "\"/state\" is neither text nor number",
         MEMBERCHAT_MISCONFIGURED},
        {"", "{\"appUserId\":1,\"state\":\"LEFT\"}", "", MEMBERCHAT_FOUND},
        {"/s", "{\"appUserId\":1,\"state\":\"LEFT\"}", "has no state at \"/s\"",
         MEMBERCHAT_MISCONFIGURED},
        {"/s", "{\"appUserId\":1,\"s\":\"Active\"}", "", MEMBERCHAT_FOUND},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        settings.state_pointer = rows[i].pointer;
        enum memberchat_outcome outcome = read_text(rows[i].body, "1");
        if (outcome != rows[i].outcome || !strstr(reason.text, rows[i].reason))
            fail_msg("row %zu: %d, %s", i, outcome, reason.text);
    }
}

static void attributes(void **state)
{
    static const char *const names[] = {"mail", "age", "vip", "rate", "none", "null", "empty"},
                             *const values[] = {"/mail", "/age",  "/vip",  "/rate",
                                                "/none", "/null", "/empty"};
    (void)state;
    settings.attributes = (struct memberchat_map){names, values, 7};
    assert_int_equal(read_text("{\"appUserId\":1,\"mail\":\"a@b\",\"age\":42,\"vip\":true,"
                               "\"rate\":1.50,\"null\":null,\"empty\":\"\"}",
                               "1"),
                     MEMBERCHAT_FOUND);
    assert_int_equal(result.attributes, 4);
    assert_string_equal(fake_result_attribute(&result, "mail"), "a@b");
    assert_string_equal(fake_result_attribute(&result, "age"), "42");
    assert_string_equal(fake_result_attribute(&result, "vip"), "true");
    assert_string_equal(fake_result_attribute(&result, "rate"), "1.50");
    assert_int_equal(read_text("{\"appUserId\":1,\"mail\":[[]]}", "1"), MEMBERCHAT_MISCONFIGURED);
    assert_int_equal(read_text("{\"appUserId\":1,\"mail\":[]}", "1"), MEMBERCHAT_FOUND);
    assert_int_equal(result.attributes, 0);
    assert_int_equal(read_text("{\"appUserId\":1,\"mail\":[\"a\",null,2]}", "1"), MEMBERCHAT_FOUND);
    assert_int_equal(result.attributes, 2);
}

/* Empty pointers lead nowhere, though "" is the whole answer in RFC 6901. */
static void empty_pointers(void **state)
{
    (void)state;
    settings.name_pointer = settings.avatar_pointer = settings.role_pointer = "";
    assert_int_equal(read_text("{\"appUserId\":1,\"\":\"x\"}", "1"), MEMBERCHAT_FOUND);
    assert_int_equal(result.lengths[MEMBERCHAT_NAME], 0);
}

static void what_the_host_refuses(void **state)
{
    static const char start[] = "{\"appUserId\":1,\"mail\":[\"";
    static const char *const name = "mail", *const pointer = "/mail";
    char body[600], longer[sizeof start + 4097 + 7];
    (void)state;
    memset(body, 'x', sizeof body);
    memcpy(body, "{\"appUserId\":1,\"appUserName\":\"", 30);
    memcpy(body + sizeof body - 2, "\"}", 2);
    assert_int_equal(read_bytes(body, sizeof body, "1"), MEMBERCHAT_UNAVAILABLE);
    assert_true(result.refused);
    settings.attributes = (struct memberchat_map){&name, &pointer, 1};
    memset(longer, 'x', sizeof longer);
    memcpy(longer, start, sizeof start - 1);
    memcpy(longer + sizeof longer - 7, "\",\"b\"]}", 7);
    assert_int_equal(read_bytes(longer, sizeof longer, "1"), MEMBERCHAT_UNAVAILABLE);
    assert_int_equal(result.attributes, 0);
}

/* Nobody is more than the whole answer says: not active who is not, not "member" who is a
 * host. */
static void memory_that_runs_out_is_unavailable(void **state)
{
    static const char body[] =
        "{\"appUserId\":12345,\"appUserName\":\"a name that is longer than the first room of a "
        "buffer, Ann\",\"role\":\"host\",\"state\":\"LEFT\",\"t\":1.5,\"mail\":\"a@b\"}";
    static const char *const names[] = {"mail", "t"}, *const values[] = {"/mail", "/t"};
    const char *const states[] = {"/state", "/appUserName"},
                      *const words[] = {
                          "ACTIVE", "a name that is longer than the first room of a buffer, Ann"};
    (void)state;
    settings.role_pointer = "/role";
    settings.active_values = (struct memberchat_list){words, 2};
    settings.attributes = (struct memberchat_map){names, values, 2};
    for (size_t way = 0; way < 4; way++) {
        settings.state_pointer = states[way & 1];
        bool failed = true;
        for (size_t granted = 0; failed; granted++) {
            short_memory_start(granted, way & 2);
            enum memberchat_outcome outcome =
                rest_answer_read(&settings, span_of(body), span_of("12345"), &services.table,
                                 fake_result_start(&result), &reason);
            failed = short_memory_stop();
            if (failed)
                assert_int_equal(outcome, MEMBERCHAT_UNAVAILABLE);
        }
        enum memberchat_outcome outcome = read_text(body, "12345");
        assert_int_equal(outcome, way & 1 ? MEMBERCHAT_FOUND : MEMBERCHAT_NOT_FOUND);
    }
    assert_string_equal(result.fields[MEMBERCHAT_ROLE], "host");
    assert_string_equal(fake_result_attribute(&result, "t"), "1.5");
}

/* Who is not there is not taken for somebody. */
static void memory_for_the_words_of_absence(void **state)
{
    static const char *const names[] = {"pointer", "value"}, *const values[] = {"/code", "404"};
    static const char body[] = "{\"code\":404,\"appUserId\":\"1\"}";
    bool failed = true;
    (void)state;
    settings.not_found_when = (struct memberchat_map){names, values, 2};
    for (size_t granted = 0; failed; granted++) {
        short_memory_start(granted, false);
        enum memberchat_outcome outcome =
            rest_answer_read(&settings, span_of(body), span_of("1"), &services.table,
                             fake_result_start(&result), &reason);
        failed = short_memory_stop();
        assert_int_equal(outcome, failed ? MEMBERCHAT_UNAVAILABLE : MEMBERCHAT_NOT_FOUND);
    }
}

/* Every beginning of an answer is refused, and every byte that is turned over is
 * no harm. */
static void broken_answers(void **state)
{
    static const char good[] = "{\"appUserId\":\"1\",\"x\":[1.5e3,true,null,{\"y\":\"\\u00e4\"}]}";
    size_t length = sizeof good - 1;
    char bad[sizeof good];
    (void)state;
    for (size_t end = 0; end < length; end++)
        assert_int_equal(read_bytes(good, end, "1"), MEMBERCHAT_MISCONFIGURED);
    for (size_t i = 0; i < length; i++)
        for (unsigned byte = 0; byte < 256; byte++) {
            memcpy(bad, good, sizeof good);
            bad[i] = (char)byte;
            read_bytes(bad, length, "1");
        }
}

static void excerpts(void **state)
{
    static const char odd[] = " \r\n<p>\t\tA\0\x1b[31m \xc3\xbc\x7f";
    char out[REST_EXCERPT_MAX + 1], many[1000];
    (void)state;
    rest_answer_excerpt((struct span){odd, sizeof odd - 1}, out);
    assert_string_equal(out, "<p> A??[31m ???");
    rest_answer_excerpt(SPAN_NONE, out);
    assert_string_equal(out, "");
    memset(many, 'y', sizeof many);
    rest_answer_excerpt((struct span){many, sizeof many}, out);
    assert_int_equal(strlen(out), REST_EXCERPT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_statuses_mean, start, stop),
        cmocka_unit_test_setup_teardown(a_member, start, stop),
        cmocka_unit_test_setup_teardown(memory_that_runs_out_is_unavailable, start, stop),
        cmocka_unit_test_setup_teardown(memory_for_the_words_of_absence, start, stop),
        cmocka_unit_test_setup_teardown(lists_can_be_answers, start, stop),
        cmocka_unit_test_setup_teardown(states, start, stop),
        cmocka_unit_test_setup_teardown(attributes, start, stop),
        cmocka_unit_test_setup_teardown(empty_pointers, start, stop),
        cmocka_unit_test_setup_teardown(what_the_host_refuses, start, stop),
        cmocka_unit_test_setup_teardown(broken_answers, start, stop),
        cmocka_unit_test_setup_teardown(excerpts, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
