/* SPDX-License-Identifier: MIT
 * Readers and one who replaces: nothing is freed that somebody holds. */
#include "server/snapshot.h"

#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

/* Settings that can be told apart, and are seen to be freed by a sanitizer. */
static struct settings *make(int64_t number)
{
    struct settings *settings = calloc(1, sizeof *settings);
    assert_non_null(settings);
    settings->top.threads = number;
    settings->top.body_limit = 2 * number;
    settings->log.target = arena_format(&settings->arena, "%lld", (long long)number);
    return settings;
}

static void what_is_held_stays(void **state)
{
    struct snapshots *snapshots = snapshots_new(make(1), 2);
    (void)state;
    const struct settings *first = snapshots_acquire(snapshots, 0);
    assert_int_equal(first->top.threads, 1);
    snapshots_replace(snapshots, make(2));
    const struct settings *second = snapshots_acquire(snapshots, 1);
    assert_int_equal(second->top.threads, 2);
    assert_string_equal(first->log.target, "1");
    snapshots_replace(snapshots, make(3));
    snapshots_release(snapshots, 0);
    snapshots_collect(snapshots);
    assert_string_equal(second->log.target, "2");
    assert_int_equal(snapshots_acquire(snapshots, 0)->top.threads, 3);
    snapshots_release(snapshots, 0);
    snapshots_release(snapshots, 1);
    snapshots_free(snapshots);
    snapshots_free(NULL);
}

/* A reader that takes the newer ones lets go of the older ones. */
static void acquiring_anew(void **state)
{
    struct snapshots *snapshots = snapshots_new(make(1), 1);
    (void)state;
    snapshots_acquire(snapshots, 0);
    snapshots_replace(snapshots, make(2));
    assert_int_equal(snapshots_acquire(snapshots, 0)->top.threads, 2);
    snapshots_collect(snapshots);
    snapshots_release(snapshots, 0);
    snapshots_free(snapshots);
}

enum { READERS = 4 };

struct reader {
    struct snapshots *snapshots;
    unsigned number;
    atomic_bool *over;
    pthread_t thread;
    long reads;
};

static void *read_often(void *argument)
{
    struct reader *reader = argument;
    int64_t last = 0;
    while (!atomic_load(reader->over)) {
        const struct settings *settings = snapshots_acquire(reader->snapshots, reader->number);
        int64_t number = settings->top.threads;
        if (reader->reads % 64 == 0)
            sched_yield();
        expect(number >= last, "an older one after a newer one");
        expect(settings->top.body_limit == 2 * number, "half of one, half of another");
        expect(strtoll(settings->log.target, NULL, 10) == number, "half of one");
        last = number;
        snapshots_release(reader->snapshots, reader->number);
        reader->reads++;
    }
    return NULL;
}

static void readers_in_threads(void **state)
{
    struct snapshots *snapshots = snapshots_new(make(1), READERS);
    struct reader readers[READERS];
    atomic_bool over = false;
    (void)state;
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.snapshots = snapshots, .number = i, .over = &over};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_often, &readers[i]), 0);
    }
    for (int64_t number = 2; number < 3000; number++) {
        snapshots_replace(snapshots, make(number));
        if (number % 16 == 0)
            sched_yield();
    }
    atomic_store(&over, true);
    for (size_t i = 0; i < READERS; i++)
        pthread_join(readers[i].thread, NULL);
    snapshots_free(snapshots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_held_stays),
        cmocka_unit_test(acquiring_anew),
        cmocka_unit_test(readers_in_threads),
    };
    return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
