/* SPDX-License-Identifier: MIT */
#include "base/vault.h"

#include "support.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 200

/* Whether the flags of proc(5), VmFlags, of the mapping with an address have both. */
static bool has_flags(const void *address, const char *one, const char *other)
{
    char line[4096];
    unsigned long start, end;
    bool here = false, found = false;
    FILE *maps = fopen("/proc/self/smaps", "re");
    expect(maps != NULL, "smaps");
    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
            here = (uintptr_t)address >= start && (uintptr_t)address < end;
        else if (here && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, one) && strstr(line, other);
    }
    fclose(maps);
    return found;
}

static void locked_and_not_dumped(void **state)
{
    char *memory = vault_take(100);
    (void)state;
    expect(memory != NULL, "memory");
    expect(has_flags(memory, " dd", " lo") || has_flags(memory, " dd", ""), "left out of dumps");
#ifndef __SANITIZE_ADDRESS__ /* which does not lock */
#ifndef __SANITIZE_THREAD__
    expect(has_flags(memory, " dd", " lo"), "locked");
#endif
#endif
    vault_give(memory);
}

static void wiped(void **state)
{
    char *first = vault_take(VAULT_SLOT), *second = vault_take(VAULT_SLOT);
    (void)state;
    expect(first && second, "memory");
    memset(first, 'k', VAULT_SLOT);
    memset(second, 'k', VAULT_SLOT);
    vault_give(first); /* its pages stay as long as the other one does */
    for (size_t i = 0; i < VAULT_SLOT; i++)
        expect(first[i] == 0 && second[i] == 'k', "byte %zu", i);
    vault_give(second);
}

static void many(void **state)
{
    unsigned char *taken[MANY];
    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < MANY; i++) {
            taken[i] = vault_take(VAULT_SLOT);
            expect(taken[i] != NULL, "memory");
            memset(taken[i], (int)i, VAULT_SLOT);
        }
        for (size_t i = 0; i < MANY; i++)
            for (size_t j = 0; j < VAULT_SLOT; j++)
                expect(taken[i][j] == i, "slot %zu", i);
        for (size_t i = 0; i < MANY; i++)
            vault_give(taken[round % 2 ? i : MANY - 1 - i]);
    }
}

static void odd_sizes(void **state)
{
    (void)state;
    expect(vault_take(VAULT_SLOT + 1) == NULL, "too large");
    vault_give(NULL);
}

static void in_a_process_of_one_request(void **state)
{
    (void)state;
    expect(vault_locks(), "a process locks keys unless it says something else");
    vault_skip_locks();
    expect(!vault_locks(), "nothing is locked");
    char *memory = vault_take(VAULT_SLOT);
    expect(memory != NULL, "memory");
    for (size_t i = 0; i < VAULT_SLOT; i++)
        expect(memory[i] == 0, "byte %zu", i);
    expect(!has_flags(memory, " lo", ""), "locked all the same");
    vault_give(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locked_and_not_dumped),
        cmocka_unit_test(wiped),
        cmocka_unit_test(many),
        cmocka_unit_test(odd_sizes),
        cmocka_unit_test(in_a_process_of_one_request), /* the last one: it stays so */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
