/* SPDX-License-Identifier: MIT
 * Answers of a store that the host does not believe. */
#include "members/store.h"

#include "store_fixture.h"

#include <stdlib.h>
#include <string.h>

typedef const struct memberchat_services services;
typedef struct memberchat_result result;

static enum memberchat_outcome no_id(services *host, result *out)
{
    host->set(out, MEMBERCHAT_NAME, "Ann", 3);
    return MEMBERCHAT_FOUND;
}

static enum memberchat_outcome null_id(services *host, result *out)
{
    host->set(out, MEMBERCHAT_ID, NULL, 5);
    return MEMBERCHAT_FOUND;
}

static enum memberchat_outcome bad_field(services *host, result *out)
{
    assert_true(host->set(out, MEMBERCHAT_ID, "7", 1));
    assert_false(host->set(out, (enum memberchat_field)17, "x", 1));
    return MEMBERCHAT_FOUND;
}

static void answers_that_are_refused(void **state)
{
    static const struct {
        enum memberchat_outcome (*answer)(services *, result *);
        const char *reason;
    } rows[] = {
        {no_id, "it has no id"},
        {null_id, "it has no id"},
        {bad_field, "a field was set that does not exist"},
    };
    (void)state;
    open_stub();
    stub.odd = true;
    for (size_t i = 0; i < COUNT(rows); i++) {
        stub.answer = rows[i].answer;
        expect(look_up("7") == MEMBERCHAT_MISCONFIGURED, "row %zu was believed", i);
        expect_contains(told.reason, "the answer was refused");
        expect_contains(told.reason, rows[i].reason);
    }
    stub.odd = false; /* nothing of it is left */
    assert_int_equal(look_up("7"), MEMBERCHAT_FOUND);
    assert_string_equal(told.reason, "");
}

static enum memberchat_outcome bad_values(services *host, result *out)
{
    char *text = repeated('x', 5000);
    assert_true(host->set(out, MEMBERCHAT_ID, "7", 1));
    assert_true(host->set(out, MEMBERCHAT_NAME, text, 5000));
    assert_true(host->set(out, MEMBERCHAT_AVATAR, text, 5000));
    assert_true(host->set(out, MEMBERCHAT_ROLE, "a\r\nb", 4));
    assert_true(host->set_attribute(out, "a", 1, NULL, 3));
    assert_true(host->set_attribute(out, NULL, 3, "x", 1));
    assert_true(host->set_attribute(out, "b", 1, text, 5000));
    assert_true(host->set_attribute(out, "c", 1, "good\n", 5));
    free(text);
    return MEMBERCHAT_FOUND;
}

static void what_cannot_be_used_costs_nobody_the_token(void **state)
{
    (void)state;
    open_stub();
    stub.odd = true;
    stub.answer = bad_values;
    stderr_catch();
    for (int i = 0; i < 20; i++)
        assert_int_equal(look_up("7"), MEMBERCHAT_FOUND);
    expect_span(member_field(&member, MEMBERCHAT_AVATAR), NULL);
    expect_span(member_field(&member, MEMBERCHAT_ROLE), NULL);
    assert_int_equal(member_field(&member, MEMBERCHAT_NAME).length, 256);
    expect_span(member_attribute(&member, SPAN("c")), "good");
    assert_int_equal(member.attribute_count, 1);
    const char *log = stderr_caught();
    assert_int_equal(count_of(log, "\n"), 5); /* once a minute each */
    assert_int_equal(count_of(log, "the name is longer than 256 bytes, for the member \"7\""), 1);
    assert_int_equal(count_of(log, " warning: "), 5);
}

static const char *answered_id;

static enum memberchat_outcome other_id(services *host, result *out)
{
    assert_true(host->set(out, MEMBERCHAT_ID, answered_id, strlen(answered_id)));
    return MEMBERCHAT_FOUND;
}

static void only_the_member_who_was_asked_for(void **state)
{
    static const struct {
        const char *asked, *answered;
        bool found;
    } rows[] = {
        {"ann", "ann", true},         {"ann", "ANN", true},     {"Ann", "aNN", true},
        {"042", "42", false},         {"42", "042", false},     {"ann", "bob", false},
        {"ann", "ann ", false},       {"ann", "ann\n", false},  {"\xc3\xa4", "\xc3\x84", false},
        {"k", "\xe2\x84\xaa", false}, {"ann", "a\x01n", false},
    };
    (void)state;
    open_stub();
    stub.odd = true;
    stub.answer = other_id;
    stderr_catch();
    for (size_t i = 0; i < COUNT(rows); i++) {
        answered_id = rows[i].answered;
        expect(look_up(rows[i].asked) == (rows[i].found ? MEMBERCHAT_FOUND : MEMBERCHAT_NOT_FOUND),
               "row %zu", i);
        if (rows[i].found)
            expect_span(member_field(&member, MEMBERCHAT_ID), rows[i].answered);
    }
    const char *log = stderr_caught();
    assert_int_equal(count_of(log, "asked for \"042\", it answered with \"42\""), 1);
    assert_int_equal(count_of(log, "it answered with"), 1); /* once a minute */
}

/* LDAP's caseIgnoreMatch knows more spellings than case. */
static void a_store_can_vouch_for_ids(void **state)
{
    (void)state;
    stub.flags |= MEMBERCHAT_STORE_MATCHES;
    open_stub();
    stub.odd = true;
    stub.answer = other_id;
    answered_id = "a b";
    assert_int_equal(look_up(" A  B "), MEMBERCHAT_FOUND);
    expect_span(member_field(&member, MEMBERCHAT_ID), "a b");
}

static enum memberchat_outcome long_reason(services *host, result *out)
{
    char *text = repeated('r', 2000);
    host->reason(out, "%s", text);
    free(text);
    return MEMBERCHAT_UNAVAILABLE;
}

static enum memberchat_outcome logs_much(services *host, result *out)
{
    char *text = repeated('l', 5000);
    (void)out;
    host->log(host, MEMBERCHAT_LOG_WARNING, "a warning\nwith %s", "two lines");
    host->log(host, (enum memberchat_level)77, "at no level");
    host->log(host, (enum memberchat_level)0, "below all levels");
    host->log(host, MEMBERCHAT_LOG_ERROR, "%s", text);
    host->log(host, MEMBERCHAT_LOG_DEBUG, "not wanted");
    free(text);
    return MEMBERCHAT_NOT_FOUND;
}

static void services_are_bounded(void **state)
{
    (void)state;
    open_stub();
    stub.odd = true;
    stub.answer = long_reason;
    assert_int_equal(look_up("7"), MEMBERCHAT_UNAVAILABLE);
    assert_int_equal(strlen(told.reason), 1000);
    stderr_catch();
    stub.answer = logs_much;
    assert_int_equal(look_up("7"), MEMBERCHAT_NOT_FOUND);
    const char *log = stderr_caught();
    expect_contains(log, "warning: store stubs: a warning\\x0awith two lines\n");
    expect_contains(log, "error: store stubs: at no level\n");
    expect_contains(log, "error: store stubs: below all levels\n");
    expect_contains(log, "store stubs: lllll");
    expect_lacks(log, "not wanted");
}

/* check() and open() describe no member. */
static enum memberchat_outcome probe_outcome(services *host, result *out)
{
    return host->set(out, MEMBERCHAT_ID, "7", 1) && host->set_attribute(out, "a", 1, "b", 1)
               ? MEMBERCHAT_FOUND
               : MEMBERCHAT_NOT_FOUND;
}

static enum memberchat_outcome only_an_attribute(services *host, result *out)
{
    return host->set_attribute(out, "a", 1, "b", 1) ? MEMBERCHAT_FOUND : MEMBERCHAT_NOT_FOUND;
}

static void only_lookups_describe_members(void **state)
{
    struct store_report report;
    (void)state;
    open_stub();
    stub.odd = true;
    stub.answer = probe_outcome;
    assert_int_equal(look_up("7"), MEMBERCHAT_FOUND);
    assert_false(store_check(store, &report));
    stub.answer = only_an_attribute;
    assert_int_equal(look_up("7"), MEMBERCHAT_MISCONFIGURED);
    assert_false(store_check(store, &report));
    stub.odd = false;
    stub.check_fails = true;
    assert_false(store_check(store, &report));
    assert_string_equal(report.reason, "these settings do not fit together");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, store_start, store_stop)
    const struct CMUnitTest tests[] = {
        TEST(answers_that_are_refused),
        TEST(what_cannot_be_used_costs_nobody_the_token),
        TEST(only_the_member_who_was_asked_for),
        TEST(a_store_can_vouch_for_ids),
        TEST(services_are_bounded),
        TEST(only_lookups_describe_members),
    };
    return cmocka_run_group_tests_name("store_answers", tests, NULL, NULL);
}
