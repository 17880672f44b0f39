/* SPDX-License-Identifier: MIT
 * The administrator's query, the columns that it has, and the ids that it is asked for. */
#include "base/fold.h"
#include "fake_services.h"
#include "plugins/sql/answer.h"
#include "plugins/sql/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static void placeholders_become_parameters(void **state)
{
    static const struct {
        enum query_dialect dialect;
        const char *text, *sql, *parameters;
    } cases[] = {
        {QUERY_MYSQL, "SELECT 1 FROM t WHERE a = {id}", "SELECT 1 FROM t WHERE a = ?", "\1"},
        {QUERY_MYSQL, "select {appId}, {id},{id}", "select ?, ?,?", "\2\1\1"},
        {QUERY_PGSQL, "select {appId}, {id},{id}", "select $2, $1,$1", "\2\1\1"},
        {QUERY_SQLITE, "select {appId}, {id},{id}", "select ?2, ?1,?1", "\2\1\1"},
        {QUERY_MYSQL, " -- it's {id}\n(SELECT {id}) ; # end", " -- it's {id}\n(SELECT ?)  # end",
         "\1"},
        {QUERY_PGSQL, "WITH x AS (SELECT 1) SELECT {id} /* a /* ' */ {id} */",
         "WITH x AS (SELECT 1) SELECT $1 /* a /* ' */ {id} */", "\1"},
        {QUERY_MYSQL, "SHOW TABLES LIKE {id};\n", "SHOW TABLES LIKE ?\n", "\1"},
        {QUERY_PGSQL, "VALUES ({id})", "VALUES ($1)", "\1"},
        {QUERY_MYSQL, "SELECT 'it''s; \\' -- x', \"?\", `a?` FROM t WHERE {id}",
         "SELECT 'it''s; \\' -- x', \"?\", `a?` FROM t WHERE ?", "\1"},
        {QUERY_PGSQL, "SELECT '\\', E'\\'', $x$ it's ; $x$, a ? 'b' WHERE a = {id}",
         "SELECT '\\', E'\\'', $x$ it's ; $x$, a ? 'b' WHERE a = $1", "\1"},
        {QUERY_SQLITE, "SELECT [a'b], '\\' WHERE {id}", "SELECT [a'b], '\\' WHERE ?1", "\1"},
        {QUERY_MYSQL, "SELECT 5--1, {id} --\t'\n--", "SELECT 5--1, ? --\t'\n--", "\1"},
        {QUERY_PGSQL, "SELECT 5--1, {id}\n, {id}AND{id}0", "SELECT 5--1, {id}\n, $1 AND$1 0",
         "\1\1"},
        {QUERY_PGSQL, "SELECT {id} -- a\r, {id}", "SELECT $1 -- a\r, $1", "\1\1"},
        {QUERY_MYSQL, "SELECT /*+ NO_ICP(t) */ {id} -- a\r, {id}",
         "SELECT /*+ NO_ICP(t) */ ? -- a\r, {id}", "\1"},
        {QUERY_SQLITE, "SELECT {id}0, {appId}x", "SELECT ?1 0, ?2 x", "\1\2"},
        {QUERY_SQLITE, "SELECT a : {id}", "SELECT a : ?1", "\1"},
        {QUERY_MYSQL, "SELECT {id}\u00e9", "SELECT ? \u00e9", "\1"},
        {QUERY_MYSQL, "(SELECT /*! 1, */ /*m! 2 */ {id})", "(SELECT /*! 1, */ /*m! 2 */ ?)", "\1"},
        {QUERY_PGSQL, "('\\', {id})", "('\\', $1)", "\1"},
        {QUERY_PGSQL, "SELECT typE'\\', e'\\'' || {id}", "SELECT typE'\\', e'\\'' || $1", "\1"},
        {QUERY_PGSQL, "SELECT $a_b$ ; $a$ $a_b$, {id}", "SELECT $a_b$ ; $a$ $a_b$, $1", "\1"},
        {QUERY_PGSQL, "SELECT a$x$ FROM t WHERE {id} = a$x$", "SELECT a$x$ FROM t WHERE $1 = a$x$",
         "\1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct query query;
        struct reason why = {""};
        if (!query_read(cases[i].text, cases[i].dialect, &query, &why))
            fail_msg("%s: %s", cases[i].text, why.text);
        assert_string_equal(bytes_string(&query.sql), cases[i].sql);
        assert_int_equal(query.count, strlen(cases[i].parameters));
        assert_memory_equal(query.parameters, cases[i].parameters, query.count);
        assert_int_equal(query.per_app, strchr(cases[i].parameters, 2) != NULL);
        query_free(&query);
    }
}

static void bad_queries_are_refused(void **state)
{
    static const struct {
        enum query_dialect dialect;
        const char *text, *reason;
    } cases[] = {
        {QUERY_MYSQL, "", "is empty"},
        {QUERY_MYSQL, " -- {id}", "is empty"},
        {QUERY_MYSQL, "SELECT 1", "query: has no {id}"},
        {QUERY_MYSQL, "SELECT {appId}", "query: has no {id}"},
        {QUERY_MYSQL, "SELECT 1 FROM t WHERE a = '{id}'", "at byte 27: the placeholder is inside"},
        {QUERY_MYSQL, "SELECT 1 FROM t WHERE a LIKE \"{id}%\"", "the placeholder is inside"},
        {QUERY_PGSQL, "SELECT $$ {appId} $$, {id}", "the placeholder is inside"},
        {QUERY_MYSQL, "SELECT {ID}", "a brace that does not begin {id} or {appId}"},
        {QUERY_MYSQL, "SELECT {id", "a brace that does not"},
        {QUERY_MYSQL, "DELETE FROM t WHERE a = {id}", "at byte 1: the statement must be a SELECT"},
        {QUERY_MYSQL, "SELECTED {id}", "the statement must be a SELECT"},
        {QUERY_MYSQL, "/*!50000 DROP TABLE t */ SELECT {id}", "the statement must be a SELECT"},
        {QUERY_MYSQL, "SELECT {id}; DROP TABLE t", "at byte 14: a second statement"},
        {QUERY_MYSQL, "SELECT {id};;", "a second statement"},
        {QUERY_MYSQL, "SELECT 'a' {id} FROM 'b", "a quotation mark that is not closed"},
        {QUERY_PGSQL, "SELECT E'\\' WHERE {id}", "a quotation mark that is not closed"},
        {QUERY_MYSQL, "SELECT ?, {id}", "a parameter that is not {id}"},
        {QUERY_MYSQL, "CALL find({id})", "the statement must be a SELECT"},
        {QUERY_SQLITE, "SELECT {id} /* AND NOT banned", "a comment that is not closed"},
        {QUERY_PGSQL, "SELECT {id} /* /* */ AND", "a comment that is not closed"},
        {QUERY_MYSQL, "SELECT /* {id} */ 1 -- {id}", "query: has no {id}"},
        {QUERY_PGSQL, "SELECT $1, {id}", "a parameter that is not {id}"},
        {QUERY_SQLITE, "SELECT :a, {id}", "a parameter that is not {id}"},
    };
    char many[400] = "SELECT {id}";
    struct query query;
    struct reason why;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (query_read(cases[i].text, cases[i].dialect, &query, &why))
            fail_msg("%s", cases[i].text);
        if (!strstr(why.text, cases[i].reason))
            fail_msg("%s: %s", cases[i].text, why.text);
        query_free(&query);
    }
    for (int i = 0; i < QUERY_PARAMETERS_MAX; i++)
        strcat(many, ",{id}");
    assert_false(query_read(many, QUERY_MYSQL, &query, &why));
    assert_non_null(strstr(why.text, "more than 32 placeholders"));
    query_free(&query);
}

static void ids_have_the_form_of_their_type(void **state)
{
    static const struct {
        enum sql_id_type type;
        const char *id;
        bool fits;
    } cases[] = {
        {SQL_TEXT, "anything '\"; DROP", true},
        {SQL_INTEGER, "0", true},
        {SQL_INTEGER, "-7", true},
        {SQL_INTEGER, "9223372036854775807", true},
        {SQL_INTEGER, "9223372036854775808", false},
        {SQL_INTEGER, "042", false},
        {SQL_INTEGER, "+42", false},
        {SQL_INTEGER, "-0", false},
        {SQL_INTEGER, "2abc", false},
        {SQL_INTEGER, " 2", false},
        {SQL_INTEGER, "", false},
        {SQL_INTEGER, "111111111111111111111111111111", false},
        {SQL_UUID, "550e8400-e29b-41d4-a716-446655440000", true},
        {SQL_UUID, "550E8400-E29B-41D4-A716-446655440000", true},
        {SQL_UUID, "550e8400e29b41d4a716446655440000", false},
        {SQL_UUID, "{550e8400-e29b-41d4-a716-446655440000}", false},
        {SQL_UUID, "550e8400-e29b-41d4-a716-44665544000g", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t number;
        if (sql_id_fits(span_of(cases[i].id), cases[i].type, &number) != cases[i].fits)
            fail_msg("%s", cases[i].id);
    }
    int64_t number;
    assert_false(sql_id_fits((struct span){"4\0002", 3}, SQL_INTEGER, &number));
}

/* ---- Rows ---- */

static struct fake_services fake;
static struct fake_result result;
static const char *const active[] = {"ACTIVE", "1"}, *const wanted[] = {"groupName", "mail"};
static const struct sql_settings settings = {.active_values = {active, 2}};

/* Gives rows, each with as many values as there are names, "-" for NULL, and tells the outcome. */
static enum memberchat_outcome answer_rows(const char *asked, const char *const names[],
                                           const char *const rows[])
{
    const struct memberchat_list list = {wanted, 2};
    static struct sql_answer answer;
    struct sql_shape shape = {.count = 0};
    struct reason why;
    answer = (struct sql_answer){.settings = &settings,
                                 .services = &fake.table,
                                 .result = fake_result_start(&result),
                                 .asked = span_of(asked),
                                 .outcome = MEMBERCHAT_NOT_FOUND};
    for (; *names; names++)
        assert_true(sql_shape_add(&shape, span_of(*names), &list, &why));
    assert_true(sql_shape_is_good(&shape, &why));
    for (bool more = true; more && *rows; rows += shape.count) {
        struct span values[SQL_COLUMNS_MAX];
        for (size_t i = 0; i < shape.count; i++)
            values[i] = strcmp(rows[i], "-") == 0 ? SPAN_NONE : span_of(rows[i]);
        more = sql_answer_add(&answer, &shape, values);
    }
    return answer.outcome;
}

static const char *const names[] = {"appuserid", "APPUSERNAME", "state",
                                    "groupname", "other",       NULL};

static void rows_become_a_member(void **state)
{
    static const char *const none[] = {NULL}, *const two[] = {"m1",    "Ann",  "1",   "mods",
                                                              "x",     "m1",   "Ann", "1",
                                                              "staff", "y",    "m1",  "Ann",
                                                              "1",     "mods", "y",   NULL};
    (void)state;
    assert_int_equal(answer_rows("m1", names, none), MEMBERCHAT_NOT_FOUND);
    assert_int_equal(answer_rows("M1", names, two), MEMBERCHAT_FOUND);
    assert_string_equal(result.fields[MEMBERCHAT_ID], "m1");
    assert_string_equal(result.fields[MEMBERCHAT_NAME], "Ann");
    assert_int_equal(result.attributes, 2);
    assert_string_equal(result.names[0], "groupName");
    assert_string_equal(result.values[0], "mods");
    assert_string_equal(result.values[1], "staff");
}

static void another_person_is_never_found(void **state)
{
    static const struct {
        enum memberchat_outcome outcome;
        const char *rows[11], *reason;
    } cases[] = {
        {MEMBERCHAT_NOT_FOUND, {"jos\xc3\xa9", "x", "-", "-", "-"}, "instead"},
        {MEMBERCHAT_NOT_FOUND, {"jose ", "x", "-", "-", "-"}, "instead"},
        {MEMBERCHAT_NOT_FOUND, {"jose", "x", "LEFT", "-", "-"}, "its state is \"LEFT\""},
        {MEMBERCHAT_NOT_FOUND,
         {"jose", "x", "1", "a", "-", "jose", "x", "LEFT", "b", "-"},
         "its state is \"LEFT\""},
        {MEMBERCHAT_NOT_FOUND,
         {"jose", "x", "-", "-", "-", "jose", "x", "BANNED", "-", "-"},
         "its state is \"BANNED\""},
        {MEMBERCHAT_NOT_FOUND,
         {"jose", "x", "LEFT", "-", "-", "jose", "x", "1", "-", "-"},
         "its state is \"LEFT\""},
        {MEMBERCHAT_FOUND, {"jose", "x", "1", "-", "-", "jose", "x", "-", "b", "-"}, ""},
        {MEMBERCHAT_FOUND, {"jose", "-", "", "", "-"}, ""},
        {MEMBERCHAT_NOT_FOUND, {"-", "x", "-", "-", "-"}, "without an appUserId"},
        {MEMBERCHAT_NOT_FOUND, {"", "-", "-", "-", "-", "-", "-", "-", "-", "-"}, "without an"},
        {MEMBERCHAT_FOUND, {"-", "y", "-", "-", "-", "Jose", "x", "-", "-", "-"}, ""},
        {MEMBERCHAT_MISCONFIGURED,
         {"jose", "x", "-", "-", "-", "JOSE", "y", "-", "-", "-"},
         "different ids"},
        {MEMBERCHAT_MISCONFIGURED,
         {"other", "x", "-", "-", "-", "jose", "y", "-", "-", "-"},
         "different ids"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(answer_rows("jose", names, cases[i].rows), cases[i].outcome);
        assert_non_null(strstr(result.reason, cases[i].reason));
    }
}

static void what_is_too_long_is_refused(void **state)
{
    char name[MEMBERCHAT_NAME_MAX + 2], id[MEMBERCHAT_ID_MAX + 2], told[128];
    const char *const rows[][6] = {{"m1", name, "-", "-", "-", NULL},
                                   {id, "x", "-", "-", "-", NULL},
                                   {"m1", "x", name, "-", "-", NULL}};
    (void)state;
    memset(name, 'n', sizeof name - 1);
    memset(id, 'i', sizeof id - 1);
    name[sizeof name - 1] = id[sizeof id - 1] = '\0';
    assert_int_equal(answer_rows("m1", names, rows[0]), MEMBERCHAT_MISCONFIGURED);
    assert_true(result.refused);
    assert_int_equal(answer_rows("m1", names, rows[1]), MEMBERCHAT_MISCONFIGURED);
    assert_string_equal(result.reason, "the query found a row whose appUserId is too long");
    assert_int_equal(answer_rows("m1", names, rows[2]), MEMBERCHAT_NOT_FOUND);
    snprintf(told, sizeof told, "its state is \"%.64s\"", name);
    assert_string_equal(result.reason, told);
}

static size_t set_values, values_taken;

static bool set_attribute(struct memberchat_result *given, const char *name, size_t name_length,
                          const char *value, size_t length)
{
    (void)given, (void)name, (void)name_length, (void)value, (void)length;
    return ++set_values <= values_taken;
}

/* Gives rows of one member, each with other values of two attributes, until no more are needed; how
 * many. */
static size_t give_rows(size_t count, size_t taken)
{
    const struct memberchat_list list = {wanted, 2};
    static struct sql_answer answer;
    struct sql_shape shape = {.count = 0};
    struct reason why;
    char value[24];
    size_t given = 0;
    bool more = true;
    set_values = 0;
    values_taken = taken;
    answer = (struct sql_answer){.settings = &settings,
                                 .services = &fake.table,
                                 .result = fake_result_start(&result),
                                 .asked = span_of("m1"),
                                 .outcome = MEMBERCHAT_NOT_FOUND};
    assert_true(sql_shape_add(&shape, span_of("appUserId"), &list, &why));
    assert_true(sql_shape_add(&shape, span_of("mail"), &list, &why));
    assert_true(sql_shape_add(&shape, span_of("groupName"), &list, &why));
    while (more && given < count) {
        snprintf(value, sizeof value, "%zu", given++);
        more = sql_answer_add(&answer, &shape,
                              (struct span[]){span_of("m1"), span_of(value), span_of(value)});
    }
    result.refused = answer.outcome != MEMBERCHAT_FOUND;
    return given;
}

static void a_member_has_so_many_rows(void **state)
{
    bool (*usual)(struct memberchat_result *, const char *, size_t, const char *, size_t) =
        fake.table.set_attribute;
    (void)state;
    fake.table.set_attribute = set_attribute;
    assert_int_equal(give_rows(SQL_ROWS_MAX, SQL_ROWS_MAX), SQL_ROWS_MAX);
    assert_int_equal(set_values, MEMBERCHAT_VALUES_MAX); /* others are left out */
    assert_false(result.refused);
    assert_int_equal(give_rows(SQL_ROWS_MAX + 5, SQL_ROWS_MAX), SQL_ROWS_MAX + 1);
    assert_true(result.refused);
    assert_string_equal(result.reason, "the query finds more than 1024 rows");
    assert_int_equal(give_rows(9, 3), 2); /* the host takes no more */
    assert_true(result.refused);
    fake.table.set_attribute = usual;
}

static void only_case_may_differ(void **state)
{
    static const struct {
        const char *one, *other;
        bool same;
    } cases[] = {
        {"ann", "ANN", true},    {"ann", "ann ", false},     {"jos\u00e9", "JOS\u00c9", true},
        {"josé", "jose", false}, {"Łukasz", "łUKASZ", true}, {"ŽIŽKA", "žižka", true},
        {"ЁЖИК", "ёжик", true},  {"ΆΛΦΑ", "άλφα", true},     {"ẤN", "ấn", true},
        {"×", "÷", false},       {"ß", "ss", false},         {"\xe9", "\xc9", false},
        {"\xe9", "\xe9", true},  {"[", "{", false},          {"a", "", false},
        {"日本", "日本", true},  {"ÿ", "ß", false},          {"i", "ı", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (text_fold_equal(span_of(cases[i].one), span_of(cases[i].other)) != cases[i].same)
            fail_msg("%s and %s", cases[i].one, cases[i].other);
}

static void columns_are_judged(void **state)
{
    const struct memberchat_list list = {wanted, 2};
    struct sql_shape shape = {.count = 0};
    struct reason why;
    (void)state;
    assert_true(sql_shape_add(&shape, span_of("appUserName"), &list, &why));
    assert_false(sql_shape_is_good(&shape, &why));
    assert_non_null(strstr(why.text, "no column appUserId"));
    assert_false(sql_shape_add(&shape, span_of("appusername"), &list, &why));
    assert_string_equal(why.text, "the query has two columns appUserName");
    struct sql_shape other = shape;
    assert_true(sql_shape_equal(&shape, &other));
    assert_true(sql_shape_add(&other, span_of("mail"), &list, &why));
    assert_false(sql_shape_equal(&shape, &other));
    assert_true(sql_shape_add(&shape, span_of("groupName"), &list, &why));
    assert_false(sql_shape_equal(&shape, &other));
    assert_true(sql_shape_add(&other, span_of("role"), &list, &why));
    assert_true(sql_shape_add(&shape, span_of("state"), &list, &why));
    assert_false(sql_shape_equal(&shape, &other));
    while (shape.count < SQL_COLUMNS_MAX)
        assert_true(sql_shape_add(&shape, span_of("x"), &list, &why));
    assert_false(sql_shape_add(&shape, span_of("x"), &list, &why));
}

static int start(void **state)
{
    (void)state;
    fake_services_start(&fake);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_services_stop(&fake);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placeholders_become_parameters),
        cmocka_unit_test(bad_queries_are_refused),
        cmocka_unit_test(ids_have_the_form_of_their_type),
        cmocka_unit_test(rows_become_a_member),
        cmocka_unit_test(another_person_is_never_found),
        cmocka_unit_test(a_member_has_so_many_rows),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(only_case_may_differ),
        cmocka_unit_test(columns_are_judged),
    };
    return cmocka_run_group_tests_name("sql_query", tests, start, stop);
}
