/* SPDX-License-Identifier: MIT
 * Things that are dear to make: how many there are, who gets which, and when they go. */
#include "plugins/rest/pool.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

struct maker {
    atomic_int made, there, most;
    bool fails;
};

struct thing {
    struct maker *maker;
    atomic_bool in_use;
};

static void *make(void *given)
{
    struct maker *maker = given;
    struct thing *thing = maker->fails ? NULL : calloc(1, sizeof *thing);
    if (!thing)
        return NULL;
    thing->maker = maker;
    atomic_fetch_add(&maker->made, 1);
    int now = atomic_fetch_add(&maker->there, 1) + 1;
    if (now > atomic_load(&maker->most))
        atomic_store(&maker->most, now);
    return thing;
}

static void unmake(void *given)
{
    struct thing *thing = given;
    atomic_fetch_sub(&thing->maker->there, 1);
    free(thing);
}

static struct rest_pool *new_pool(struct maker *maker, size_t most)
{
    struct rest_pool *pool = rest_pool_new(most, &(struct rest_pool_kind){make, unmake, maker});
    assert_non_null(pool);
    return pool;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wait_ms(int64_t ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static void the_one_used_last_comes_first(void **state)
{
    struct maker maker = {0};
    struct rest_pool *pool = new_pool(&maker, 3);
    struct rest_loan a, b, c;
    (void)state;
    assert_int_equal(maker.made, 0);
    assert_true(rest_pool_take(pool, 0, &a) && rest_pool_take(pool, 0, &b));
    rest_pool_give(pool, &a);
    rest_pool_give(pool, &b);
    for (int i = 0; i < 5; i++) {
        assert_true(rest_pool_take(pool, 0, &c));
        assert_ptr_equal(c.thing, b.thing);
        rest_pool_give(pool, &c);
    }
    assert_int_equal(maker.made, 2);
    rest_pool_free(pool);
    assert_int_equal(maker.there, 0);
    rest_pool_free(NULL);
}

static void nobody_waits_longer_than_told(void **state)
{
    struct maker maker = {0};
    struct rest_pool *pool = new_pool(&maker, 1);
    struct rest_loan a, b;
    (void)state;
    assert_true(rest_pool_take(pool, 0, &a));
    int64_t begin = now_ms();
    assert_false(rest_pool_take(pool, 50, &b));
    assert_in_range(now_ms() - begin, 49, 500);
    assert_false(rest_pool_take(pool, 0, &b));
    rest_pool_give(pool, &a);
    assert_true(rest_pool_take(pool, 0, &b));
    rest_pool_give(pool, &b);
    rest_pool_free(pool);
}

static void without_memory(void **state)
{
    struct maker maker = {.fails = true};
    struct rest_pool *pool = new_pool(&maker, 1);
    struct rest_loan a;
    (void)state;
    assert_false(rest_pool_take(pool, 0, &a));
    maker.fails = false;
    assert_true(rest_pool_take(pool, 0, &a));
    rest_pool_give(pool, &a);
    rest_pool_free(pool);
}

static void idle_things_go(void **state)
{
    struct maker maker = {0};
    struct rest_pool *pool = new_pool(&maker, 3);
    struct rest_loan a, b;
    (void)state;
    assert_true(rest_pool_take(pool, 0, &a) && rest_pool_take(pool, 0, &b));
    rest_pool_give(pool, &a);
    wait_ms(60);
    rest_pool_give(pool, &b);
    rest_pool_trim(pool, 50);
    assert_int_equal(maker.there, 1);
    assert_true(rest_pool_take(pool, 0, &a));
    assert_ptr_equal(a.thing, b.thing);
    rest_pool_trim(pool, 0); /* not what is in use */
    assert_int_equal(maker.there, 1);
    rest_pool_give(pool, &a);
    rest_pool_trim(pool, 0);
    assert_int_equal(maker.there, 0);
    rest_pool_free(pool);
}

static void everything_is_renewed(void **state)
{
    struct maker maker = {0};
    struct rest_pool *pool = new_pool(&maker, 2);
    struct rest_loan a, b;
    (void)state;
    assert_true(rest_pool_take(pool, 0, &a) && rest_pool_take(pool, 0, &b));
    rest_pool_give(pool, &b);
    rest_pool_renew(pool);
    assert_int_equal(maker.there, 1);
    rest_pool_give(pool, &a); /* old: it is not kept */
    assert_int_equal(maker.there, 0);
    assert_true(rest_pool_take(pool, 0, &a));
    rest_pool_give(pool, &a);
    assert_int_equal(maker.there, 1);
    rest_pool_free(pool);
}

struct crowd {
    struct rest_pool *pool;
    atomic_int taken;
    atomic_bool over;
};

static void *take_often(void *given)
{
    struct crowd *crowd = given;
    for (int i = 0; i < 2000; i++) {
        struct rest_loan loan;
        if (!rest_pool_take(crowd->pool, 5000, &loan))
            continue;
        struct thing *thing = loan.thing;
        if (!atomic_exchange(&thing->in_use, true))
            atomic_fetch_add(&crowd->taken, 1);
        atomic_store(&thing->in_use, false);
        rest_pool_give(crowd->pool, &loan);
    }
    return NULL;
}

static void *tidy_often(void *given)
{
    struct crowd *crowd = given;
    for (int i = 0; !atomic_load(&crowd->over); i++) {
        if (i % 5 == 0)
            rest_pool_renew(crowd->pool);
        rest_pool_trim(crowd->pool, i % 3);
        wait_ms(1);
    }
    return NULL;
}

/* Never more than there may be, never two with the same one, and nobody is forgotten. */
static void many_threads(void **state)
{
    struct maker maker = {0};
    struct crowd crowd = {.pool = new_pool(&maker, 3)};
    pthread_t threads[8], tidier;
    (void)state;
    assert_int_equal(pthread_create(&tidier, NULL, tidy_often, &crowd), 0);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_often, &crowd), 0);
    for (size_t i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&crowd.over, true);
    pthread_join(tidier, NULL);
    assert_int_equal(crowd.taken, 8 * 2000);
    assert_in_range(maker.most, 1, 3);
    rest_pool_free(crowd.pool);
    assert_int_equal(maker.there, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_used_last_comes_first),
        cmocka_unit_test(nobody_waits_longer_than_told),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(idle_things_go),
        cmocka_unit_test(everything_is_renewed),
        cmocka_unit_test(many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
