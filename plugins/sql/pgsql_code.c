/* SPDX-License-Identifier: MIT */
#include "pgsql_code.h"

#include <string.h>

const char *pgsql_code_find(const char *text)
{
    const char *at = strstr(text, ":  ");
    bool known = at && strspn(at + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == PGSQL_CODE_LENGTH;
    return known ? at + 3 : NULL;
}

struct meaning {
    const char *text;
    enum sql_verdict verdict;
};

/* PostgreSQL, appendix A. */
enum sql_verdict pgsql_code_verdict(const char *state)
{
    static const struct meaning states[] = {
        {"28", SQL_REFUSED}, /* invalid authorization, password */
        {"26000", SQL_LOST}, /* the prepared statement is gone */
        {"08", SQL_LOST},    /* connection exceptions */
        {"57014", SQL_BUSY}, /* cancelled: statement_timeout */
        {"57", SQL_LOST},    /* shutdown, idle_session_timeout */
        {"25P03", SQL_LOST}, /* idle_in_transaction_session_timeout */
        {"40", SQL_BUSY},    /* deadlocks */
        {"53", SQL_BUSY},    /* too many connections, no memory */
        {"55", SQL_BUSY},    /* locks */
    };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strncmp(state, states[i].text, strlen(states[i].text)) == 0)
            return states[i].verdict;
    return SQL_WRONG;
}

bool pgsql_code_is_of_text(const char *state)
{
    return strncmp(state, "22", 2) == 0 || /* data exceptions */
           strcmp(state, "23514") == 0 ||  /* the check of a domain */
           strcmp(state, "42601") == 0;    /* the syntax of ltree, tsquery */
}

bool pgsql_code_is_outdated(const char *state)
{
    return strcmp(state, "0A000") == 0 || /* its columns have other types */
           strcmp(state, "42883") == 0 || /* so have those that the id is compared with ... */
           strcmp(state, "42804") == 0;   /* ... or that stand beside it */
}

enum sql_verdict pgsql_code_signing_in(const char *state, const char *words)
{
    static const struct meaning refusals[] = {{"authentication failed", SQL_REFUSED},
                                              {"no such user", SQL_REFUSED},
                                              {"no such database", SQL_WRONG},
                                              {"rejected", SQL_WRONG},
                                              {"required", SQL_WRONG}}; /* TLS */
    if (strncmp(state, "08P01", PGSQL_CODE_LENGTH) == 0)
        for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
            if (strstr(words, refusals[i].text))
                return refusals[i].verdict;
    return pgsql_code_verdict(state);
}
