/* SPDX-License-Identifier: MIT
 * What is remembered, for how long, and one look-up for a crowd. */
#include "members/cache.h"

#include "base/clock.h"
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE 60000

static struct cache *cache;
static struct member found;

static void make(int64_t size, int64_t ttl_ms, int64_t negative_ttl_ms, int64_t stale_ms)
{
    const struct cache_settings settings = {size, ttl_ms, negative_ttl_ms, stale_ms};
    cache = cache_new(&settings);
    assert_non_null(cache);
}

static int stop(void **state)
{
    (void)state;
    cache_free(cache);
    cache = NULL;
    member_free(&found);
    return 0;
}

/* Leads a look-up to its end. */
static void learn(const char *id, enum memberchat_outcome outcome)
{
    struct member member = {0};
    int64_t retry_after;
    member_set(&member, MEMBERCHAT_ID, span_of(id), &(const char *){NULL});
    assert_int_equal(
        cache_join(cache, span_of(id), clock_monotonic_ms() + MINUTE, &found, &retry_after), 0);
    cache_finish(cache, span_of(id), outcome, &member, 0);
    member_free(&member);
}

static enum memberchat_outcome find_at(const char *id, int64_t now)
{
    return cache_find(cache, span_of(id), now, &found);
}

static void both_answers_are_remembered(void **state)
{
    int64_t now = clock_monotonic_ms();
    (void)state;
    make(100, 10000, 1000, 0);
    assert_int_equal(find_at("a", now), 0);
    learn("a", MEMBERCHAT_FOUND);
    learn("b", MEMBERCHAT_NOT_FOUND);
    learn("c", MEMBERCHAT_UNAVAILABLE);
    learn("d", MEMBERCHAT_MISCONFIGURED);
    assert_int_equal(find_at("a", now), MEMBERCHAT_FOUND);
    expect_span(member_field(&found, MEMBERCHAT_ID), "a");
    assert_int_equal(find_at("b", now), MEMBERCHAT_NOT_FOUND);
    assert_int_equal(find_at("c", now), 0);
    assert_int_equal(find_at("d", now), 0);
    assert_int_equal(find_at("A", now), 0);
    assert_int_equal(cache_find(cache, SPAN("a\0"), now, &found), 0);
    /* not longer than they may, and a tenth shorter at most */
    now = clock_monotonic_ms();
    assert_int_equal(find_at("a", now + 8900), MEMBERCHAT_FOUND);
    assert_int_equal(find_at("a", now + 10001), 0);
    assert_int_equal(find_at("b", now + 800), MEMBERCHAT_NOT_FOUND);
    assert_int_equal(find_at("b", now + 1001), 0);
}

static void what_came_together_expires_apart(void **state)
{
    enum { IDS = 400 };
    int alive[3] = {0};
    char id[16];
    (void)state;
    make(100000, 100000, 1000, 0);
    int64_t now = clock_monotonic_ms();
    for (int i = 0; i < IDS; i++) {
        snprintf(id, sizeof id, "%d", i);
        learn(id, MEMBERCHAT_FOUND);
    }
    for (int i = 0; i < IDS; i++) {
        snprintf(id, sizeof id, "%d", i);
        alive[0] += find_at(id, now + 89900) == MEMBERCHAT_FOUND;
        alive[1] += find_at(id, now + 95000) == MEMBERCHAT_FOUND;
        alive[2] += find_at(id, clock_monotonic_ms() + 100001) == MEMBERCHAT_FOUND;
    }
    assert_int_equal(alive[0], IDS);
    expect(alive[1] > IDS / 4 && alive[1] < 3 * IDS / 4, "%d of %d", alive[1], IDS);
    assert_int_equal(alive[2], 0);
}

static void newer_answers_replace_older_ones(void **state)
{
    (void)state;
    make(100, 1, 1, MINUTE);
    learn("a", MEMBERCHAT_FOUND);
    pause_ms(5);
    learn("a", MEMBERCHAT_NOT_FOUND); /* a member who has gone is not served stale either */
    assert_false(cache_find_stale(cache, SPAN("a"), clock_monotonic_ms(), &found));
    pause_ms(5);
    learn("a", MEMBERCHAT_FOUND);
    assert_true(cache_find_stale(cache, SPAN("a"), clock_monotonic_ms(), &found));
}

static void stale_members(void **state)
{
    (void)state;
    make(100, 1000, 1000, 5000);
    learn("a", MEMBERCHAT_FOUND);
    learn("b", MEMBERCHAT_NOT_FOUND);
    int64_t now = clock_monotonic_ms();
    assert_int_equal(find_at("a", now + 1001), 0);
    assert_true(cache_find_stale(cache, SPAN("a"), now + 5800, &found));
    expect_span(member_field(&found, MEMBERCHAT_ID), "a");
    assert_false(cache_find_stale(cache, SPAN("a"), now + 6001, &found));
    assert_false(cache_find_stale(cache, SPAN("b"), now, &found));
    assert_false(cache_find_stale(cache, SPAN("c"), now, &found));
}

static int count_known(int from, int to, enum memberchat_outcome outcome)
{
    int known = 0;
    char id[16];
    for (int i = from; i < to; i++) {
        snprintf(id, sizeof id, "id%d", i);
        known += find_at(id, clock_monotonic_ms()) == outcome;
    }
    return known;
}

static void learn_many(int from, int to, enum memberchat_outcome outcome)
{
    char id[16];
    for (int i = from; i < to; i++) {
        snprintf(id, sizeof id, "id%d", i);
        learn(id, outcome);
    }
}

static void the_oldest_make_room(void **state)
{
    (void)state;
    make(160, MINUTE, MINUTE, 0);
    learn_many(0, 2000, MEMBERCHAT_FOUND);
    int known = count_known(0, 2000, MEMBERCHAT_FOUND);
    expect(known > 100 && known <= 160, "%d members", known);
    assert_int_equal(count_known(0, 1000, MEMBERCHAT_FOUND), 0);
    assert_true(count_known(1990, 2000, MEMBERCHAT_FOUND) >= 8);
    /* a spray of ids that do not exist displaces no member */
    learn_many(5000, 9000, MEMBERCHAT_NOT_FOUND);
    assert_int_equal(count_known(0, 2000, MEMBERCHAT_FOUND), known);
    assert_true(count_known(5000, 9000, MEMBERCHAT_NOT_FOUND) <= 160);
}

static void format_id(char id[64], int form, int number)
{
    if (form == 0)
        snprintf(id, 64, "%d", number);
    else if (form == 1)
        snprintf(id, 64, "user%04d", number);
    else if (form == 2)
        snprintf(id, 64, "%024x", (unsigned)number);
    else
        snprintf(id, 64, "%d@example.com", number);
}

/* Whatever ids look like, nobody is forgotten while most places are free. */
static void places_are_used_evenly(void **state)
{
    (void)state;
    for (int f = 0; f < 4; f++) {
        char id[64];
        int known = 0;
        make(3200, MINUTE, MINUTE, 0);
        for (int i = 0; i < 1000; i++) {
            format_id(id, f, i);
            learn(id, MEMBERCHAT_FOUND);
        }
        for (int i = 0; i < 1000; i++) {
            format_id(id, f, i);
            known += find_at(id, clock_monotonic_ms()) == MEMBERCHAT_FOUND;
        }
        expect(known == 1000, "form %d: %d of 1000", f, known);
        cache_free(cache);
    }
    cache = NULL;
}

static void what_is_used_stays(void **state)
{
    (void)state;
    make(160, MINUTE, MINUTE, 0);
    learn("favourite", MEMBERCHAT_FOUND);
    for (int i = 0; i < 1000; i++) {
        learn_many(i, i + 1, MEMBERCHAT_FOUND);
        assert_int_equal(find_at("favourite", clock_monotonic_ms()), MEMBERCHAT_FOUND);
    }
}

static void size_zero_keeps_nothing(void **state)
{
    (void)state;
    make(0, MINUTE, MINUTE, MINUTE);
    learn("a", MEMBERCHAT_FOUND);
    learn("b", MEMBERCHAT_NOT_FOUND);
    assert_int_equal(find_at("a", clock_monotonic_ms()), 0);
    assert_int_equal(find_at("b", clock_monotonic_ms()), 0);
    assert_false(cache_find_stale(cache, SPAN("a"), clock_monotonic_ms(), &found));
    cache_free(NULL);
}

/* ---- Crowds ---- */

struct person {
    pthread_t thread;
    const char *id;
    int64_t patience_ms, retry_after_ms;
    enum memberchat_outcome outcome;
    bool right; /* the member is the one that was asked for */
    int64_t waited_ms;
};

static atomic_int waiting;

static void *ask(void *argument)
{
    struct person *person = argument;
    struct member member = {0};
    int64_t begin = clock_monotonic_ms();
    atomic_fetch_add(&waiting, 1);
    person->outcome = cache_join(cache, span_of(person->id), begin + person->patience_ms, &member,
                                 &person->retry_after_ms);
    person->right = span_equal(member_field(&member, MEMBERCHAT_ID), span_of(person->id));
    person->waited_ms = clock_monotonic_ms() - begin;
    member_free(&member);
    return NULL;
}

/* Leads while a crowd asks for the same id; then it ends so. */
static void lead(struct person *crowd, size_t count, enum memberchat_outcome outcome, int64_t retry)
{
    struct member member = {0};
    int64_t retry_after;
    atomic_store(&waiting, 0);
    assert_int_equal(
        cache_join(cache, SPAN("x"), clock_monotonic_ms() + MINUTE, &member, &retry_after), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_create(&crowd[i].thread, NULL, ask, &crowd[i]), 0);
    while (atomic_load(&waiting) < (int)count)
        pause_ms(1);
    pause_ms(20);
    member_set(&member, MEMBERCHAT_ID, SPAN("x"), &(const char *){NULL});
    cache_finish(cache, SPAN("x"), outcome, &member, retry);
    member_free(&member);
    for (size_t i = 0; i < count; i++)
        pthread_join(crowd[i].thread, NULL);
}

static void one_lookup_for_a_crowd(void **state)
{
    static const int64_t sizes[] = {0, 100};
    (void)state;
    for (size_t s = 0; s < COUNT(sizes); s++)
        for (int outcome = MEMBERCHAT_FOUND; outcome <= MEMBERCHAT_MISCONFIGURED; outcome++) {
            struct person crowd[12];
            for (size_t i = 0; i < COUNT(crowd); i++)
                crowd[i] = (struct person){.id = "x", .patience_ms = MINUTE};
            make(sizes[s], MINUTE, MINUTE, 0);
            lead(crowd, COUNT(crowd), (enum memberchat_outcome)outcome, 777);
            for (size_t i = 0; i < COUNT(crowd); i++) {
                assert_int_equal(crowd[i].outcome, outcome);
                assert_int_equal(crowd[i].right, outcome == MEMBERCHAT_FOUND);
                if (outcome == MEMBERCHAT_UNAVAILABLE)
                    assert_int_equal(crowd[i].retry_after_ms, 777);
            }
            cache_free(cache);
        }
    cache = NULL;
}

static void nobody_waits_beyond_the_deadline(void **state)
{
    struct person crowd[] = {{.id = "x", .patience_ms = 30}, {.id = "x", .patience_ms = MINUTE}};
    (void)state;
    make(100, MINUTE, MINUTE, 0);
    struct member member = {0};
    int64_t retry_after;
    atomic_store(&waiting, 0);
    assert_int_equal(
        cache_join(cache, SPAN("x"), clock_monotonic_ms() + MINUTE, &member, &retry_after), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&crowd[i].thread, NULL, ask, &crowd[i]), 0);
    pthread_join(crowd[0].thread, NULL);
    assert_int_equal(crowd[0].outcome, MEMBERCHAT_UNAVAILABLE);
    expect(crowd[0].waited_ms >= 30 && crowd[0].waited_ms < 2000, "%lld",
           (long long)crowd[0].waited_ms);
    member_set(&member, MEMBERCHAT_ID, SPAN("x"), &(const char *){NULL});
    cache_finish(cache, SPAN("x"), MEMBERCHAT_FOUND, &member, 0);
    pthread_join(crowd[1].thread, NULL);
    assert_int_equal(crowd[1].outcome, MEMBERCHAT_FOUND);
    member_free(&member);
}

static atomic_int led;

static void *storm(void *argument)
{
    struct member member = {0};
    unsigned seed = *(unsigned *)argument;
    for (int i = 0; i < 3000; i++) {
        char id[16];
        int64_t retry_after;
        seed = seed * 1103515245 + 12345;
        snprintf(id, sizeof id, "%u", seed >> 16 & 63);
        struct span span = span_of(id);
        if (cache_find(cache, span, clock_monotonic_ms(), &member))
            continue;
        if (cache_join(cache, span, clock_monotonic_ms() + MINUTE, &member, &retry_after))
            continue;
        atomic_fetch_add(&led, 1);
        member_reset(&member);
        member_set(&member, MEMBERCHAT_ID, span, &(const char *){NULL});
        cache_finish(cache, span, seed & 256 ? MEMBERCHAT_FOUND : MEMBERCHAT_NOT_FOUND, &member, 0);
    }
    member_free(&member);
    return NULL;
}

static void many_threads_and_ids(void **state)
{
    pthread_t threads[6];
    unsigned seeds[COUNT(threads)];
    (void)state;
    make(32, 2, 1, 10);
    for (unsigned i = 0; i < COUNT(threads); i++) {
        seeds[i] = i * 7919 + 1;
        assert_int_equal(pthread_create(&threads[i], NULL, storm, &seeds[i]), 0);
    }
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_true(atomic_load(&led) > 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_teardown(function, stop)
    const struct CMUnitTest tests[] = {
        TEST(both_answers_are_remembered),
        TEST(what_came_together_expires_apart),
        TEST(newer_answers_replace_older_ones),
        TEST(stale_members),
        TEST(the_oldest_make_room),
        TEST(places_are_used_evenly),
        TEST(what_is_used_stays),
        TEST(size_zero_keeps_nothing),
        TEST(one_lookup_for_a_crowd),
        TEST(nobody_waits_beyond_the_deadline),
        TEST(many_threads_and_ids),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
