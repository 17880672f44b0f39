/* SPDX-License-Identifier: MIT
 * Whether a store answers, when many want to know. */
#include "members/directory.h"

#include "base/clock.h"
#include "figures/read.h"
#include "stub_store.h"
#include "support.h"

#include <pthread.h>
#include <string.h>

static struct stub stub;
static struct directory *directory;

static int start_with(void **state, uint32_t flags)
{
    static const struct breaker_settings never = {0, 1000, 1000};
    struct store_report told;
    memset(&stub, 0, sizeof stub);
    stub.flags = MEMBERCHAT_STORE_THREAD_SAFE | flags;
    stub.outcome = MEMBERCHAT_FOUND;
    int rc = scratch_start(state);
    stderr_catch();
    struct store *store = stub_store(&stub);
    assert_true(store_open(store, false, &told));
    directory = directory_new(store, NULL, &never);
    assert_non_null(directory);
    return rc;
}

static int start(void **state)
{
    return start_with(state, 0);
}

static int start_local(void **state)
{
    return start_with(state, MEMBERCHAT_STORE_LOCAL);
}

static int stop(void **state)
{
    directory_release(directory);
    return scratch_stop(state);
}

static int probe(int64_t ms, unsigned may_wait)
{
    return directory_probe(directory, clock_monotonic_ms() + ms, 0, NULL, may_wait).outcome;
}

static void probes_are_remembered_for_a_second(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(probe(500, 8), MEMBERCHAT_FOUND);
    assert_int_equal(stub.probes, 1);
    stub.outcome = MEMBERCHAT_UNAVAILABLE;
    pause_ms(1020);
    for (int i = 0; i < 5; i++)
        assert_int_equal(probe(500, 8), MEMBERCHAT_UNAVAILABLE);
    assert_int_equal(stub.probes, 2);
}

/* What has waited for its turn: its failure would be the others', too. */
static void little_time_left_is_enough(void **state)
{
    int64_t soon = clock_monotonic_ms() + 200;
    (void)state;
    stub.delay_ms = 400;
    assert_int_equal(directory_probe(directory, soon, 10000, NULL, 8).outcome, MEMBERCHAT_FOUND);
    assert_int_equal(directory_probe(directory, soon, 10000, NULL, 8).outcome, MEMBERCHAT_FOUND);
    assert_int_equal(stub.probes, 1);
}

/* ---- While a probe is under way ---- */

struct asker {
    pthread_t thread;
    int64_t ms;
    int outcome;
};

static void *ask(void *argument)
{
    struct asker *asker = argument;
    asker->outcome = probe(asker->ms, 8);
    return NULL;
}

static void begin(struct asker *asker, int64_t ms)
{
    asker->ms = ms;
    assert_int_equal(pthread_create(&asker->thread, NULL, ask, asker), 0);
}

static int outcome_of(struct asker *asker)
{
    pthread_join(asker->thread, NULL);
    return asker->outcome;
}

/* One that has reached the store. */
static void begin_first(struct asker *asker)
{
    int before = stub.probes;
    begin(asker, 10000);
    while (stub.probes == before)
        pause_ms(1);
}

static void all_are_told(int outcome)
{
    struct asker askers[4];
    int before = stub.probes;
    begin_first(&askers[0]);
    for (size_t i = 1; i < COUNT(askers); i++)
        begin(&askers[i], 10000);
    for (size_t i = 0; i < COUNT(askers); i++)
        assert_int_equal(outcome_of(&askers[i]), outcome);
    assert_int_equal(stub.probes, before + 1);
}

/* Where nothing is known, and where it was not ready. */
static void others_wait_for_its_outcome(void **state)
{
    (void)state;
    stub.delay_ms = 100;
    stub.outcome = MEMBERCHAT_MISCONFIGURED;
    all_are_told(MEMBERCHAT_MISCONFIGURED);
    pause_ms(1020);
    stub.outcome = MEMBERCHAT_FOUND;
    all_are_told(MEMBERCHAT_FOUND);
}

static void nobody_waits_beyond_the_deadline(void **state)
{
    struct asker first;
    (void)state;
    stub.delay_ms = 500;
    begin_first(&first);
    int64_t began = clock_monotonic_ms();
    assert_int_equal(probe(50, 8), MEMBERCHAT_UNAVAILABLE);
    assert_true(clock_monotonic_ms() - began >= 40);
    assert_int_equal(outcome_of(&first), MEMBERCHAT_FOUND);
    assert_int_equal(stub.probes, 1);
}

static bool stay_closed(struct gate *gate, bool near)
{
    (void)gate;
    (void)near;
    return false;
}

/* The last outcome counts at once for the others, if there is one. */
static void only_some_may_wait(void **state)
{
    struct gate closed = {.enter = stay_closed};
    struct asker first, second;
    int outcome;
    (void)state;
    stub.delay_ms = 500;
    begin_first(&first);
    assert_int_equal(probe(10000, 0), MEMBERCHAT_UNAVAILABLE);
    begin(&second, 10000);
    do
        outcome = directory_probe(directory, clock_monotonic_ms() + 10000, 0, &closed, 1).outcome;
    while (outcome == DIRECTORY_BUSY); /* until the second waits: this one would wait, too */
    assert_int_equal(outcome, MEMBERCHAT_UNAVAILABLE);
    assert_int_equal(outcome_of(&second), MEMBERCHAT_FOUND);
    assert_int_equal(outcome_of(&first), MEMBERCHAT_FOUND);
    assert_int_equal(stub.probes, 1);
}

/* They wait for no network. */
static void all_may_wait_for_a_local_store(void **state)
{
    struct asker first;
    (void)state;
    stub.delay_ms = 100;
    begin_first(&first);
    assert_int_equal(probe(10000, 0), MEMBERCHAT_FOUND);
    assert_int_equal(outcome_of(&first), MEMBERCHAT_FOUND);
}

/* So a store that hangs catches one thread, and not all that are asked. */
static void a_good_outcome_counts_meanwhile(void **state)
{
    struct asker first;
    (void)state;
    assert_int_equal(probe(10000, 8), MEMBERCHAT_FOUND);
    pause_ms(1020);
    stub.delay_ms = 300;
    stub.outcome = MEMBERCHAT_UNAVAILABLE;
    begin_first(&first);
    assert_int_equal(probe(10000, 8), MEMBERCHAT_FOUND);
    assert_int_equal(outcome_of(&first), MEMBERCHAT_UNAVAILABLE);
    assert_int_equal(stub.probes, 2);
}

/* Of the members of all stores, one more than there are; 0: they are unknown. */
static uint64_t members_shown(void)
{
    const struct figures *figures = figures_view_own().figures;
    uint64_t members = 0;
    for (size_t i = 0; i < COUNT(figures->stores); i++)
        members += figures_get(&figures->stores[i].counted.members);
    return members;
}

/* A file that an earlier release compiled has no counts in it. */
static void members_are_shown_where_they_are_counted(void **state)
{
    (void)state;
    figures_use(NULL, FIGURES_RESIDENT);
    directory_show(directory);
    assert_int_equal(members_shown(), 0);
    stub.counts = true;
    directory_show(directory);
    assert_int_equal(members_shown(), 7 + 1);
    figures_close();
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(probes_are_remembered_for_a_second),
        TEST(little_time_left_is_enough),
        TEST(others_wait_for_its_outcome),
        TEST(nobody_waits_beyond_the_deadline),
        TEST(only_some_may_wait),
        cmocka_unit_test_setup_teardown(all_may_wait_for_a_local_store, start_local, stop),
        TEST(a_good_outcome_counts_meanwhile),
        TEST(members_are_shown_where_they_are_counted),
    };
    return cmocka_run_group_tests_name("directory_probe", tests, NULL, NULL);
}
