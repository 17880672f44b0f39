/* SPDX-License-Identifier: MIT */
#include "mysql_code.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <stddef.h>

/* Of MySQL 8, which mysqld_error.h of MariaDB lacks. */
enum {
    ER_QUERY_TIMEOUT = 3024,
    ER_ACCOUNT_LOCKED = 3118,
    ER_CANNOT_CONVERT_STRING = 3854,
    ER_ACCOUNT_BLOCKED = 3955, /* after too many wrong passwords */
    ER_IMPOSSIBLE_STRING_CONVERSION = 3988,
    ER_CLIENT_TIMEOUT = 4031
};

/* Of ProxySQL, when it reaches no server. */
enum { PROXYSQL_LATE = 9001, PROXYSQL_LOST, PROXYSQL_OFFLINE = 9004 };

enum sql_verdict mysql_code_verdict(unsigned code)
{
    static const struct {
        enum sql_verdict verdict;
        unsigned codes[16]; /* the last is 0 */
    } kinds[] = {
        {SQL_BUSY,
         {ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED,
          ER_HOST_IS_BLOCKED, ER_MAX_PREPARED_STMT_COUNT_REACHED, ER_LOCK_WAIT_TIMEOUT,
          ER_LOCK_DEADLOCK, ER_QUERY_INTERRUPTED, ER_STATEMENT_TIMEOUT, ER_QUERY_TIMEOUT,
          ER_OUT_OF_RESOURCES, ER_OUTOFMEMORY, CR_OUT_OF_MEMORY}},
        {SQL_LOST,
         {ER_UNKNOWN_COM_ERROR, /* a node of Galera that has lost the others */
          ER_SERVER_SHUTDOWN, ER_SERVER_OFFLINE_MODE, ER_CONNECTION_KILLED, ER_CLIENT_TIMEOUT,
          ER_NEED_REPREPARE, ER_UNKNOWN_STMT_HANDLER, ER_NET_PACKETS_OUT_OF_ORDER,
          ER_NET_READ_ERROR, ER_NET_READ_INTERRUPTED, ER_NET_ERROR_ON_WRITE,
          ER_NET_WRITE_INTERRUPTED, PROXYSQL_LATE, PROXYSQL_LOST, PROXYSQL_OFFLINE}},
        {SQL_REFUSED,
         {ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR, ER_MUST_CHANGE_PASSWORD,
          ER_MUST_CHANGE_PASSWORD_LOGIN, ER_ACCOUNT_LOCKED, ER_ACCOUNT_BLOCKED, ER_USER_IS_BLOCKED,
          ER_ACCOUNT_HAS_BEEN_LOCKED}},
        {SQL_WRONG, {CR_AUTH_PLUGIN_CANNOT_LOAD}}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (const unsigned *one = kinds[i].codes; *one; one++)
            if (code == *one)
                return kinds[i].verdict;
    /* 0: it failed without a word */
    return !code || (code >= CR_MIN_ERROR && code <= CR_MAX_ERROR) ? SQL_LOST : SQL_WRONG;
}

bool mysql_code_is_of_tls(unsigned code)
{
    return code == CR_SSL_CONNECTION_ERROR;
}

bool mysql_code_is_of_text(unsigned code, struct span id)
{
    bool ascii = true;
    for (size_t i = 0; i < id.length; i++)
        ascii = ascii && (unsigned char)id.data[i] < 0x80;
    return !ascii && (code == ER_CANT_AGGREGATE_2COLLATIONS || code == ER_CANNOT_CONVERT_STRING ||
                      code == ER_IMPOSSIBLE_STRING_CONVERSION);
}
