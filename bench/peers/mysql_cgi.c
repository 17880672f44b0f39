/* SPDX-License-Identifier: MIT
 *
 * mysql_cgi: a CGI program that finds one member with libmariadb, $BENCH_ID over the unix socket
 * $BENCH_SOCKET, prints an answer as long as memberchat's, $HELLO_LENGTH, and does nothing else.
 */
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 4, VALUE_MAX = 512 };

static const char query[] = "SELECT id, name, avatar, role FROM members WHERE id = ?";

int main(void)
{
    static char values[COLUMNS][VALUE_MAX];
    char *id = getenv("BENCH_ID");
    const char *wanted = getenv("HELLO_LENGTH");
    MYSQL_BIND results[COLUMNS] = {{0}};
    MYSQL_BIND parameter = {
        .buffer_type = MYSQL_TYPE_STRING, .buffer = id, .buffer_length = strlen(id)};
    MYSQL *mysql = mysql_init(NULL);
    if (!mysql ||
        !mysql_real_connect(mysql, NULL, "chat", "secret", "site", 0, getenv("BENCH_SOCKET"), 0))
        return 1;
    MYSQL_STMT *statement = mysql_stmt_init(mysql);
    for (int i = 0; i < COLUMNS; i++)
        results[i] = (MYSQL_BIND){
            .buffer_type = MYSQL_TYPE_STRING, .buffer = values[i], .buffer_length = VALUE_MAX};
    if (mysql_stmt_prepare(statement, query, sizeof query - 1) ||
        mysql_stmt_bind_param(statement, &parameter) || mysql_stmt_execute(statement) ||
        mysql_stmt_bind_result(statement, results) || mysql_stmt_fetch(statement))
        return 1;
    printf("Status: 200 OK\r\nContent-Type: application/json\r\n\r\n%s %s %*s\n", values[0],
           values[1], wanted ? atoi(wanted) - 150 : 0, "chatToken");
    mysql_stmt_close(statement);
    mysql_close(mysql);
    return 0;
}
