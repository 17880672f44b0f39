/* SPDX-License-Identifier: MIT */
#include "common.h"

#include "base/clock.h"

enum { COMPLAIN_MS = 60000 };

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

bool ldap_fault_resolved(struct ldap_fault *fault, enum resolved resolved)
{
    static const enum ldap_verdict verdicts[] = {[RESOLVED_GOOD] = VERDICT_GOOD,
                                                 [RESOLVED_LATE] = VERDICT_LATE,
                                                 [RESOLVED_FAILED] = VERDICT_LOST};
    fault->verdict = verdicts[resolved];
    return resolved == RESOLVED_GOOD;
}

bool ldap_may_complain(_Atomic int64_t *silent_until)
{
    int64_t now = clock_monotonic_ms(), until = atomic_load(silent_until);
    return now >= until && atomic_compare_exchange_strong(silent_until, &until, now + COMPLAIN_MS);
}
