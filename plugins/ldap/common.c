/* SPDX-License-Identifier: MIT */
#include "common.h"

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
