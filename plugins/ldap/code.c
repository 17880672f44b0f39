/* SPDX-License-Identifier: MIT */
#include "code.h"

#include <stdlib.h>
#include <string.h>

enum ldap_verdict ldap_code_verdict(int code)
{
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
        {-5, VERDICT_LATE},    /* LDAP_TIMEOUT */
        {-18, VERDICT_LATE},   /* LDAP_X_CONNECTING */
    };
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        if (verdicts[i].code == code)
            return verdicts[i].verdict;
    return code < 0 ? VERDICT_LOST : VERDICT_WRONG;
}

const char *ldap_code_account(struct span words)
{
    static const struct {
        char mark[12]; /* the number is that of a Windows error, in hexadecimal */
        const char *meaning;
    } rows[] = {
        {"data 525,", "there is no such account"},
        {"data 52e,", "the password is wrong"},
        {"data 530,", "the account may not sign in at this time"},
        {"data 531,", "the account may not sign in from this machine"},
        {"data 532,", "the password has expired"},
        {"data 533,", "the account is disabled"},
        {"data 701,", "the account has expired"},
        {"data 773,", "the password must be changed first"},
        {"data 775,", "the account is locked"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (memmem(words.data, words.length, rows[i].mark, strlen(rows[i].mark)))
            return rows[i].meaning;
    return NULL;
}

/* GnuTLS ends its verdict on a certificate with the bits of gnutls_certificate_status_t. */
static const char *certificate_fault(const char *words)
{
    static const struct {
        unsigned bit;
        const char *meaning;
    } rows[] = {
        {1u << 5, "the certificate was revoked"},
        {1u << 9, "the certificate is not valid yet"},
        {1u << 10, "the certificate has expired"},
        {1u << 6, "the certificate is from an unknown issuer, not of \"ca_file\""},
        {1u << 7, "the certificate's issuer is not a certificate authority"},
        {1u << 8, "the certificate uses an insecure algorithm"},
        {1u << 11, "the certificate's signature is wrong"},
    };
    const char *at = strstr(words, "(0x");
    unsigned long bits = at ? strtoul(at + 3, NULL, 16) : 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (bits & rows[i].bit)
            return rows[i].meaning;
    return strstr(words, "does not match") ? "the certificate is not for this host" : NULL;
}

void ldap_code_handshake(const char *words, struct ldap_fault *fault)
{
    static const char *const gone[] = {"non-properly terminated", "pull function", "push function",
                                       "Connection reset", "Broken pipe"};
    const char *meaning = certificate_fault(words);
    ldap_fault_set(fault, VERDICT_UNTRUSTED, "TLS handshake: %s%s%s", meaning ? meaning : "",
                   meaning ? ": " : "", words);
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        if (strstr(words, gone[i]))
            fault->verdict = VERDICT_LOST;
}
