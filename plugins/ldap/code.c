/* SPDX-License-Identifier: MIT
 *
 * ldap_code.c: see ldap_code.h.
 */
#include "code.h"

#include <string.h>

static const struct {
    int code;
    enum ldap_verdict verdict;
} verdicts[] = {
    {0, VERDICT_GOOD},     /* success */
    {1, VERDICT_REFUSED},  /* operationsError: Active Directory says so before a bind */
    {3, VERDICT_BUSY},     /* timeLimitExceeded */
    {8, VERDICT_REFUSED},  /* strongerAuthRequired */
    {11, VERDICT_BUSY},    /* adminLimitExceeded */
    {13, VERDICT_REFUSED}, /* confidentialityRequired */
    {48, VERDICT_REFUSED}, /* inappropriateAuthentication */
    {49, VERDICT_REFUSED}, /* invalidCredentials */
    {50, VERDICT_REFUSED}, /* insufficientAccessRights */
    {51, VERDICT_BUSY},    /* busy */
    {52, VERDICT_LOST},    /* unavailable: it is about to go */
    {53, VERDICT_REFUSED}, /* unwillingToPerform */
    {80, VERDICT_BUSY},    /* other */
    {-1, VERDICT_LOST},    /* LDAP_SERVER_DOWN */
    {-2, VERDICT_LOST},    /* LDAP_LOCAL_ERROR */
    {-3, VERDICT_LOST},    /* LDAP_ENCODING_ERROR */
    {-4, VERDICT_LOST},    /* LDAP_DECODING_ERROR */
    {-5, VERDICT_LATE},    /* LDAP_TIMEOUT */
    {-10, VERDICT_LOST},   /* LDAP_NO_MEMORY */
    {-11, VERDICT_LOST},   /* LDAP_CONNECT_ERROR */
    {-18, VERDICT_LATE},   /* LDAP_X_CONNECTING */
};

enum ldap_verdict ldap_code_verdict(int code)
{
    size_t i;

    for (i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        if (verdicts[i].code == code)
            return verdicts[i].verdict;
    return VERDICT_WRONG;
}

enum ldap_verdict ldap_code_handshake(const char *words)
{
    static const char *const gone[] = {"non-properly terminated", "pull function", "push function",
                                       "Connection reset", "Broken pipe"};
    size_t i;

    for (i = 0; i < sizeof gone / sizeof gone[0]; i++)
        if (strstr(words, gone[i]) != NULL)
            return VERDICT_LOST;
    return VERDICT_UNTRUSTED;
}
