/* SPDX-License-Identifier: MIT
 * What SQLSTATEs of PostgreSQL mean. */
#include "plugins/sql/pgsql_code.h"
#include "support.h"

static void verdicts(void **state)
{
    static const struct {
        const char *code;
        enum sql_verdict verdict;
    } rows[] = {
        {"28P01", SQL_REFUSED}, /* a wrong password */
        {"26000", SQL_LOST},    /* the prepared statement is gone */
        {"08006", SQL_LOST},    /* the connection broke */
        {"57014", SQL_BUSY},    /* the server ended the query */
        {"57P03", SQL_LOST},    /* the server starts */
        {"25P03", SQL_LOST},    /* a transaction idled */
        {"25006", SQL_WRONG},   /* the query writes */
        {"40P01", SQL_BUSY},    /* a deadlock */
        {"53300", SQL_BUSY},    /* too many connections */
        {"55P03", SQL_BUSY},    /* a lock */
        {"42601", SQL_WRONG},   /* a syntax error */
        {"22P02", SQL_WRONG},   /* a text of the wrong form: whose it is, must be found out */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect(pgsql_code_verdict(rows[i].code) == rows[i].verdict, "%s: %d", rows[i].code,
               pgsql_code_verdict(rows[i].code));
}

static void what_a_text_or_a_change_may_cause(void **state)
{
    static const struct {
        const char *code;
        bool of_text, outdated;
    } rows[] = {
        {"22P02", true, false}, {"22008", true, false},  {"23514", true, false},
        {"42601", true, false}, {"23505", false, false}, {"42501", false, false},
        {"42883", false, true}, {"42804", false, true},  {"0A000", false, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(pgsql_code_is_of_text(rows[i].code) == rows[i].of_text, "%s", rows[i].code);
        expect(pgsql_code_is_outdated(rows[i].code) == rows[i].outdated, "%s", rows[i].code);
    }
}

static void the_state_in_a_message(void **state)
{
    const char *text = "connection to \"x\" failed: FATAL:  28P01: password";
    (void)state;
    assert_string_equal(pgsql_code_find(text), "28P01: password");
    assert_null(pgsql_code_find("connection refused"));
    assert_null(pgsql_code_find("FATAL:  password"));
}

static void refusals_of_a_pooler(void **state)
{
    static const struct {
        const char *words;
        enum sql_verdict verdict;
    } rows[] = {
        {"28P01: x", SQL_REFUSED},
        {"08P01: SASL authentication failed", SQL_REFUSED},
        {"08P01: no such user: x", SQL_REFUSED},
        {"08P01: no such database: x", SQL_WRONG},
        {"08P01: login rejected", SQL_WRONG},
        {"08P01: SSL required", SQL_WRONG},
        {"08P01: no more connections allowed", SQL_LOST},
        {"57P03: authentication failed", SQL_LOST},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect(pgsql_code_signing_in(rows[i].words, rows[i].words + 7) == rows[i].verdict, "%s",
               rows[i].words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts),
        cmocka_unit_test(what_a_text_or_a_change_may_cause),
        cmocka_unit_test(the_state_in_a_message),
        cmocka_unit_test(refusals_of_a_pooler),
    };
    return cmocka_run_group_tests_name("pgsql_code", tests, NULL, NULL);
}
