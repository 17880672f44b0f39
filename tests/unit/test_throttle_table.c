/* SPDX-License-Identifier: MIT
 * Counting who fails, and what is taken of a limit. */
#include "api/throttle_table.h"

#include "figures/figures.h"
#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct throttle_limit ten = {10, 60000};
static struct throttle_table *table;
static int64_t now;

static int start(void **state)
{
    (void)state;
    table = mmap(NULL, FIGURES_THROTTLE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                 -1, 0);
    now = 1000000;
    return table == MAP_FAILED;
}

static int stop(void **state)
{
    (void)state;
    return munmap(table, FIGURES_THROTTLE_SIZE);
}

static uint64_t key(unsigned number)
{
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    return throttle_table_hash(table, 'c', span_of(text));
}

/* Fails as often as it is let; how often that was. */
static int fail_times(uint64_t hash, int times)
{
    int done = 0;
    for (int i = 0; i < times && !throttle_table_delay(table, hash, now); i++, done++)
        throttle_table_fail(table, hash, &ten, now);
    return done;
}

static void keys(void **state)
{
    (void)state;
    assert_int_equal(key(1), key(1));
    assert_int_not_equal(key(1), key(2));
    assert_int_not_equal(throttle_table_hash(table, 'k', SPAN("1")), key(1));
    char *longest = repeated('x', 1000);
    assert_int_not_equal(throttle_table_hash(table, 'c', span_of(longest)), 0);
    free(longest);
}

static void the_delay_doubles(void **state)
{
    (void)state;
    assert_int_equal(fail_times(key(1), 100), 10);
    assert_int_equal(throttle_table_delay(table, key(1), now), 1000);
    assert_int_equal(throttle_table_delay(table, key(2), now), 0);
    for (int64_t wanted = 2000; wanted <= 4096000; wanted *= 2) {
        int64_t left = throttle_table_delay(table, key(1), now);
        now += left - 1;
        assert_int_equal(throttle_table_delay(table, key(1), now), 1);
        now++;
        assert_int_equal(throttle_table_delay(table, key(1), now), 0);
        if (left > 60000) /* the failures are long ago */
            assert_int_equal(fail_times(key(1), 9), 9);
        throttle_table_fail(table, key(1), &ten, now);
        int64_t longest = 15 * 60 * 1000;
        assert_int_equal(throttle_table_delay(table, key(1), now),
                         wanted < longest ? wanted : longest);
    }
    now += 3600000; /* all is forgotten */
    assert_int_equal(fail_times(key(1), 100), 10);
    assert_int_equal(throttle_table_delay(table, key(1), now), 1000);
}

static void few_failures_are_let(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++, now += 7000)
        assert_int_equal(fail_times(key(1), 1), 1);
}

/* Ten within a minute, wherever the minutes of the count begin. */
static void across_windows(void **state)
{
    (void)state;
    throttle_table_fail(table, key(1), &ten, now);
    now += 58000;
    assert_int_equal(fail_times(key(1), 8), 8);
    now += 3000;
    assert_in_range(fail_times(key(1), 100), 1, 2);
}

/* A clock that jumps, or a file from before a reboot, holds nobody off for long. */
static void clock_jumps(void **state)
{
    (void)state;
    fail_times(key(1), 10);
    now -= 900000;
    assert_int_equal(fail_times(key(1), 100), 10);
    assert_int_equal(throttle_table_delay(table, key(1), now), 1000);
    now += INT64_C(1) << 39;
    assert_int_equal(throttle_table_delay(table, key(1), now), 0);
    assert_int_equal(fail_times(key(1), 100), 10);
}

static void garbage(void **state)
{
    (void)state;
    for (int byte = 1; byte < 256; byte += 2) {
        memset(table, byte, FIGURES_THROTTLE_SIZE);
        struct throttle_left left;
        assert_int_equal(throttle_table_delay(table, key(1), now), 0);
        assert_in_range(fail_times(key(1), 100), 10, 10);
        assert_true(throttle_table_take(table, key(1), &ten, now, true, &left));
        assert_int_equal(left.count, 9);
    }
}

/* A million addresses neither end the delay of one who was held off before, nor hold off others. */
static void a_million_addresses(void **state)
{
    (void)state;
    uint64_t mine = key(5000000);
    fail_times(mine, 10);
    assert_int_equal(throttle_table_delay(table, mine, now), 1000);
    for (unsigned i = 0; i < 1000000; i++)
        throttle_table_fail(table, key(i), &ten, now + i / 2000);
    now += 500;
    assert_int_equal(throttle_table_delay(table, mine, now), 500);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(throttle_table_delay(table, key(6000000 + i), now), 0);
    assert_int_equal(fail_times(key(7000000), 100), 10); /* and one who begins now is held off */
}

static void tokens(void **state)
{
    const struct throttle_limit three = {3, 60000};
    struct throttle_left left;
    (void)state;
    assert_true(throttle_table_take(table, key(1), &three, now, false, &left));
    assert_int_equal(left.count, 3);
    for (int i = 2; i >= 0; i--, now += 1000) {
        assert_true(throttle_table_take(table, key(1), &three, now, true, &left));
        assert_int_equal(left.count, i);
        assert_int_equal(left.reset_ms, 60000 - 1000 * (2 - i));
    }
    assert_false(throttle_table_take(table, key(1), &three, now, true, &left));
    assert_false(throttle_table_take(table, key(1), &three, now, false, &left));
    assert_int_equal(left.count, 0);
    assert_int_equal(left.reset_ms, 57000);
    assert_true(throttle_table_take(table, key(2), &three, now, true, &left));
    now += left.reset_ms;
    assert_true(throttle_table_take(table, key(1), &three, now, true, &left));
    assert_int_equal(left.count, 2);
    now -= 1000000; /* a clock that jumps */
    assert_true(throttle_table_take(table, key(1), &three, now, true, &left));
    assert_int_equal(left.count, 2);
}

/* Where there are more keys than places, the one whose window began first makes room. */
static void more_keys_than_places(void **state)
{
    struct throttle_left left;
    (void)state;
    for (unsigned i = 0; i < 20000; i++, now++)
        assert_true(throttle_table_take(table, key(i), &ten, now, true, &left));
    for (unsigned i = 19980; i < 20000; i++) {
        throttle_table_take(table, key(i), &ten, now, false, &left);
        expect(left.count == 9, "key %u: %d", i, (int)left.count);
    }
    throttle_table_take(table, key(0), &ten, now, false, &left);
    assert_int_equal(left.count, 10);
}

/* A file from before a reboot is full of windows that begin much later. */
static void keys_of_before_a_reboot_make_room(void **state)
{
    enum { KEYS = 1000 };
    struct throttle_left left;
    (void)state;
    for (unsigned i = 0; i < 20000; i++)
        throttle_table_take(table, key(i), &ten, now + 1000000 + i, true, &left);
    for (int times = 0; times < 2; times++)
        for (unsigned i = 0; i < KEYS; i++)
            throttle_table_take(table, key(50000 + i), &ten, now, true, &left);
    int counted = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        throttle_table_take(table, key(50000 + i), &ten, now, false, &left);
        counted += left.count == 8;
    }
    expect(counted > KEYS * 9 / 10, "of %d keys, %d were counted", KEYS, counted);
}

/* Processes and their threads: every token is counted once. */
static void many_processes(void **state)
{
    const struct throttle_limit limit = {1000, 60000};
    struct throttle_left left;
    uint64_t hash = key(1);
    (void)state;
    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            int taken = 0;
            for (int j = 0; j < 400; j++)
                taken += throttle_table_take(table, hash, &limit, now, true, &left);
            _exit(taken / 2);
        }
    int sum = 0, status;
    for (int i = 0; i < 4; i++) {
        assert_true(wait(&status) > 0 && WIFEXITED(status));
        sum += 2 * WEXITSTATUS(status);
    }
    assert_in_range(sum, 996, 1000); /* halves were rounded down */
    assert_false(throttle_table_take(table, hash, &limit, now, true, &left));
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(keys),
        CASE(the_delay_doubles),
        CASE(few_failures_are_let),
        CASE(across_windows),
        CASE(clock_jumps),
        CASE(garbage),
        CASE(a_million_addresses),
        CASE(tokens),
        CASE(more_keys_than_places),
        CASE(keys_of_before_a_reboot_make_room),
        CASE(many_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
