/* SPDX-License-Identifier: MIT
 * Things by text, in the order in which they came. */
#include "base/map.h"

#include "base/hash.h"
#include "short_memory.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

enum { MANY = 5000 };

static struct thing {
    struct map_node node;
    char key[16];
} things[MANY];

static struct map map;
static uint64_t seed[2];

static int start(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        snprintf(things[i].key, sizeof things[i].key, "key %zu", i);
    return map_init(&map) && hash_seed(seed) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    map_free(&map);
    return 0;
}

static uint64_t hash_of(size_t i)
{
    return hash_keyed(seed, things[i].key, strlen(things[i].key));
}

static void add(size_t i)
{
    map_add(&map, &things[i].node, hash_of(i), span_of(things[i].key));
}

static void find(size_t i, bool there)
{
    struct map_node *found = map_find(&map, hash_of(i), span_of(things[i].key));
    assert_ptr_equal(found, there ? &things[i].node : NULL);
}

static void many_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        find(i, false);
        add(i);
    }
    assert_int_equal(map.count, MANY);
    for (size_t i = 0; i < MANY; i += 3)
        map_remove(&map, &things[i].node);
    for (size_t i = 0; i < MANY; i++)
        find(i, i % 3 != 0);
    for (size_t i = 0; i < MANY; i++)
        if (i % 3 != 0)
            map_remove(&map, &things[i].node);
    assert_int_equal(map.count, 0);
    assert_null(map.oldest);
    assert_null(map.newest);
}

static void expect_order(const size_t *order, size_t count)
{
    const struct map_node *node = map.oldest;
    for (size_t i = 0; i < count; i++, node = node->newer) {
        assert_ptr_equal(node, &things[order[i]].node);
        assert_ptr_equal(node->older, i ? &things[order[i - 1]].node : NULL);
    }
    assert_null(node);
}

static void the_order_is_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        add(i);
    expect_order((const size_t[]){0, 1, 2, 3}, 4);
    map_remove(&map, &things[1].node);
    expect_order((const size_t[]){0, 2, 3}, 3);
    map_remove(&map, &things[0].node);
    add(0);
    expect_order((const size_t[]){2, 3, 0}, 3);
    map_remove(&map, &things[0].node);
    expect_order((const size_t[]){2, 3}, 2);
}

/* Whatever the hash: the keys decide. */
static void keys_of_one_hash_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < 100; i++)
        map_add(&map, &things[i].node, 7, span_of(things[i].key));
    for (size_t i = 0; i < 100; i++)
        assert_ptr_equal(map_find(&map, 7, span_of(things[i].key)), &things[i].node);
    assert_null(map_find(&map, 7, span_of(things[100].key)));
    for (size_t i = 0; i < 100; i += 2)
        map_remove(&map, &things[i].node);
    for (size_t i = 1; i < 100; i += 2)
        assert_ptr_equal(map_find(&map, 7, span_of(things[i].key)), &things[i].node);
}

static void without_memory_it_stays_small(void **state)
{
    (void)state;
    short_memory_start(0, true);
    for (size_t i = 0; i < 100; i++)
        add(i);
    short_memory_stop();
    for (size_t i = 0; i < 100; i++)
        find(i, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_are_found, start, stop),
        cmocka_unit_test_setup_teardown(the_order_is_kept, start, stop),
        cmocka_unit_test_setup_teardown(keys_of_one_hash_are_told_apart, start, stop),
        cmocka_unit_test_setup_teardown(without_memory_it_stays_small, start, stop),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
