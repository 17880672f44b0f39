/* SPDX-License-Identifier: MIT */
#include "host/turn.h"

#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define THREADS 64

static atomic_uint with_turn, most, called;
static atomic_bool go_on;

static void settle(void)
{
    usleep(50000);
}

/* Takes turns, and gives them at once. */
static void *pass(void *argument)
{
    (void)argument;
    for (int i = 0; i < 2000; i++) {
        if (!turn_wait())
            return NULL;
        unsigned now = atomic_fetch_add(&with_turn, 1) + 1;
        if (now > atomic_load(&most))
            atomic_store(&most, now);
        atomic_fetch_sub(&with_turn, 1);
        turn_give();
    }
    return NULL;
}

/* Keeps its turn until it may go on; counts how often it is called. */
static void *keep(void *argument)
{
    (void)argument;
    if (!turn_wait()) {
        atomic_fetch_add(&called, 1);
        return NULL;
    }
    atomic_fetch_add(&with_turn, 1);
    while (!atomic_load(&go_on))
        usleep(1000);
    turn_end();
    return NULL;
}

static void start(pthread_t *threads, void *(*run)(void *))
{
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, NULL), 0);
}

static void join(pthread_t *threads)
{
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void one_thread(void **state)
{
    (void)state;
    turn_begin();
    turn_give(); /* of none, nothing happens */
    turn_end();
    assert_int_equal(turn_alive(), turn_count());
    assert_true(turn_wait());
    assert_true(turn_wait());   /* it still has it */
    assert_false(turn_call(1)); /* nobody sleeps */
    assert_true(turn_wait());   /* who has a turn is not called */
    turn_give();
    assert_false(turn_wait()); /* but the next that waits */
    assert_true(turn_wait());
    turn_end();
    assert_int_equal(turn_alive(), turn_count() - 1);
}

static atomic_bool may_give;

static void *give_when_told(void *argument)
{
    (void)argument;
    assert_true(turn_wait());
    while (!atomic_load(&may_give))
        usleep(1000);
    turn_give();
    return NULL;
}

/* Those that sleep are not woken for a turn while somebody waits for connections. */
static void nobody_is_woken_without_need(void **state)
{
    pthread_t givers[THREADS], sleepers[2];
    unsigned others = turn_count() - 1;
    (void)state;
    turn_begin();
    atomic_store(&with_turn, 0);
    atomic_store(&go_on, false);
    assert_true(turn_wait());
    for (unsigned i = 0; i < others; i++)
        assert_int_equal(pthread_create(&givers[i], NULL, give_when_told, NULL), 0);
    settle();
    for (size_t i = 0; i < COUNT(sleepers); i++)
        assert_int_equal(pthread_create(&sleepers[i], NULL, keep, NULL), 0);
    settle();
    turn_idle_begin();
    atomic_store(&may_give, true);
    for (unsigned i = 0; i < others; i++)
        pthread_join(givers[i], NULL);
    settle();
    assert_int_equal(atomic_load(&with_turn), 0);
    turn_idle_end(); /* now nobody does, and one who works is too few for two processors */
    settle();
    assert_int_equal(atomic_load(&with_turn), turn_count() > 3);
    atomic_store(&go_on, true);
    for (size_t i = 0; i < COUNT(sleepers); i++)
        pthread_join(sleepers[i], NULL);
    turn_end();
    assert_int_equal(turn_alive(), turn_count() - 3);
}

static void no_more_than_there_are(void **state)
{
    pthread_t threads[THREADS];
    (void)state;
    turn_begin();
    atomic_store(&with_turn, 0);
    atomic_store(&most, 0);
    start(threads, pass);
    join(threads); /* all had theirs: nobody was forgotten */
    assert_in_range(atomic_load(&most), 1, turn_count());
    assert_int_equal(turn_alive(), turn_count());
}

static void those_that_wait_are_called(void **state)
{
    pthread_t threads[THREADS];
    unsigned rest = THREADS - turn_count();
    (void)state;
    assert_true(turn_count() < THREADS - 2);
    turn_begin();
    atomic_store(&with_turn, 0);
    atomic_store(&called, 0);
    atomic_store(&go_on, false);
    start(threads, keep);
    settle();
    assert_int_equal(atomic_load(&with_turn), turn_count());
    assert_true(turn_call(2));
    settle();
    assert_int_equal(atomic_load(&called), 2);
    atomic_store(&go_on, true);
    settle();
    assert_int_equal(turn_alive(), 0);
    assert_int_equal(atomic_load(&called), 2); /* turns that ended wake nobody */
    turn_call(rest - 2);
    join(threads);
    assert_int_equal(atomic_load(&called), rest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread),
        cmocka_unit_test(nobody_is_woken_without_need),
        cmocka_unit_test(no_more_than_there_are),
        cmocka_unit_test(those_that_wait_are_called),
    };
    return cmocka_run_group_tests_name("turn", tests, NULL, NULL);
}
