/* SPDX-License-Identifier: MIT
 *
 * ldap_common.c: see ldap_common.h.
 */
#include "common.h"

#include <stdarg.h>
#include <stdio.h>

void ldap_fault_set(struct ldap_fault *fault, enum ldap_verdict verdict, const char *format, ...)
{
    va_list arguments;

    fault->verdict = verdict;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
}

enum memberchat_outcome ldap_fault_outcome(const struct ldap_fault *fault)
{
    static const enum memberchat_outcome outcomes[] = {
        [VERDICT_GOOD] = MEMBERCHAT_FOUND,
        [VERDICT_LOST] = MEMBERCHAT_UNAVAILABLE,
        [VERDICT_LATE] = MEMBERCHAT_UNAVAILABLE,
        [VERDICT_BUSY] = MEMBERCHAT_UNAVAILABLE,
        [VERDICT_WRONG] = MEMBERCHAT_MISCONFIGURED,
        [VERDICT_UNTRUSTED] = MEMBERCHAT_MISCONFIGURED,
        [VERDICT_REFUSED] = MEMBERCHAT_MISCONFIGURED,
    };

    return outcomes[fault->verdict];
}

int64_t ldap_watch_left(const struct ldap_watch *watch)
{
    int64_t left = watch->deadline - watch->services->now(watch->services);

    return left > 0 ? left : 0;
}

struct timespec ldap_watch_until(const struct ldap_watch *watch)
{
    struct timespec until;
    int64_t end;

    clock_gettime(CLOCK_MONOTONIC, &until);
    end = (int64_t)until.tv_sec * 1000 + until.tv_nsec / 1000000 + ldap_watch_left(watch);
    return (struct timespec){.tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000};
}

struct ldap_watch ldap_watch_within(const struct ldap_watch *watch, int64_t ms)
{
    int64_t end = watch->services->now(watch->services) + ms;

    return (struct ldap_watch){watch->services, end < watch->deadline ? end : watch->deadline};
}
