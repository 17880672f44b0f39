/* SPDX-License-Identifier: MIT
 * The host's side of a store: what it offers. */
#include "question.h"
#include "members/store.h"

#include "base/clock.h"
#include "host/log.h"
#include "store_fixture.h"

#include <pthread.h>

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
    assert_true(store_open(store, 0, &told));
    assert_false(store_is_per_app(store));
    for (int per_app = 0; per_app < 2; per_app++) {
        store_close(store);
        stub.per_app = per_app;
        open_stub();
        assert_int_equal(store_is_per_app(store), per_app);
    }
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

static void opening(void **state)
{
    (void)state;
    stub.open_fails = true;
    store = stub_store(&stub);
    assert_false(store_open(store, false, &told));
    assert_string_equal(told.reason, "it does not open");
    stub.silent = true;
    assert_false(store_open(store, false, &told));
    expect_contains(told.reason, "refused to open, without a reason");
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
    expect(took >= 50 && took < limit_ms(300), "%lld ms", (long long)took);
    expect_contains(told.reason, "one call at a time");
    assert_int_equal(store_probe(store, clock_monotonic_ms() + 10, &told), MEMBERCHAT_UNAVAILABLE);
    pthread_join(holder, NULL);
    assert_int_equal(stub.lookups, 1);
    assert_int_equal(stub.probes, 0);
}

/* A reload waits for its turn, and gives up after a while. */
static void a_reload_gives_up(void **state)
{
    pthread_t holder;
    (void)state;
    stub.flags = 0;
    stub.delay_ms = 1500;
    open_stub();
    assert_int_equal(pthread_create(&holder, NULL, hold, NULL), 0);
    while (stub.inside == 0)
        sched_yield();
    store_reload(store, true);
    assert_int_equal(stub.reloads, 0);
    pthread_join(holder, NULL);
    store_reload(store, true);
    assert_int_equal(stub.reloads, 100);
}

static void what_stores_want(void **state)
{
    struct store *other = stub_store(&stub);
    (void)state;
    open_stub();
    assert_true(store_wants_same(store, other));
    assert_true(store_want(store, SPAN("a")));
    assert_false(store_wants_same(store, other));
    assert_true(store_want(other, SPAN("b")));
    assert_false(store_wants_same(store, other));
    assert_true(store_want(store, SPAN("b")) && store_want(other, SPAN("a")));
    assert_true(store_wants_same(store, other));
    store_close(other);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, store_start, store_stop)
    const struct CMUnitTest tests[] = {
        TEST(life_of_a_store),
        TEST(what_is_optional_may_lack),
        TEST(the_four_outcomes),
        TEST(a_plugin_learns_for_whom_it_is_asked),
        TEST(whether_answers_depend_on_the_app),
        TEST(outcomes_that_do_not_exist),
        TEST(opening),
        TEST(one_thread_at_a_time),
        TEST(many_threads_at_once),
        TEST(the_turn_comes_by_the_deadline),
        TEST(a_reload_gives_up),
        TEST(what_stores_want),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
