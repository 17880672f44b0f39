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

static enum breaker_pass admit(int64_t now)
{
    int64_t wait = -1;
    bool refused = breaker_refuses(&breaker, now, &wait);
    enum breaker_pass pass = breaker_admit(&breaker, now, &wait);
    assert_int_equal(refused, pass == BREAKER_REFUSED);
    expect(pass != BREAKER_REFUSED || wait > 0, "refused without a time to wait");
    return pass;
}

/* A look-up with this pass, which fails at once. */
static enum breaker_change fail_at(int64_t now, enum breaker_pass pass)
{
    assert_int_equal(admit(now), pass);
    return breaker_report(&breaker, now, pass, true, 0);
}

static void opens_after_failures_in_a_row(void **state)
{
    (void)state;
    make(3);
    assert_int_equal(fail_at(0, BREAKER_FREE), BREAKER_SAME);
    assert_int_equal(fail_at(1, BREAKER_FREE), BREAKER_SAME);
    assert_int_equal(admit(2), BREAKER_FREE);
    assert_int_equal(breaker_report(&breaker, 2, BREAKER_FREE, false, 0),
                     BREAKER_SAME); /* breaks the row */
    assert_int_equal(fail_at(3, BREAKER_FREE), BREAKER_SAME);
    assert_int_equal(fail_at(4, BREAKER_FREE), BREAKER_SAME);
    assert_int_equal(fail_at(5, BREAKER_FREE), BREAKER_OPENED);
    int64_t wait = 0;
    assert_int_equal(breaker_admit(&breaker, 105, &wait), BREAKER_REFUSED);
    assert_int_equal(wait, 900);
    assert_int_equal(admit(504), BREAKER_REFUSED);
    breaker_destroy(&breaker);
}

static void one_goes_out_to_see(void **state)
{
    (void)state;
    make(1);
    assert_int_equal(fail_at(0, BREAKER_FREE), BREAKER_OPENED);
    assert_int_equal(admit(1000), BREAKER_TRIAL);
    assert_int_equal(admit(1000), BREAKER_GLANCE);
    assert_int_equal(admit(1000), BREAKER_REFUSED);
    assert_int_equal(admit(99999), BREAKER_REFUSED);
    assert_int_equal(breaker_report(&breaker, 1100, BREAKER_TRIAL, false, 0), BREAKER_CLOSED);
    assert_int_equal(admit(1101), BREAKER_FREE);
    assert_int_equal(admit(1101), BREAKER_FREE);
    breaker_destroy(&breaker);
}

/* Whatever the pause, and while a trial waits for an answer. */
static void one_that_is_back_is_found_within_a_second(void **state)
{
    (void)state;
    make(1);
    assert_int_equal(fail_at(0, BREAKER_FREE), BREAKER_OPENED);
    assert_int_equal(fail_at(500, BREAKER_GLANCE), BREAKER_SAME);
    assert_int_equal(fail_at(1000, BREAKER_TRIAL), BREAKER_SAME);
    assert_int_equal(admit(1499), BREAKER_REFUSED);
    assert_int_equal(admit(1500), BREAKER_GLANCE);
    assert_int_equal(admit(2000), BREAKER_REFUSED);
    assert_int_equal(breaker_report(&breaker, 2000, BREAKER_GLANCE, true, 0), BREAKER_SAME);
    assert_int_equal(fail_at(2000, BREAKER_GLANCE), BREAKER_SAME);
    assert_int_equal(admit(3000), BREAKER_TRIAL); /* the glances have not put it off */
    assert_int_equal(admit(3000), BREAKER_GLANCE);
    assert_int_equal(breaker_report(&breaker, 3001, BREAKER_GLANCE, false, 0), BREAKER_CLOSED);
    assert_int_equal(admit(3001), BREAKER_FREE);
    breaker_destroy(&breaker);
}

/* The one that decides, after each pause. */
static void waits_twice_as_long_each_time(void **state)
{
    static const int64_t waits[] = {1000, 2000, 4000, 5000, 5000};
    int64_t now = 0;
    (void)state;
    make(1);
    assert_int_equal(fail_at(now, BREAKER_FREE), BREAKER_OPENED);
    for (size_t i = 0; i < COUNT(waits); i++) {
        assert_int_equal(fail_at(now + waits[i] - 1, BREAKER_GLANCE), BREAKER_SAME);
        now += waits[i];
        assert_int_equal(fail_at(now, BREAKER_TRIAL), BREAKER_SAME);
    }
    now += 5000;
    assert_int_equal(admit(now), BREAKER_TRIAL);
    assert_int_equal(breaker_report(&breaker, now, BREAKER_TRIAL, false, 0), BREAKER_CLOSED);
    assert_int_equal(fail_at(now, BREAKER_FREE),
                     BREAKER_OPENED); /* the next failure opens it again */
    assert_int_equal(admit(now + 1000), BREAKER_TRIAL);
    breaker_destroy(&breaker);
}

static void the_directorys_wish_counts(void **state)
{
    int64_t wait = 0;
    (void)state;
    make(1);
    assert_int_equal(admit(0), BREAKER_FREE);
    assert_int_equal(breaker_report(&breaker, 0, BREAKER_FREE, true, 30000), BREAKER_OPENED);
    assert_int_equal(breaker_admit(&breaker, 10, &wait), BREAKER_REFUSED);
    assert_int_equal(wait, 29990);
    assert_int_equal(admit(29999), BREAKER_REFUSED);
    assert_int_equal(admit(30000), BREAKER_TRIAL);
    breaker_report(&breaker, 30000, BREAKER_TRIAL, true, 10); /* shorter than our own */
    assert_int_equal(admit(30499), BREAKER_REFUSED);
    assert_int_equal(admit(30500), BREAKER_GLANCE);
    breaker_report(&breaker, 30500, BREAKER_GLANCE, true, 3000);
    assert_int_equal(admit(33499), BREAKER_REFUSED);
    assert_int_equal(admit(33500), BREAKER_TRIAL);
    breaker_report(&breaker, 33500, BREAKER_TRIAL, true, INT64_MAX); /* a minute at most */
    assert_int_equal(admit(33500 + 59999), BREAKER_REFUSED);
    assert_int_equal(admit(33500 + 60000), BREAKER_TRIAL);
    breaker_report(&breaker, 93500, BREAKER_TRIAL, true, INT64_MIN);
    assert_int_equal(admit(94000), BREAKER_GLANCE);
    breaker_destroy(&breaker);
}

/* Look-ups that went out before it opened say nothing new. */
static void late_failures_do_not_prolong(void **state)
{
    int64_t wait = 0;
    (void)state;
    make(2);
    for (int i = 0; i < 8; i++)
        assert_int_equal(admit(0), BREAKER_FREE);
    for (int i = 0; i < 5; i++)
        breaker_report(&breaker, i * 100, BREAKER_FREE, true, 0);
    assert_int_equal(breaker_admit(&breaker, 500, &wait), BREAKER_REFUSED);
    assert_int_equal(wait, 600);
    assert_int_equal(admit(1100), BREAKER_TRIAL);
    assert_int_equal(admit(1100), BREAKER_GLANCE);
    for (int i = 0; i < 3; i++)
        breaker_report(&breaker, 1200, BREAKER_FREE, true, 0);
    assert_int_equal(admit(1700), BREAKER_REFUSED); /* both are still out */
    breaker_destroy(&breaker);
}

static void zero_failures_means_never(void **state)
{
    (void)state;
    make(0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(fail_at(i, BREAKER_FREE), BREAKER_SAME);
    breaker_destroy(&breaker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_after_failures_in_a_row),
        cmocka_unit_test(one_goes_out_to_see),
        cmocka_unit_test(one_that_is_back_is_found_within_a_second),
        cmocka_unit_test(waits_twice_as_long_each_time),
        cmocka_unit_test(the_directorys_wish_counts),
        cmocka_unit_test(late_failures_do_not_prolong),
        cmocka_unit_test(zero_failures_means_never),
    };
    return cmocka_run_group_tests_name("breaker", tests, NULL, NULL);
}
