/* SPDX-License-Identifier: MIT
 * The host's side of a store: what it offers, and what it does not believe. */
#include "question.h"
#include "members/store.h"

#include "base/clock.h"
#include "host/log.h"
#include "stub_store.h"
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct stub stub;
static struct store *store;
static struct member member;
static struct store_report told;

static int start(void **state)
{
    memset(&stub, 0, sizeof stub);
    stub.flags = MEMBERCHAT_STORE_THREAD_SAFE;
    stub.outcome = MEMBERCHAT_FOUND;
    store = NULL;
    return scratch_start(state);
}

static int stop(void **state)
{
    store_close(store);
    member_free(&member);
    return scratch_stop(state);
}

static void open_stub(void)
{
    store = stub_store(&stub);
    expect(store_open(store, false, &told), "%s", told.reason);
}

static enum memberchat_outcome look_up(const char *id)
{
    memset(&told, 'x', sizeof told);
    return store_lookup(store, QUESTION(span_of(id), 1000), &member, &told);
}

static void life_of_a_store(void **state)
{
    (void)state;
    open_stub();
    assert_string_equal(store_name(store), "stubs");
    assert_false(store_is_local(store));
    assert_int_equal(stub.how, 0);
    assert_int_equal(look_up("7"), MEMBERCHAT_FOUND);
    expect_span(member_field(&member, MEMBERCHAT_ID), "7");
    expect_span(member_field(&member, MEMBERCHAT_NAME), "Stub");
    assert_string_equal(told.reason, "");
    store_reload(store, false);
    assert_int_equal(stub.reloads, 1);
    store_reload(store, true);
    assert_int_equal(stub.reloads, 101);
    assert_int_equal(store_probe(store, clock_monotonic_ms() + 1000, &told), MEMBERCHAT_FOUND);
    store_close(store);
    store = NULL;
    assert_int_equal(stub.closes, 1);
    store_close(NULL);
}

static void what_is_optional_may_lack(void **state)
{
    (void)state;
    stub.flags = MEMBERCHAT_STORE_LOCAL;
    store = stub_store_bare(&stub);
    assert_true(store_is_local(store));
    assert_true(store_check(store, &told));
    assert_true(store_open(store, false, &told));
    store_reload(store, true);
    assert_int_equal(store_probe(store, clock_monotonic_ms() + 1000, &told), MEMBERCHAT_FOUND);
}

/* The app of the question, else the first one that uses the store; the request's id. */
static void a_plugin_learns_for_whom_it_is_asked(void **state)
{
    (void)state;
    stub.names_asker = true;
    open_stub();
    look_up("7");
    expect_span(member_field(&member, MEMBERCHAT_NAME), "/");
    store_note_app(store, "first");
    store_note_app(store, "second");
    log_set_request("r-1");
    look_up("7");
    expect_span(member_field(&member, MEMBERCHAT_NAME), "first/r-1");
    store_lookup(store, QUESTION_OF("second", SPAN("7"), 1000), &member, &told);
    expect_span(member_field(&member, MEMBERCHAT_NAME), "second/r-1");
    log_set_request(NULL);
    look_up("7");
    expect_span(member_field(&member, MEMBERCHAT_NAME), "first/");
}

static void whether_answers_depend_on_the_app(void **state)
{
    (void)state;
    store = stub_store_bare(&stub);
    assert_false(store_is_per_app(store));
    store_close(store);
    store = stub_store(&stub);
    assert_false(store_is_per_app(store));
    stub.per_app = true;
    assert_true(store_is_per_app(store));
}

static void the_four_outcomes(void **state)
{
    (void)state;
    open_stub();
    for (int outcome = MEMBERCHAT_NOT_FOUND; outcome <= MEMBERCHAT_MISCONFIGURED; outcome++) {
        stub.outcome = outcome;
        stub.retry_after_ms = 1500;
        assert_int_equal(look_up("7"), outcome);
        assert_string_equal(told.reason, "as the stub was told");
        assert_int_equal(told.retry_after_ms, 1500);
    }
    stub.retry_after_ms = -5;
    look_up("7");
    assert_int_equal(told.retry_after_ms, 0);
}

static void outcomes_that_do_not_exist(void **state)
{
    static const int outcomes[] = {0, 5, 99, -1, 256, INT32_MIN};
    (void)state;
    open_stub();
    for (size_t i = 0; i < COUNT(outcomes); i++) {
        stub.outcome = outcomes[i];
        assert_int_equal(look_up("7"), MEMBERCHAT_MISCONFIGURED);
        expect_contains(told.reason, "which does not exist");
        assert_int_equal(store_probe(store, clock_monotonic_ms() + 1000, &told),
                         MEMBERCHAT_MISCONFIGURED);
    }
}

/* ---- Answers that are not believed ---- */

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

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        count++;
    return count;
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
    expect_contains(log, "store stubs: lllll");
    expect_lacks(log, "not wanted");
}

/* check() and open() describe no member. */
static enum memberchat_outcome probe_outcome(services *host, result *out)
{
    return host->set(out, MEMBERCHAT_ID, "7", 1) ? MEMBERCHAT_FOUND : MEMBERCHAT_NOT_FOUND;
}

static void only_lookups_describe_members(void **state)
{
    struct store_report report;
    (void)state;
    open_stub();
    stub.odd = true;
    stub.answer = probe_outcome;
    assert_int_equal(look_up("7"), MEMBERCHAT_FOUND);
    stub.check_fails = true;
    assert_false(store_check(store, &report));
    assert_string_equal(report.reason, "these settings do not fit together");
}

static void opening(void **state)
{
    (void)state;
    stub.open_fails = true;
    store = stub_store(&stub);
    assert_false(store_open(store, false, &told));
    assert_string_equal(told.reason, "it does not open");
    store_close(store);

    store = stub_store(&stub); /* for one request */
    stub.open_fails = false;
    assert_true(store_open(store, true, &told));
    assert_int_equal(look_up("7"), MEMBERCHAT_FOUND);
    assert_int_equal(stub.how, MEMBERCHAT_OPEN_ONCE);
    assert_int_equal(look_up("7"), MEMBERCHAT_FOUND);
    assert_int_equal(stub.opens, 1);
}

/* ---- Threads ---- */

static void *many_calls(void *argument)
{
    struct member own = {0};
    struct store_report report;
    (void)argument;
    for (int i = 0; i < 20; i++) {
        enum memberchat_outcome outcome =
            store_lookup(store, QUESTION(SPAN("7"), 10000), &own, &report);
        expect(outcome == MEMBERCHAT_FOUND, "%d: %s", outcome, report.reason);
        store_probe(store, clock_monotonic_ms() + 10000, &report);
        store_reload(store, false);
    }
    member_free(&own);
    return NULL;
}

static void crowd(void)
{
    pthread_t threads[6];
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, many_calls, NULL), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
}

static void one_thread_at_a_time(void **state)
{
    (void)state;
    stub.flags = 0;
    stub.delay_ms = 1;
    open_stub();
    crowd();
    assert_int_equal(stub.most_inside, 1);
    assert_int_equal(stub.lookups, 120);
}

static void many_threads_at_once(void **state)
{
    (void)state;
    stub.delay_ms = 2;
    open_stub();
    crowd();
    assert_true(stub.most_inside > 1);
}

static void *hold(void *argument)
{
    (void)argument;
    struct member own = {0};
    struct store_report report;
    store_lookup(store, QUESTION(SPAN("7"), 10000), &own, &report);
    member_free(&own);
    return NULL;
}

static void the_turn_comes_by_the_deadline(void **state)
{
    pthread_t holder;
    (void)state;
    stub.flags = 0;
    stub.delay_ms = 400;
    open_stub();
    assert_int_equal(pthread_create(&holder, NULL, hold, NULL), 0);
    while (stub.inside == 0)
        sched_yield();
    int64_t begin = clock_monotonic_ms();
    assert_int_equal(store_lookup(store, QUESTION_UNTIL(SPAN("8"), begin + 50), &member, &told),
                     MEMBERCHAT_UNAVAILABLE);
    int64_t took = clock_monotonic_ms() - begin;
    expect(took >= 50 && took < 300, "%lld ms", (long long)took);
    expect_contains(told.reason, "one call at a time");
    pthread_join(holder, NULL);
    assert_int_equal(stub.lookups, 1);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(life_of_a_store),
        TEST(what_is_optional_may_lack),
        TEST(the_four_outcomes),
        TEST(a_plugin_learns_for_whom_it_is_asked),
        TEST(whether_answers_depend_on_the_app),
        TEST(outcomes_that_do_not_exist),
        TEST(answers_that_are_refused),
        TEST(what_cannot_be_used_costs_nobody_the_token),
        TEST(only_the_member_who_was_asked_for),
        TEST(a_store_can_vouch_for_ids),
        TEST(services_are_bounded),
        TEST(only_lookups_describe_members),
        TEST(opening),
        TEST(one_thread_at_a_time),
        TEST(many_threads_at_once),
        TEST(the_turn_comes_by_the_deadline),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
