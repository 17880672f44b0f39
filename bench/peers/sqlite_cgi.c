/* SPDX-License-Identifier: MIT
 *
 * sqlite_cgi: a CGI program that finds one member with sqlite3, $BENCH_ID in the file $BENCH_FILE,
 * prints an answer as long as memberchat's, $HELLO_LENGTH, and does nothing else.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static const char query[] = "SELECT id, name, avatar, role FROM members WHERE id = ?";

int main(void)
{
    const char *wanted = getenv("HELLO_LENGTH");
    sqlite3 *database;
    sqlite3_stmt *statement;
    if (sqlite3_open_v2(getenv("BENCH_FILE"), &database, SQLITE_OPEN_READONLY, NULL) ||
        sqlite3_prepare_v2(database, query, -1, &statement, NULL) ||
        sqlite3_bind_text(statement, 1, getenv("BENCH_ID"), -1, SQLITE_STATIC) ||
        sqlite3_step(statement) != SQLITE_ROW)
        return 1;
    printf("Status: 200 OK\r\nContent-Type: application/json\r\n\r\n%s %s %*s\n",
           (const char *)sqlite3_column_text(statement, 0),
           (const char *)sqlite3_column_text(statement, 1), wanted ? atoi(wanted) - 150 : 0,
           "chatToken");
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return 0;
}
