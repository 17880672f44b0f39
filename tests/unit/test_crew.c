/* SPDX-License-Identifier: MIT
 * Queues with their threads, and places that are lent. */
#include "server/crew.h"

#include "base/clock.h"
#include "support.h"

#include <stdatomic.h>
#include <unistd.h>

enum { MEMBERS = 3, ROUNDS = 2000 };

static struct crew crew;
static struct conn conns[MEMBERS];
static pthread_t threads[MEMBERS + 1]; /* those of the crew, and one that has bought a place */
static size_t begun;
static atomic_int busy, most, served, replaced, may_end;

static void work(void)
{
    int now = atomic_fetch_add(&busy, 1) + 1;
    for (int seen = atomic_load(&most); now > seen;)
        if (atomic_compare_exchange_weak(&most, &seen, now))
            break;
    while (!atomic_load(&may_end))
        usleep(100);
    atomic_fetch_sub(&busy, 1);
    atomic_fetch_add(&served, 1);
}

static void *serve(void *argument)
{
    struct conn *conn;
    (void)argument;
    for (;;)
        switch (crew_take(&crew, &conn)) {
        case CREW_SERVE:
            work();
            break;
        case CREW_REPLACE:
            atomic_fetch_add(&replaced, 1);
            return NULL;
        case CREW_LEAVE:
            return NULL;
        }
}

static void wait_until_idle(void)
{
    while (!crew_is_idle(&crew))
        usleep(100);
}

static void begin_thread(void)
{
    assert_int_equal(pthread_create(&threads[begun++], NULL, serve, NULL), 0);
}

static void begin(bool end_at_once)
{
    crew = (struct crew){.members = 0};
    busy = most = served = replaced = 0;
    begun = 0;
    may_end = end_at_once;
    crew_init(&crew);
    for (size_t i = 0; i < MEMBERS; i++) {
        begin_thread();
        crew_join(&crew);
    }
    wait_until_idle();
}

static void end(void)
{
    may_end = 1;
    wait_until_idle();
    crew_leave(&crew);
    for (size_t i = 0; i < begun; i++)
        pthread_join(threads[i], NULL);
    struct conn *none;
    assert_int_equal(crew_take(&crew, &none), CREW_LEAVE);
    assert_null(none);
    crew_destroy(&crew);
}

/* A place that is lent is one thread less. */
static void places_are_lent(void **state)
{
    (void)state;
    begin(false);
    assert_true(crew_lend(&crew));
    assert_true(crew_lend(&crew));
    assert_true(crew_put(&crew, &conns[0]));
    while (atomic_load(&busy) < 1)
        usleep(100);
    assert_false(crew_lend(&crew)); /* two are lent, one works */
    assert_false(crew_put(&crew, &conns[1]));
    pthread_cond_broadcast(&crew.filled); /* threads may wake up for no reason */
    usleep(20000);
    assert_int_equal(atomic_load(&busy), 1);
    crew_take_back(&crew); /* what waits gets the place */
    while (atomic_load(&busy) < 2)
        usleep(100);
    assert_false(crew_lend(&crew));
    crew_take_back(&crew);
    assert_true(crew_lend(&crew));
    crew_take_back(&crew);
    end();
    assert_int_equal(served, 2);
}

/* The buyer of a place is one of the crew, and a thread that slept is not. */
static void places_are_sold(void **state)
{
    (void)state;
    begin(false);
    assert_true(crew_lend(&crew));
    assert_true(crew_lend(&crew));
    crew_sell(&crew);
    while (atomic_load(&replaced) < 1)
        usleep(100);
    crew_take_back(&crew);             /* the other one */
    assert_false(crew_is_idle(&crew)); /* the buyer has not come back */
    begin_thread();
    wait_until_idle();
    for (size_t i = 0; i < MEMBERS; i++)
        assert_true(crew_put(&crew, &conns[i]));
    while (atomic_load(&busy) < MEMBERS)
        usleep(100);
    assert_false(crew_lend(&crew));
    end();
    assert_int_equal(served, MEMBERS);
    assert_int_equal(replaced, 1);
}

static void late_ones_come_out(void **state)
{
    struct conn_queue late = {0};
    (void)state;
    begin(false);
    for (size_t i = 0; i < MEMBERS; i++)
        assert_true(crew_put(&crew, &conns[i]));
    while (atomic_load(&busy) < MEMBERS)
        usleep(100);
    struct conn waiting[] = {{.deadline = 100}, {.deadline = 200}, {.deadline = 300}};
    for (size_t i = 0; i < COUNT(waiting); i++)
        assert_false(crew_put(&crew, &waiting[i]));
    assert_int_equal(crew_take_late(&crew, 99, &late), 100);
    assert_null(late.first);
    assert_int_equal(crew_take_late(&crew, 250, &late), 300);
    assert_ptr_equal(conn_queue_pop(&late), &waiting[0]);
    assert_ptr_equal(conn_queue_pop(&late), &waiting[1]);
    assert_null(conn_queue_pop(&late));
    assert_true(crew_take_late(&crew, 300, &late) == INT64_MAX);
    end();
    assert_int_equal(served, MEMBERS);
}

static void *borrow(void *argument)
{
    (void)argument;
    for (int i = 0; i < ROUNDS; i++)
        if (crew_lend(&crew)) {
            work();
            crew_take_back(&crew);
        }
    return NULL;
}

/* Members and borrowers together are never more than the members, and nothing is lost. */
static void never_more_than_its_members(void **state)
{
    pthread_t borrowers[3];
    struct conn many[100];
    (void)state;
    begin(true);
    for (size_t i = 0; i < COUNT(borrowers); i++)
        assert_int_equal(pthread_create(&borrowers[i], NULL, borrow, NULL), 0);
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < COUNT(many); i++)
            crew_put(&crew, &many[i]);
        while (!crew_is_idle(&crew))
            usleep(50);
    }
    for (size_t i = 0; i < COUNT(borrowers); i++)
        pthread_join(borrowers[i], NULL);
    end();
    assert_true(served >= 20 * (int)COUNT(many));
    assert_true(most <= MEMBERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_lent),
        cmocka_unit_test(places_are_sold),
        cmocka_unit_test(late_ones_come_out),
        cmocka_unit_test(never_more_than_its_members),
    };
    return cmocka_run_group_tests_name("crew", tests, NULL, NULL);
}
