/* SPDX-License-Identifier: MIT
 * What error codes of MariaDB, MySQL and libmariadb mean. */
#include "plugins/sql/mysql_code.h"
#include "support.h"

static void verdicts(void **state)
{
    static const struct {
        unsigned code;
        enum sql_verdict verdict;
    } rows[] = {
        {0, SQL_LOST},       /* it failed without a word */
        {1040, SQL_BUSY},    /* too many connections */
        {3024, SQL_BUSY},    /* MySQL ended the query */
        {1053, SQL_LOST},    /* the server shuts down */
        {1045, SQL_REFUSED}, /* access denied */
        {3118, SQL_REFUSED}, /* the account is locked */
        {1064, SQL_WRONG},   /* a syntax error */
        {1999, SQL_WRONG},   /* of a server */
        {2000, SQL_LOST},    /* those of libmariadb begin */
        {2006, SQL_LOST},    /* the server has gone away */
        {2008, SQL_BUSY},    /* libmariadb is out of memory */
        {2059, SQL_WRONG},   /* a way to sign in that it lacks */
        {4200, SQL_WRONG},   /* of a server again */
        {1047, SQL_LOST},    /* Galera lacks the other nodes */
        {1461, SQL_BUSY},    /* too many prepared statements */
        {9001, SQL_LOST},    /* ProxySQL reaches no server */
        {9003, SQL_WRONG},   /* it knows no such command */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect(mysql_code_verdict(rows[i].code) == rows[i].verdict, "%u: %d", rows[i].code,
               mysql_code_verdict(rows[i].code));
}

static void texts_that_a_column_cannot_hold(void **state)
{
    static const struct {
        unsigned code;
        struct span id;
        bool of_text;
    } rows[] = {
        {1267, LITERAL("zo\xc3\xab"), true}, {3854, LITERAL("zo\xc3\xab"), true},
        {3988, LITERAL("zo\xc3\xab"), true}, {1064, LITERAL("zo\xc3\xab"), false},
        {1267, LITERAL("zoe"), false},       {3854, LITERAL(""), false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect(mysql_code_is_of_text(rows[i].code, rows[i].id) == rows[i].of_text, "row %zu", i);
    assert_true(mysql_code_is_of_tls(2026));
    assert_false(mysql_code_is_of_tls(2006));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts),
        cmocka_unit_test(texts_that_a_column_cannot_hold),
    };
    return cmocka_run_group_tests_name("mysql_code", tests, NULL, NULL);
}
