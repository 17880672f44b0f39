/* SPDX-License-Identifier: MIT
 * The tables of limits in memory that may hold anything.  An input is operations of four bytes:
 * what, a key, and a number of 16 bits: time that passes, or where a word of the memory is
 * written over. */
#include "fuzz.h"

#include "api/throttle_table.h"
#include "figures/figures.h"

#include <string.h>

const char fuzz_corpus[] = "throttle";

enum { LONGEST_MS = 15 * 60 * 1000, MOST = 5, WINDOW_MS = 60000 };

static _Alignas(64) char memory[FIGURES_THROTTLE_SIZE];
static const struct throttle_limit limit = {MOST, WINDOW_MS};

/* A failure counts, and a delay that has begun is not shortened by another one. */
static void check_fail(struct throttle_table *table, uint64_t hash, int64_t now)
{
    int64_t before = throttle_table_delay(table, hash, now);
    throttle_table_fail(table, hash, &limit, now);
    int64_t after = throttle_table_delay(table, hash, now);
    must(before >= 0 && before <= LONGEST_MS && after >= before && after <= LONGEST_MS);
}

/* Whoever fails so often in one moment waits, whatever there was before. */
static void check_many(struct throttle_table *table, uint64_t hash, int64_t now)
{
    for (int i = 0; i < MOST; i++)
        check_fail(table, hash, now);
    must(throttle_table_delay(table, hash, now) > 0);
}

static void check_take(struct throttle_table *table, uint64_t hash, int64_t now)
{
    struct throttle_left seen, left;
    bool some = throttle_table_take(table, hash, &limit, now, false, &seen);
    must(throttle_table_take(table, hash, &limit, now, true, &left) == some);
    must(seen.count >= 0 && seen.count <= MOST && some == (seen.count > 0));
    must(left.count == (some ? seen.count - 1 : 0));
    must(left.reset_ms > 0 && left.reset_ms <= WINDOW_MS);
    for (int i = 0; i < MOST; i++)
        (void)throttle_table_take(table, hash, &limit, now, true, &left);
    must(!throttle_table_take(table, hash, &limit, now, true, &left) && left.count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct throttle_table *table = (struct throttle_table *)(void *)memory;
    int64_t now = 1000000;
    memset(memory, 0, sizeof memory);
    memory[0] = 1; /* the seed: the same hashes each time */
    for (size_t at = 0; at + 4 <= size; at += 4) {
        uint64_t word, value = (uint64_t)data[at + 2] << 8 | data[at + 3];
        uint64_t hash =
            throttle_table_hash(table, 'a', (struct span){(const char *)data + at + 1, 1});
        must(hash);
        if (data[at] % 6 == 0 && at + 12 <= size) {
            memcpy(&word, data + at + 4, sizeof word);
            memcpy(memory + value % (sizeof memory / sizeof word) * sizeof word, &word,
                   sizeof word);
        } else if (data[at] % 6 == 1) {
            /* into the place of a key, whose set is known */
            size_t set = hash % 1024, way = value % 4;
            memcpy(&word, data + at, sizeof(uint32_t));
            word = word << 32 | value << 16;
            memcpy(memory + 64 + (set * 4 + way) * 32, &hash, sizeof hash);
            memcpy(memory + 64 + (set * 4 + way) * 32 + 8 + value % 2 * 8, &word, sizeof word);
        } else if (data[at] % 6 == 2) {
            now += (int64_t)(value * value / 64);
        } else if (data[at] % 6 == 3) {
            check_many(table, hash, now);
        } else if (data[at] % 6 == 4) {
            check_take(table, hash, now);
        } else {
            check_fail(table, hash, now);
        }
    }
    return 0;
}
