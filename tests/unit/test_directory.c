/* SPDX-License-Identifier: MIT
 * The policy around stores: chains, cache, breaker, deadlines. */
#include "members/directory.h"

#include "base/clock.h"
#include "question.h"
#include "stub_store.h"
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct stub stubs[3];
static struct directory *chain[3];
static struct member member;

static int start(void **state)
{
    memset(stubs, 0, sizeof stubs);
    memset(chain, 0, sizeof chain);
    for (size_t i = 0; i < COUNT(stubs); i++)
        stubs[i].flags = MEMBERCHAT_STORE_THREAD_SAFE;
    log_configure("stderr", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    int rc = scratch_start(state);
    stderr_catch();
    return rc;
}

static int stop(void **state)
{
    for (size_t i = 0; i < COUNT(stubs); i++) {
        directory_release(chain[i]);
        expect(stubs[i].opens == stubs[i].closes, "stub %zu is not closed", i);
    }
    member_free(&member);
    return scratch_stop(state);
}

static const struct cache_settings minute = {1000, 60000, 60000, 60000},
                                   moment = {1000, 1, 1, 60000};
static const struct breaker_settings never = {0, 1000, 1000}, twice = {2, 300, 1000};

static void make(size_t i, enum memberchat_outcome outcome, const struct cache_settings *cache,
                 const struct breaker_settings *breaker)
{
    struct store_report told;
    stubs[i].outcome = (int)outcome;
    struct store *store = stub_store(&stubs[i]);
    assert_true(store_open(store, false, &told));
    chain[i] = directory_new(store, cache, breaker);
    assert_non_null(chain[i]);
}

static struct directory_answer find(size_t count, const char *id)
{
    return directory_find(chain, count, QUESTION(span_of(id), 2000), &member);
}

/* What is remembered for one app is not given to another, where that matters. */
static void apps_do_not_share_answers(void **state)
{
    (void)state;
    for (int per_app = 0; per_app < 2; per_app++) {
        size_t i = (size_t)per_app;
        stubs[i].per_app = per_app;
        stubs[i].names_asker = true;
        make(i, MEMBERCHAT_FOUND, &minute, &never);
        for (int round = 0; round < 3; round++)
            for (int app = 0; app < 2; app++) {
                struct directory_answer answer = directory_find(
                    &chain[i], 1, QUESTION_OF(app ? "b" : "a", SPAN("7"), 2000), &member);
                assert_int_equal(answer.outcome, MEMBERCHAT_FOUND);
                expect_span(member_field(&member, MEMBERCHAT_ID), "7");
                expect_span(member_field(&member, MEMBERCHAT_NAME), app && per_app ? "b/" : "a/");
            }
        assert_int_equal(stubs[i].lookups, per_app ? 2 : 1);
    }
}

static void chains_are_asked_in_order(void **state)
{
    enum {
        N = MEMBERCHAT_NOT_FOUND,
        F = MEMBERCHAT_FOUND,
        U = MEMBERCHAT_UNAVAILABLE,
        M = MEMBERCHAT_MISCONFIGURED
    };
    static const struct {
        int outcomes[3];
        int asked[3]; /* how many look-ups each gets */
        int outcome;
    } rows[] = {
        {{F, F, F}, {1, 0, 0}, F},  {{N, F, F}, {1, 1, 0}, F}, {{N, N, F}, {1, 1, 1}, F},
        {{N, N, N}, {1, 1, 1}, N},  {{U, F, F}, {1, 0, 0}, U}, /* down ends the chain */
        {{N, U, F}, {1, 1, 0}, U},  {{M, F, F}, {1, 0, 0}, M}, {{N, M, F}, {1, 1, 0}, M},
        {{N, 77, F}, {1, 1, 0}, M},
    };
    (void)state;
    for (size_t i = 0; i < 3; i++)
        make(i, MEMBERCHAT_FOUND, NULL, &never);
    for (size_t r = 0; r < COUNT(rows); r++) {
        for (size_t i = 0; i < 3; i++) {
            stubs[i].outcome = rows[r].outcomes[i];
            stubs[i].lookups = 0;
        }
        struct directory_answer answer = find(3, "7");
        expect(answer.outcome == rows[r].outcome, "row %zu: %d", r, answer.outcome);
        for (size_t i = 0; i < 3; i++)
            expect(stubs[i].lookups == rows[r].asked[i], "row %zu: store %zu", r, i);
    }
    assert_int_equal(find(0, "7").outcome, MEMBERCHAT_NOT_FOUND);
}

static void answers_are_remembered(void **state)
{
    (void)state;
    make(0, MEMBERCHAT_FOUND, &minute, &never);
    for (int i = 0; i < 3; i++) {
        member_reset(&member);
        assert_int_equal(find(1, "7").outcome, MEMBERCHAT_FOUND);
        expect_span(member_field(&member, MEMBERCHAT_ID), "7");
        expect_span(member_field(&member, MEMBERCHAT_NAME), "Stub");
    }
    assert_int_equal(stubs[0].lookups, 1);
    stubs[0].outcome = MEMBERCHAT_NOT_FOUND;
    assert_int_equal(find(1, "8").outcome, MEMBERCHAT_NOT_FOUND);
    assert_int_equal(find(1, "8").outcome, MEMBERCHAT_NOT_FOUND);
    assert_int_equal(stubs[0].lookups, 2);
    stubs[0].outcome = MEMBERCHAT_MISCONFIGURED; /* a known member goes on */
    assert_int_equal(find(1, "7").outcome, MEMBERCHAT_FOUND);
    assert_int_equal(find(1, "9").outcome, MEMBERCHAT_MISCONFIGURED);
    assert_int_equal(find(1, "9").outcome, MEMBERCHAT_MISCONFIGURED);
    assert_int_equal(stubs[0].lookups, 4);
}

static void stale_only_while_unavailable(void **state)
{
    (void)state;
    make(0, MEMBERCHAT_FOUND, &moment, &never);
    assert_int_equal(find(1, "7").outcome, MEMBERCHAT_FOUND);
    pause_ms(5);
    stubs[0].outcome = MEMBERCHAT_UNAVAILABLE;
    stubs[0].retry_after_ms = 1234;
    assert_int_equal(find(1, "7").outcome, MEMBERCHAT_FOUND);
    expect_span(member_field(&member, MEMBERCHAT_ID), "7");
    assert_int_equal(find(1, "8").outcome, MEMBERCHAT_UNAVAILABLE);
    assert_int_equal(find(1, "8").retry_after_ms, 1234);
    stubs[0].outcome = MEMBERCHAT_MISCONFIGURED;
    assert_int_equal(find(1, "7").outcome, MEMBERCHAT_MISCONFIGURED);
    stubs[0].outcome = MEMBERCHAT_NOT_FOUND; /* has gone, and is forgotten */
    assert_int_equal(find(1, "7").outcome, MEMBERCHAT_NOT_FOUND);
    pause_ms(5);
    stubs[0].outcome = MEMBERCHAT_UNAVAILABLE;
    assert_int_equal(find(1, "7").outcome, MEMBERCHAT_UNAVAILABLE);
    expect_contains(stderr_caught(), "known members are answered from the cache");
}

static void a_store_that_is_down_is_left_alone(void **state)
{
    (void)state;
    make(0, MEMBERCHAT_UNAVAILABLE, NULL, &twice);
    for (int i = 0; i < 5; i++)
        assert_int_equal(find(1, "7").outcome, MEMBERCHAT_UNAVAILABLE);
    assert_int_equal(stubs[0].lookups, 2);
    int64_t wait = find(1, "7").retry_after_ms;
    expect(wait > 0 && wait <= 300, "%lld", (long long)wait);
    pause_ms(320);
    stubs[0].outcome = MEMBERCHAT_FOUND;
    assert_int_equal(find(1, "7").outcome, MEMBERCHAT_FOUND);
    assert_int_equal(find(1, "8").outcome, MEMBERCHAT_FOUND);
    const char *log = stderr_caught();
    expect_contains(log, "warning: store stubs: does not answer (as the stub was told)");
    expect_contains(log, "info: store stubs: answers again");
}

static enum memberchat_outcome refuse(const struct memberchat_services *services,
                                      struct memberchat_result *result)
{
    services->reason(result, "wrong password");
    return MEMBERCHAT_MISCONFIGURED;
}

/* Not there, and a password that is wrong, are answers: the store is up. */
static void only_silence_counts_as_failure(void **state)
{
    (void)state;
    make(0, MEMBERCHAT_NOT_FOUND, NULL, &twice);
    for (int i = 0; i < 5; i++)
        find(1, "7");
    stubs[0].answer = refuse;
    stubs[0].odd = true;
    for (int i = 0; i < 5; i++)
        assert_int_equal(find(1, "7").outcome, MEMBERCHAT_MISCONFIGURED);
    assert_int_equal(stubs[0].lookups, 10);
    const char *log = stderr_caught(), *line = "error: store stubs: misconfigured: wrong password";
    expect_contains(log, line);
    expect_lacks(strstr(log, line) + 1, line); /* once a minute */
}

/* A table of wishes to come back later, which a broken store may say. */
static void absurd_wishes_do_no_harm(void **state)
{
    static const int64_t wishes[] = {INT64_MAX, INT64_MIN, -1, 0, 1LL << 62};
    (void)state;
    make(0, MEMBERCHAT_UNAVAILABLE, NULL, &never);
    for (size_t i = 0; i < COUNT(wishes); i++) {
        stubs[0].retry_after_ms = wishes[i];
        struct directory_answer answer = find(1, "7");
        assert_int_equal(answer.outcome, MEMBERCHAT_UNAVAILABLE);
        assert_true(answer.retry_after_ms >= 0);
    }
}

static void deadlines_are_kept(void **state)
{
    (void)state;
    make(0, MEMBERCHAT_NOT_FOUND, NULL, &never);
    make(1, MEMBERCHAT_FOUND, NULL, &never);
    stubs[0].delay_ms = 60;
    stubs[1].delay_ms = 5000;
    int64_t begin = clock_monotonic_ms();
    struct directory_answer answer =
        directory_find(chain, 2, QUESTION_UNTIL(SPAN("7"), begin + 150), &member);
    int64_t took = clock_monotonic_ms() - begin;
    assert_int_equal(answer.outcome, MEMBERCHAT_UNAVAILABLE);
    expect(took >= 140 && took < limit_ms(1000), "%lld ms", (long long)took);
    /* the time is over before anybody is asked */
    stubs[0].lookups = stubs[1].lookups = 0;
    answer = directory_find(chain, 2, QUESTION(SPAN("7"), -1), &member);
    assert_int_equal(answer.outcome, MEMBERCHAT_UNAVAILABLE);
    assert_int_equal(stubs[0].lookups + stubs[1].lookups, 0);
}

struct asker {
    pthread_t thread;
    struct directory_answer answer;
};

static void *ask(void *argument)
{
    struct asker *asker = argument;
    struct member own = {0};
    asker->answer = directory_find(chain, 1, QUESTION(SPAN("7"), 10000), &own);
    expect(asker->answer.outcome != MEMBERCHAT_FOUND ||
               member_field(&own, MEMBERCHAT_ID).length == 1,
           "a member without id");
    member_free(&own);
    return NULL;
}

static void ask_all(struct asker *askers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
}

static void join_all(struct asker *askers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pthread_join(askers[i].thread, NULL);
}

static void a_crowd_shares_one_lookup(void **state)
{
    struct asker askers[8];
    (void)state;
    make(0, MEMBERCHAT_FOUND, &minute, &never);
    stubs[0].delay_ms = 100;
    ask_all(askers, COUNT(askers));
    join_all(askers, COUNT(askers));
    for (size_t i = 0; i < COUNT(askers); i++)
        assert_int_equal(askers[i].answer.outcome, MEMBERCHAT_FOUND);
    assert_int_equal(stubs[0].lookups, 1);
}

static int inside;
static bool only_near;

static bool enter(struct gate *gate, bool near)
{
    (void)gate;
    inside += only_near && near;
    return only_near && near;
}

static void leave(struct gate *gate)
{
    (void)gate;
    inside--;
}

static struct gate gate = {enter, leave};

static struct store_question gated(int64_t ms)
{
    struct store_question question = *QUESTION(SPAN("8"), ms);
    question.gate = &gate;
    return question;
}

/* A thread that may not wait for a network is told so; local stores do not count. */
static void threads_that_may_not_wait(void **state)
{
    struct store_question question = gated(1000), late = gated(-1);
    int64_t now = clock_monotonic_ms();
    (void)state;
    make(0, MEMBERCHAT_FOUND, &minute, &never);
    assert_int_equal(directory_find(chain, 1, &question, &member).outcome, DIRECTORY_BUSY);
    assert_int_equal(directory_probe(chain[0], now + 1000, 0, &gate, 8).outcome, DIRECTORY_BUSY);
    /* what has no time left gets an answer instead of another wait */
    assert_int_equal(directory_find(chain, 1, &late, &member).outcome, MEMBERCHAT_UNAVAILABLE);
    assert_int_equal(directory_probe(chain[0], now, 0, &gate, 8).outcome, MEMBERCHAT_UNAVAILABLE);
    assert_int_equal(stubs[0].lookups + stubs[0].probes, 0);
    assert_int_equal(find(1, "8").outcome, MEMBERCHAT_FOUND); /* which the cache remembers */
    assert_int_equal(directory_find(chain, 1, &question, &member).outcome, MEMBERCHAT_FOUND);
    stubs[1].flags = MEMBERCHAT_STORE_LOCAL;
    make(1, MEMBERCHAT_FOUND, NULL, &never);
    question = gated(1000);
    assert_int_equal(directory_find(chain + 1, 1, &question, &member).outcome, MEMBERCHAT_FOUND);
    assert_int_equal(directory_probe(chain[1], now + 1000, 0, &gate, 8).outcome, MEMBERCHAT_FOUND);
}

/* The gate is told whether answers come at once; a single late one does not count. */
static void gates_of_near_stores(void **state)
{
    struct store_question question = gated(1000);
    (void)state;
    only_near = true;
    make(0, MEMBERCHAT_FOUND, NULL, &never);
    assert_int_equal(directory_find(chain, 1, &question, &member).outcome, DIRECTORY_BUSY);
    for (int tries = 0; tries < 50; tries++) /* a busy machine may be slow */
        assert_int_equal(find(1, "7").outcome, MEMBERCHAT_FOUND);
    stubs[0].delay_ms = 5;
    assert_int_equal(find(1, "7").outcome, MEMBERCHAT_FOUND);
    assert_int_equal(directory_find(chain, 1, &question, &member).outcome, MEMBERCHAT_FOUND);
    pause_ms(260);
    assert_int_equal(find(1, "7").outcome, MEMBERCHAT_FOUND);
    assert_int_equal(directory_find(chain, 1, &question, &member).outcome, DIRECTORY_BUSY);
    assert_int_equal(inside, 0);
    only_near = false;
}

static void the_last_holder_closes(void **state)
{
    (void)state;
    make(0, MEMBERCHAT_FOUND, NULL, &never);
    assert_string_equal(store_name(directory_store(chain[0])), "stubs");
    assert_ptr_equal(directory_hold(chain[0]), chain[0]);
    directory_release(chain[0]);
    assert_int_equal(stubs[0].closes, 0);
    assert_int_equal(find(1, "7").outcome, MEMBERCHAT_FOUND);
    directory_release(NULL);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(chains_are_asked_in_order),
        TEST(apps_do_not_share_answers),
        TEST(answers_are_remembered),
        TEST(stale_only_while_unavailable),
        TEST(a_store_that_is_down_is_left_alone),
        TEST(only_silence_counts_as_failure),
        TEST(absurd_wishes_do_no_harm),
        TEST(deadlines_are_kept),
        TEST(a_crowd_shares_one_lookup),
        TEST(threads_that_may_not_wait),
        TEST(gates_of_near_stores),
        TEST(the_last_holder_closes),
    };
    return cmocka_run_group_tests_name("directory", tests, NULL, NULL);
}
