/* SPDX-License-Identifier: MIT */
#include "syscall_filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TO_THE_RULES UINT32_MAX /* a jump whose distance is not known yet */

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
enum { HIGH = 0, LOW = 4 };
#else
enum { HIGH = 4, LOW = 0 };
#endif

/* A name begins and ends a run at most, and a bound takes three instructions at most. */
_Static_assert(3 * (2 * SYSCALL_FILTER_NAMES + 1) + 256 <= SYSCALL_FILTER_CODE, "too short");

static void emit(struct syscall_filter *filter, unsigned code, uint32_t k, unsigned if_true,
                 unsigned if_false)
{
    filter->code[filter->length++] = (struct sock_filter){
        (unsigned short)code, (unsigned char)if_true, (unsigned char)if_false, k};
}

static void emit_load(struct syscall_filter *filter, size_t offset)
{
    emit(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* The numbers of the calls, ascending, each once. */
static size_t resolve(const char *const *names, uint32_t numbers_r[SYSCALL_FILTER_NAMES])
{
    size_t count = 0;
    for (; *names; names++) {
        int number = seccomp_syscall_resolve_name(*names);
        if (number < 0) /* unknown, or not a call of its own here */
            continue;
        size_t at = count;
        while (at > 0 && numbers_r[at - 1] > (uint32_t)number)
            at--;
        if (at > 0 && numbers_r[at - 1] == (uint32_t)number)
            continue;
        memmove(numbers_r + at + 1, numbers_r + at, (count - at) * sizeof *numbers_r);
        numbers_r[at] = (uint32_t)number;
        count++;
    }
    return count;
}

/* Where runs of numbers begin: in turns some that are not listed, and some that are. */
static size_t find_bounds(const uint32_t *numbers, size_t count, uint32_t *bounds_r)
{
    size_t bounds = 0;
    bounds_r[bounds++] = 0;
    for (size_t i = 0; i < count; i++) {
        if (bounds > 1 && bounds_r[bounds - 1] == numbers[i])
            bounds--; /* the run goes on */
        else
            bounds_r[bounds++] = numbers[i];
        bounds_r[bounds++] = numbers[i] + 1;
    }
    return bounds;
}

/* A binary search for the number at hand in the runs from `first` up to `end`. */
static void emit_search(struct syscall_filter *filter, const uint32_t *bounds, size_t first,
                        size_t end, uint32_t action)
{
    if (end - first == 1 && first % 2) {
        emit(filter, BPF_RET | BPF_K, action, 0, 0);
    } else if (end - first == 1) {
        emit(filter, BPF_JMP | BPF_JA, TO_THE_RULES, 0, 0);
    } else {
        size_t middle = first + (end - first) / 2;
        emit(filter, BPF_JMP | BPF_JGE | BPF_K, bounds[middle], 0, 1);
        size_t jump = filter->length;
        emit(filter, BPF_JMP | BPF_JA, 0, 0, 0);
        emit_search(filter, bounds, first, middle, action);
        filter->code[jump].k = (uint32_t)(filter->length - jump - 1);
        emit_search(filter, bounds, middle, end, action);
    }
}

void syscall_filter_begin(struct syscall_filter *filter, const char *const *names, uint32_t action)
{
    uint32_t numbers[SYSCALL_FILTER_NAMES], bounds[2 * SYSCALL_FILTER_NAMES + 1];
    size_t count = find_bounds(numbers, resolve(names, numbers), bounds);
    filter->length = 0;
    emit_load(filter, offsetof(struct seccomp_data, arch));
    emit(filter, BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 1, 0);
    emit(filter, BPF_RET | BPF_K, SECCOMP_RET_KILL, 0, 0);
    emit_load(filter, offsetof(struct seccomp_data, nr));
    emit_search(filter, bounds, 0, count, action);
    for (unsigned i = 0; i < filter->length; i++)
        if (filter->code[i].code == (BPF_JMP | BPF_JA) && filter->code[i].k == TO_THE_RULES)
            filter->code[i].k = filter->length - i - 1;
}

/* Skips `rest` instructions unless half an argument is as it should be. */
static void emit_half(struct syscall_filter *filter, size_t offset, uint64_t mask, uint64_t value,
                      unsigned rest)
{
    emit_load(filter, offset);
    emit(filter, BPF_ALU | BPF_AND | BPF_K, (uint32_t)mask, 0, 0);
    emit(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)value, 0, rest);
}

void syscall_filter_add(struct syscall_filter *filter, const struct syscall_rule *rule,
                        uint32_t action)
{
    int number = seccomp_syscall_resolve_name(rule->name);
    size_t argument = offsetof(struct seccomp_data, args) + rule->argument * sizeof(uint64_t);
    if (number < 0 || filter->length + 16 > SYSCALL_FILTER_CODE)
        return;
    emit_load(filter, offsetof(struct seccomp_data, nr));
    emit(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 7);
    emit_half(filter, argument + LOW, rule->mask, rule->value, 4);
    emit_half(filter, argument + HIGH, rule->mask >> 32, rule->value >> 32, 1);
    emit(filter, BPF_RET | BPF_K, action, 0, 0);
}

int syscall_filter_load(struct syscall_filter *filter, uint32_t otherwise, unsigned flags)
{
    emit(filter, BPF_RET | BPF_K, otherwise, 0, 0);
    const struct sock_fprog program = {filter->length, filter->code};
    long rc =
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_TSYNC, &program);
    return rc == 0 ? 0 : rc < 0 ? errno : ECANCELED; /* of a thread that cannot follow */
}
