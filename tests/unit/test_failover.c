/* SPDX-License-Identifier: MIT
 * Servers that fail and come back, and lists of them that change. */
#include "base/failover.h"

#include "support.h"

static void gone_and_new_servers(void **state)
{
    struct failover *failover = failover_new(2, 1000);
    size_t order[FAILOVER_MAX];
    (void)state;
    assert_true(failover_note_failure(failover, 0));
    assert_false(failover_note_failure(failover, 0)); /* no news */
    assert_true(failover_has_better(failover, 0));
    assert_false(failover_has_better(failover, 1));
    assert_int_equal(failover_choose(failover, order), 1);
    assert_int_equal(order[0], 1);
    failover_list(failover, 0, false);
    assert_true(failover_has_better(failover, 0));
    assert_true(failover_has_better(failover, FAILOVER_MAX));
    assert_false(failover_note_failure(failover, 0));
    assert_false(failover_note_success(failover, FAILOVER_MAX));
    assert_false(failover_note_failure(failover, 1)); /* nobody is asked before it */
    assert_false(failover_has_better(failover, 0));
    assert_int_equal(failover_choose(failover, order), 1); /* all have failed */
    failover_list(failover, 0, true);                      /* another one, which is good */
    assert_int_equal(failover_choose(failover, order), 1);
    assert_int_equal(order[0], 0);
    assert_true(failover_note_success(failover, 1));
    failover_list(failover, 0, true); /* as before */
    assert_int_equal(failover_choose(failover, order), 2);
    failover_free(failover);
}

static void no_more_than_fit(void **state)
{
    struct failover *failover = failover_new(FAILOVER_MAX + 1, 1000);
    size_t order[FAILOVER_MAX];
    (void)state;
    assert_int_equal(failover_choose(failover, order), FAILOVER_MAX);
    failover_free(failover);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gone_and_new_servers),
        cmocka_unit_test(no_more_than_fit),
    };
    return cmocka_run_group_tests_name("failover", tests, NULL, NULL);
}
