/* SPDX-License-Identifier: MIT
 * Passwords that were refused are not tried again and again. */
#include "base/guard.h"

#include "fake_network.h"
#include "support.h"

#include <pthread.h>

static int start(void **state)
{
    (void)state;
    fake_network_start();
    return 0;
}

static const struct span one = {"one", 3}, two = {"two", 3};
static const struct reason refusal = {"refused"};

static void refuse(struct guard *guard)
{
    struct reason why = refusal;
    assert_int_equal(guard_enter(guard, one, within(1000), &why), GUARD_OPEN);
    guard_leave(guard, one, GUARD_REFUSED, &why);
}

static void refused_passwords_are_held(void **state)
{
    struct guard *guard = guard_new();
    struct reason why;
    (void)state;
    refuse(guard);
    assert_false(guard_allows(guard, one, &why));
    assert_int_equal(guard_enter(guard, one, within(1000), &why), GUARD_HELD);
    assert_string_equal(why.text, "refused; not tried again for 1 s");
    assert_true(guard_allows(guard, two, &why));
    guard_free(guard);
}

/* Each time, it is tried again after `seconds` and not before. */
static void is_held_for(struct guard *guard, int seconds)
{
    struct reason why;
    refuse(guard);
    atomic_fetch_add(&forward_ms, seconds * 1000 - 500);
    assert_false(guard_allows(guard, one, &why));
    atomic_fetch_add(&forward_ms, 500);
    assert_true(guard_allows(guard, one, &why));
}

static void held_longer_each_time(void **state)
{
    struct guard *guard = guard_new();
    struct reason why = refusal;
    (void)state;
    is_held_for(guard, 1);
    is_held_for(guard, 4);
    is_held_for(guard, 16);
    is_held_for(guard, 30);
    is_held_for(guard, 30);
    assert_int_equal(guard_enter(guard, two, within(1000), &why), GUARD_OPEN);
    guard_leave(guard, two, GUARD_REFUSED, &why); /* another one begins again */
    is_held_for(guard, 1);
    is_held_for(guard, 4);
    assert_int_equal(guard_enter(guard, one, within(1000), &why), GUARD_OPEN);
    guard_leave(guard, one, GUARD_WORKED, &why); /* so does one that worked */
    atomic_fetch_add(&forward_ms, 10000);
    is_held_for(guard, 1);
    guard_free(guard);
}

static void attempts_at_once_count_as_one(void **state)
{
    struct guard *guard = guard_new();
    struct reason why;
    (void)state;
    assert_int_equal(guard_enter(guard, one, within(1000), &why), GUARD_OPEN);
    guard_leave(guard, one, GUARD_WORKED, &why);
    for (int i = 0; i < 4; i++)
        assert_int_equal(guard_enter(guard, one, within(1000), &why), GUARD_OPEN);
    for (int i = 0; i < 4; i++) {
        why = refusal;
        guard_leave(guard, one, GUARD_REFUSED, &why);
        assert_string_equal(why.text, "refused; not tried again for 1 s");
    }
    guard_free(guard);
}

static void forgiven_at_once(void **state)
{
    struct guard *guard = guard_new();
    struct reason why;
    (void)state;
    refuse(guard);
    guard_forgive(guard);
    assert_true(guard_allows(guard, one, &why));
    guard_free(guard);
}

static struct guard *shared;
static atomic_int tried;
static pthread_barrier_t begun; /* nobody comes so late that the refusal is over */
static enum guard_end every_end;

static void *try_to_bind(void *argument)
{
    struct reason why = refusal;
    pthread_barrier_wait(&begun);
    if (guard_enter(shared, one, within(5000), &why) == GUARD_OPEN) {
        atomic_fetch_add(&tried, 1);
        pause_ms(20);
        guard_leave(shared, one, every_end, &why);
    }
    return argument;
}

static int try_with_many(enum guard_end end)
{
    pthread_t threads[8];
    shared = guard_new();
    every_end = end;
    atomic_store(&tried, 0);
    pthread_barrier_init(&begun, NULL, COUNT(threads));
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, try_to_bind, NULL), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&begun);
    guard_free(shared);
    return atomic_load(&tried);
}

static void one_goes_first(void **state)
{
    (void)state;
    assert_int_equal(try_with_many(GUARD_REFUSED), 1);
    assert_int_equal(try_with_many(GUARD_WORKED), 8);
}

static void nobody_waits_for_ever(void **state)
{
    struct reason why;
    (void)state;
    shared = guard_new();
    assert_int_equal(guard_enter(shared, one, within(50), &why), GUARD_OPEN);
    assert_int_equal(guard_enter(shared, one, within(50), &why), GUARD_LATE);
    guard_free(shared);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, NULL)
    const struct CMUnitTest tests[] = {
        TEST(refused_passwords_are_held),
        TEST(held_longer_each_time),
        TEST(attempts_at_once_count_as_one),
        TEST(forgiven_at_once),
        TEST(one_goes_first),
        TEST(nobody_waits_for_ever),
    };
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
