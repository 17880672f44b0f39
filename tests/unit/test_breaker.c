/* SPDX-License-Identifier: MIT
 * When a directory is left alone, and for how long.  The clock is a number. */
#include "members/breaker.h"

#include "support.h"

static struct breaker breaker;

static void make(int64_t failures)
{
    const struct breaker_settings settings = {failures, 1000, 5000};
    breaker_init(&breaker, &settings);
}

static bool admit(int64_t now)
{
    int64_t wait = -1;
    bool refused = breaker_refuses(&breaker, now, &wait);
    bool admitted = breaker_admit(&breaker, now, &wait);
    assert_int_equal(refused, !admitted);
    expect(admitted || wait > 0, "refused without a time to wait");
    return admitted;
}

static enum breaker_change fail_at(int64_t now)
{
    assert_true(admit(now));
    return breaker_report(&breaker, now, true, 0);
}

static void opens_after_failures_in_a_row(void **state)
{
    (void)state;
    make(3);
    assert_int_equal(fail_at(0), BREAKER_SAME);
    assert_int_equal(fail_at(1), BREAKER_SAME);
    assert_true(admit(2));
    assert_int_equal(breaker_report(&breaker, 2, false, 0), BREAKER_SAME); /* breaks the row */
    assert_int_equal(fail_at(3), BREAKER_SAME);
    assert_int_equal(fail_at(4), BREAKER_SAME);
    assert_int_equal(fail_at(5), BREAKER_OPENED);
    int64_t wait = 0;
    assert_false(breaker_admit(&breaker, 105, &wait));
    assert_int_equal(wait, 900);
    assert_false(admit(1004));
    breaker_destroy(&breaker);
}

static void one_goes_out_to_see(void **state)
{
    (void)state;
    make(1);
    assert_int_equal(fail_at(0), BREAKER_OPENED);
    assert_true(admit(1000));
    assert_false(admit(1000));
    assert_false(admit(99999));
    assert_int_equal(breaker_report(&breaker, 1100, false, 0), BREAKER_CLOSED);
    assert_true(admit(1101));
    assert_true(admit(1101));
    breaker_destroy(&breaker);
}

static void waits_twice_as_long_each_time(void **state)
{
    static const int64_t waits[] = {1000, 2000, 4000, 5000, 5000};
    int64_t now = 0;
    (void)state;
    make(1);
    assert_int_equal(fail_at(now), BREAKER_OPENED);
    for (size_t i = 0; i < COUNT(waits); i++) {
        assert_false(admit(now + waits[i] - 1));
        now += waits[i];
        assert_int_equal(fail_at(now), BREAKER_SAME);
    }
    now += 5000;
    assert_true(admit(now));
    assert_int_equal(breaker_report(&breaker, now, false, 0), BREAKER_CLOSED);
    assert_int_equal(fail_at(now), BREAKER_OPENED); /* and begins anew */
    assert_true(admit(now + 1000));
    breaker_destroy(&breaker);
}

static void the_directorys_wish_counts(void **state)
{
    int64_t wait = 0;
    (void)state;
    make(1);
    assert_true(admit(0));
    assert_int_equal(breaker_report(&breaker, 0, true, 30000), BREAKER_OPENED);
    assert_false(breaker_admit(&breaker, 10, &wait));
    assert_int_equal(wait, 29990);
    assert_true(admit(30000));
    breaker_report(&breaker, 30000, true, 10); /* shorter than our own */
    assert_false(admit(30000 + 1999));
    assert_true(admit(32000));
    breaker_report(&breaker, 32000, true, INT64_MAX); /* a minute at most */
    assert_false(admit(32000 + 59999));
    assert_true(admit(32000 + 60000));
    breaker_destroy(&breaker);
}

/* Look-ups that went out before it opened say nothing new. */
static void late_failures_do_not_prolong(void **state)
{
    int64_t wait = 0;
    (void)state;
    make(2);
    for (int i = 0; i < 6; i++)
        assert_true(admit(0));
    for (int i = 0; i < 6; i++)
        breaker_report(&breaker, i * 100, true, 0);
    assert_false(breaker_admit(&breaker, 600, &wait));
    assert_int_equal(wait, 500);
    breaker_destroy(&breaker);
}

static void zero_failures_means_never(void **state)
{
    (void)state;
    make(0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(fail_at(i), BREAKER_SAME);
    breaker_destroy(&breaker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_after_failures_in_a_row),
        cmocka_unit_test(one_goes_out_to_see),
        cmocka_unit_test(waits_twice_as_long_each_time),
        cmocka_unit_test(the_directorys_wish_counts),
        cmocka_unit_test(late_failures_do_not_prolong),
        cmocka_unit_test(zero_failures_means_never),
    };
    return cmocka_run_group_tests_name("breaker", tests, NULL, NULL);
}
