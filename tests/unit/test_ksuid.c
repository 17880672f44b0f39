/* SPDX-License-Identifier: MIT
 * Guests' ids, and the random bytes in them. */
#include "token/ksuid.h"

#include "base/clock.h"
#include "base/random.h"
#include "support.h"
#include "base/text.h"

#include <pthread.h>
#include <string.h>

#define EPOCH 1400000000

static void known_vectors(void **state)
{
    unsigned char zeros[16] = {0}, ones[16], payload[16];
    char id[KSUID_LENGTH + 1] = {0};
    (void)state;
    memset(ones, 0xff, sizeof ones);
    ksuid_format(id, EPOCH, zeros);
    assert_string_equal(id, "000000000000000000000000000");
    ksuid_format(id, (int64_t)EPOCH + 0xffffffff, ones);
    assert_string_equal(id, "aWgEPTl1tmebfsQzFP4bxwgy80V");
    /* from the README of the reference implementation */
    static const char hex[] = "B5A1CD34B5F99D1154FB6853345C9735";
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] =
            (unsigned char)(text_hex_digit(hex[2 * i]) << 4 | text_hex_digit(hex[2 * i + 1]));
    ksuid_format(id, (int64_t)EPOCH + 107608047, payload);
    assert_string_equal(id, "0ujtsYcgvSTl8PAuAdqWYSMnLOv");
    ksuid_format(id, EPOCH, (const unsigned char[16]){[15] = 61});
    assert_string_equal(id, "00000000000000000000000000z");
    ksuid_format(id, EPOCH, (const unsigned char[16]){[15] = 62});
    assert_string_equal(id, "000000000000000000000000010");
}

static void ids_sort_by_time(void **state)
{
    unsigned char zeros[16] = {0}, ones[16];
    char before[KSUID_LENGTH], after[KSUID_LENGTH];
    (void)state;
    memset(ones, 0xff, sizeof ones);
    for (int64_t time = EPOCH; time < (int64_t)EPOCH + 0xf0000000; time += 99999999) {
        ksuid_format(before, time, ones);
        ksuid_format(after, time + 1, zeros);
        assert_true(memcmp(before, after, KSUID_LENGTH) < 0);
    }
}

static void new_ids_are_new(void **state)
{
    char ids[2000][KSUID_LENGTH];
    char low[KSUID_LENGTH];
    int64_t now;
    (void)state;
    assert_true(clock_unix_seconds(&now));
    ksuid_format(low, now - 1, (const unsigned char[16]){0});
    for (size_t i = 0; i < COUNT(ids); i++) {
        assert_true(ksuid_new(ids[i]));
        assert_true(text_is_alphanumeric((struct span){ids[i], KSUID_LENGTH}));
        assert_true(memcmp(low, ids[i], KSUID_LENGTH) < 0);
    }
    for (size_t i = 1; i < COUNT(ids); i++)
        for (size_t j = i - 1; j < i && j + 20 > i; j--)
            assert_memory_not_equal(ids[i], ids[j], KSUID_LENGTH);
}

/* Every size is filled, up to its end and not beyond. */
static void random_bytes_of_every_size(void **state)
{
    (void)state;
    for (size_t size = 0; size < 600; size += size < 20 ? 1 : 37) {
        unsigned char bytes[600], seen[600] = {0};
        for (int round = 0; round < 16; round++) {
            memset(bytes, 0, sizeof bytes);
            assert_true(random_fill(bytes, size));
            for (size_t i = 0; i < sizeof bytes; i++)
                seen[i] |= bytes[i];
        }
        for (size_t i = 0; i < sizeof bytes; i++)
            expect((seen[i] != 0) == (i < size), "byte %zu of %zu", i, size);
    }
}

static void *draw(void *argument)
{
    assert_true(random_fill(argument, 16));
    return NULL;
}

static void threads_draw_different_bytes(void **state)
{
    enum { THREADS = 8 };
    unsigned char drawn[THREADS][16];
    pthread_t threads[THREADS];
    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, draw, drawn[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < THREADS; i++)
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(drawn[i], drawn[j], 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_vectors),
        cmocka_unit_test(ids_sort_by_time),
        cmocka_unit_test(new_ids_are_new),
        cmocka_unit_test(random_bytes_of_every_size),
        cmocka_unit_test(threads_draw_different_bytes),
    };
    return cmocka_run_group_tests_name("ksuid", tests, NULL, NULL);
}
