/* SPDX-License-Identifier: MIT
 * A filter of system calls, as a program of the kernel's packet filter: see seccomp(2).  It
 * is written in place, so building it takes no memory. */
#ifndef SYSCALL_FILTER_H
#define SYSCALL_FILTER_H

#include <linux/filter.h>
#include <stdint.h>

enum {
    SYSCALL_FILTER_NAMES = 256, /* at most, with the NULL */
    SYSCALL_FILTER_CODE = 2048
};

struct syscall_filter {
    struct sock_filter code[SYSCALL_FILTER_CODE];
    unsigned short length;
};

/* A call, if the bits of this argument that are in the mask have this value. */
struct syscall_rule {
    const char *name;
    unsigned argument;
    uint64_t mask, value;
};

/* Begins a filter with the action (SECCOMP_RET_...) for these calls, whatever their arguments.
 * Names that this libseccomp or this processor does not know are left out.  A call of another
 * architecture ends the thread. */
void syscall_filter_begin(struct syscall_filter *filter, const char *const *names, uint32_t action);

/* Adds an action for a call that is not in the names: the first rule that fits counts. */
void syscall_filter_add(struct syscall_filter *filter, const struct syscall_rule *rule,
                        uint32_t action);

/* Puts the filter in force for all threads, with the action for all other calls and the flags
 * of SECCOMP_SET_MODE_FILTER.  Returns 0 or an errno. */
int syscall_filter_load(struct syscall_filter *filter, uint32_t otherwise, unsigned flags);

#endif
