/* SPDX-License-Identifier: MIT */
#include "code.h"

#include <stdlib.h>
#include <string.h>

static const struct row {
    int code;
    enum ldap_verdict verdict;
    const char *name;
} rows[] = {
    {0, VERDICT_GOOD, "Success"},
    {1, VERDICT_REFUSED, "Operations error"}, /* Active Directory says so before a bind */
    {2, VERDICT_WRONG, "Protocol error"},
    {3, VERDICT_BUSY, "Time limit exceeded"},
    {4, VERDICT_WRONG, "Size limit exceeded"},
    {7, VERDICT_WRONG, "Authentication method not supported"},
    {8, VERDICT_REFUSED, "Strong(er) authentication required"},
    {10, VERDICT_WRONG, "Referral"},
    {11, VERDICT_BUSY, "Administrative limit exceeded"},
    {12, VERDICT_WRONG, "Critical extension is unavailable"},
    {13, VERDICT_REFUSED, "Confidentiality required"},
    {14, VERDICT_WRONG, "SASL bind in progress"},
    {16, VERDICT_WRONG, "No such attribute"},
    {17, VERDICT_WRONG, "Undefined attribute type"},
    {18, VERDICT_WRONG, "Inappropriate matching"},
    {19, VERDICT_WRONG, "Constraint violation"},
    {21, VERDICT_WRONG, "Invalid syntax"},
    {32, VERDICT_WRONG, "No such object"},
    {33, VERDICT_WRONG, "Alias problem"},
    {34, VERDICT_WRONG, "Invalid DN syntax"},
    {36, VERDICT_WRONG, "Alias dereferencing problem"},
    {48, VERDICT_REFUSED, "Inappropriate authentication"},
    {49, VERDICT_REFUSED, "Invalid credentials"},
    {50, VERDICT_REFUSED, "Insufficient access"},
    {51, VERDICT_BUSY, "Server is busy"},
    {52, VERDICT_LOST, "Server is unavailable"}, /* it is about to shut down */
    {53, VERDICT_REFUSED, "Server is unwilling to perform"},
    {54, VERDICT_WRONG, "Loop detected"},
    {71, VERDICT_WRONG, "Operation affects multiple servers"},
    {80, VERDICT_BUSY, "Other error"},
};

static const struct row *find(int code)
{
    static const struct row unknown = {-1, VERDICT_WRONG, "Unknown code"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == code)
            return &rows[i];
    return &unknown;
}

enum ldap_verdict ldap_code_verdict(int code)
{
    return find(code)->verdict;
}

const char *ldap_code_name(int code)
{
    return find(code)->name;
}

const char *ldap_code_account(struct span words)
{
    static const struct {
        char mark[12]; /* the number is that of a Windows error, in hexadecimal */
        const char *meaning;
    } meanings[] = {
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
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (words.length &&
            memmem(words.data, words.length, meanings[i].mark, strlen(meanings[i].mark)))
            return meanings[i].meaning;
    return NULL;
}

/* GnuTLS ends its verdict on a certificate with the bits of gnutls_certificate_status_t. */
static const char *certificate_fault(const char *words)
{
    static const struct {
        unsigned bit;
        const char *meaning;
    } meanings[] = {
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
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (bits & meanings[i].bit)
            return meanings[i].meaning;
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
