/* SPDX-License-Identifier: MIT
 * The pool: bounds, waiting, and what becomes of old, idle and dead things. */
#include "base/pool.h"

#include "base/clock.h"
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_int made, unmade, inspected;
static bool refuse, bad;
static void (*meanwhile)(void); /* called by is_good() */
static struct pool *pool;

static void *make(void *context, int64_t deadline, void *why)
{
    (void)context;
    (void)deadline;
    if (refuse)
        *(const char **)why = "refused";
    else
        atomic_fetch_add(&made, 1);
    return refuse ? NULL : malloc(1);
}

static bool is_good(void *context, const void *thing)
{
    (void)context;
    (void)thing;
    atomic_fetch_add(&inspected, 1);
    if (meanwhile)
        meanwhile();
    return !bad;
}

static void unmake(void *context, void *thing)
{
    (void)context;
    free(thing);
    atomic_fetch_add(&unmade, 1);
}

static struct pool_kind kind(size_t most)
{
    return (struct pool_kind){.make = make, .is_good = is_good, .unmake = unmake, .most = most};
}

static void begin(const struct pool_kind *of)
{
    made = unmade = inspected = 0;
    refuse = bad = false;
    meanwhile = NULL;
    pool = pool_new(of);
    assert_non_null(pool);
}

static void end(void)
{
    pool_free(pool);
    assert_int_equal(made, unmade);
}

static int64_t in(int64_t ms)
{
    return clock_monotonic_ms() + ms;
}

static struct pool_loan *take(void)
{
    struct pool_loan *loan;
    const char *why = NULL;
    assert_int_equal(pool_take(pool, in(1000), &why, &loan), POOL_GOOD);
    return loan;
}

static void things_are_used_again_the_last_one_first(void **state)
{
    const struct pool_kind of = kind(0);
    (void)state;
    begin(&of);
    struct pool_loan *a = take(), *b = take();
    void *last = b->thing;
    assert_false(a->reused || b->reused);
    pool_give(pool, a, true);
    pool_give(pool, b, true);
    a = take();
    assert_ptr_equal(a->thing, last);
    assert_true(a->reused);
    assert_int_equal(made, 2);
    pool_give(pool, a, false);
    assert_int_equal(unmade, 1);
    end();
}

static void busy_at_the_deadline(void **state)
{
    const struct pool_kind of = kind(1);
    struct pool_loan *loan = NULL, *none;
    (void)state;
    begin(&of);
    loan = take();
    int64_t began = clock_monotonic_ms();
    assert_int_equal(pool_take(pool, in(50), NULL, &none), POOL_BUSY);
    assert_in_range(clock_monotonic_ms() - began, 45, limit_ms(1000));
    assert_int_equal(pool_take(pool, in(-50), NULL, &none), POOL_BUSY);
    assert_null(none);
    pool_give(pool, loan, true);
    assert_int_equal(pool_take(pool, in(-50), NULL, &loan), POOL_GOOD); /* one idles */
    pool_give(pool, loan, true);
    end();
}

static atomic_int together, most_together;

static void *borrow(void *rounds)
{
    for (int i = 0; i < *(int *)rounds; i++) {
        struct pool_loan *loan;
        const char *why;
        if (pool_take(pool, in(20000), &why, &loan) != POOL_GOOD)
            return NULL;
        int now = atomic_fetch_add(&together, 1) + 1, before = atomic_load(&most_together);
        while (now > before && !atomic_compare_exchange_weak(&most_together, &before, now))
            continue;
        if (i % 7 == 0)
            pool_trim(pool);
        if (i % 31 == 0)
            pool_flush(pool);
        atomic_fetch_sub(&together, 1);
        pool_give(pool, loan, i % 3 != 0);
    }
    return rounds;
}

static void never_more_than_the_most(void **state)
{
    const struct pool_kind of = kind(3);
    pthread_t threads[8];
    int rounds = 400;
    (void)state;
    begin(&of);
    together = most_together = 0;
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, borrow, &rounds), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_non_null(good); /* everybody got one each time */
    }
    assert_in_range(most_together, 1, 3);
    end();
}

static void flush_unmakes_what_idles_and_what_comes_back(void **state)
{
    const struct pool_kind of = kind(0);
    (void)state;
    begin(&of);
    struct pool_loan *idle = take(), *used = take();
    pool_give(pool, idle, true);
    pool_flush(pool);
    assert_int_equal(unmade, 1);
    pool_give(pool, used, true);
    assert_int_equal(unmade, 2);
    struct pool_loan *fresh = take();
    assert_false(fresh->reused);
    pool_give(pool, fresh, true);
    end();
}

static void flush_once(void)
{
    meanwhile = NULL;
    pool_flush(pool);
}

/* What the trim holds in its hands is of before the flush, too. */
static void flush_during_a_trim(void **state)
{
    const struct pool_kind of = kind(2);
    (void)state;
    begin(&of);
    struct pool_loan *a = take(), *b = take();
    pool_give(pool, a, true);
    pool_give(pool, b, true);
    pause_ms(POOL_BELIEVED_MS + 1);
    meanwhile = flush_once;
    pool_trim(pool);
    assert_int_equal(unmade, 2);
    a = take();
    assert_false(a->reused);
    pool_give(pool, a, true);
    end();
}

static struct pool_loan *lent;

static void give_once(void)
{
    meanwhile = NULL;
    pool_give(pool, lent, true);
}

/* What was used last comes first. */
static void given_during_a_trim(void **state)
{
    const struct pool_kind of = kind(0);
    (void)state;
    begin(&of);
    struct pool_loan *a = take(), *b = take();
    void *older = a->thing, *newer = b->thing;
    pool_give(pool, a, true);
    pause_ms(POOL_BELIEVED_MS + 1);
    lent = b;
    meanwhile = give_once;
    pool_trim(pool);
    b = take();
    a = take();
    assert_ptr_equal(b->thing, newer);
    assert_ptr_equal(a->thing, older);
    pool_give(pool, a, true);
    pool_give(pool, b, true);
    end();
}

static void of_many_that_find_it_dead_one_flushes(void **state)
{
    const struct pool_kind of = kind(0);
    (void)state;
    begin(&of);
    struct pool_loan *a = take(), *b = take();
    pool_flush_before(pool, a);
    struct pool_loan *fresh = take();
    pool_give(pool, fresh, true);
    pool_flush_before(pool, b);
    assert_int_equal(unmade, 0); /* the fresh one stays */
    pool_give(pool, a, false);
    pool_give(pool, b, false);
    end();
}

static void idle_and_old_things_go(void **state)
{
    struct pool_kind of = kind(0);
    (void)state;
    of.idle_ms = 60;
    begin(&of);
    pool_give(pool, take(), true);
    pool_trim(pool);
    assert_int_equal(unmade, 0);
    pause_ms(80);
    pool_trim(pool);
    assert_int_equal(unmade, 1);
    end();

    of.idle_ms = 0;
    of.life_ms = 100; /* sooner or later by a tenth */
    begin(&of);
    for (int i = 0; i < 3; i++) {
        pool_give(pool, take(), true);
        pause_ms(50);
    }
    assert_int_equal(made, 2); /* used all the time, and too old for the third */
    end();
}

static void dead_things_are_passed_over(void **state)
{
    const struct pool_kind of = kind(0);
    (void)state;
    begin(&of);
    struct pool_loan *a = take(), *b = take();
    pool_give(pool, a, true);
    pool_give(pool, b, true);
    bad = true;
    a = take(); /* it was good a moment ago */
    assert_true(a->reused);
    pool_give(pool, a, true);
    pause_ms(POOL_BELIEVED_MS + 1);
    assert_null(pool_take_idle(pool));
    assert_int_equal(unmade, 2);
    end();
}

static void failure_to_make_leaves_room(void **state)
{
    const struct pool_kind of = kind(1);
    const char *why = NULL;
    struct pool_loan *loan;
    (void)state;
    begin(&of);
    refuse = true;
    for (int i = 0; i < 3; i++)
        assert_int_equal(pool_take(pool, in(1000), &why, &loan), POOL_FAILED);
    assert_string_equal(why, "refused");
    assert_null(loan);
    refuse = false;
    pool_give(pool, take(), true);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(things_are_used_again_the_last_one_first),
        cmocka_unit_test(busy_at_the_deadline),
        cmocka_unit_test(never_more_than_the_most),
        cmocka_unit_test(flush_unmakes_what_idles_and_what_comes_back),
        cmocka_unit_test(flush_during_a_trim),
        cmocka_unit_test(given_during_a_trim),
        cmocka_unit_test(of_many_that_find_it_dead_one_flushes),
        cmocka_unit_test(idle_and_old_things_go),
        cmocka_unit_test(dead_things_are_passed_over),
        cmocka_unit_test(failure_to_make_leaves_room),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
