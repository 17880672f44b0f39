/* SPDX-License-Identifier: MIT */
#include "members/gate.h"

#include "support.h"

#include <pthread.h>
#include <stdatomic.h>

static void one_by_one(void **state)
{
    (void)state;
    assert_true(gate_has_room());
    assert_true(gate_enter()); /* the limit is 1 until it is set */
    assert_false(gate_has_room());
    assert_false(gate_enter());
    gate_set_limit(2);
    assert_true(gate_enter());
    assert_false(gate_enter());
    gate_leave();
    assert_true(gate_has_room());
    assert_true(gate_enter());
    gate_leave();
    gate_leave();
    assert_true(gate_has_room());
}

static atomic_int inside, most, entered;

static void *pass(void *argument)
{
    (void)argument;
    for (int i = 0; i < 20000; i++) {
        if (!gate_enter())
            continue;
        int now = atomic_fetch_add(&inside, 1) + 1;
        if (now > atomic_load(&most))
            atomic_store(&most, now);
        atomic_fetch_add(&entered, 1);
        atomic_fetch_sub(&inside, 1);
        gate_leave();
    }
    return NULL;
}

static void never_more_than_the_limit(void **state)
{
    pthread_t threads[6];
    (void)state;
    gate_set_limit(3);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, pass, NULL), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_true(atomic_load(&most) <= 3 && atomic_load(&entered) > 0);
    for (int i = 0; i < 3; i++) /* all places are free again */
        assert_true(gate_enter());
    assert_false(gate_enter());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_by_one),
        cmocka_unit_test(never_more_than_the_limit),
    };
    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
