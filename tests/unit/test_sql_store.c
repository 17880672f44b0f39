/* SPDX-License-Identifier: MIT
 * Look-ups of an SQL store: connections, second tries, and what verdicts become.  The database is
 * one for tests. */
#include "base/clock.h"
#include "fake_services.h"
#include "plugins/sql/backend.h"
#include "support.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUERY     "SELECT id AS appUserId FROM t WHERE id = {id}"
#define APP_QUERY QUERY " AND app = {appId}"

static struct fake_services fake;
static struct fake_result result;
static struct sql_settings settings;
static struct sql_store *store;

/* ---- A database ---- */

/* What became of the questions, and how the next ones end. */
static struct {
    int connects, connections, asked, cancelled, counted, good, blamed, others;
    char id[64], app[64];
    int64_t number;
    enum sql_verdict verdicts[4]; /* of the questions, in order; then SQL_GOOD */
    int rows, lasts_ms;           /* how many are given, and how long a question takes */
    bool fails_to_connect, leaves_rows;
    void (*meanwhile)(void);
} seen;

static void *connect_database(struct sql_client *client, int64_t deadline, struct sql_fault *fault)
{
    const struct memberchat_list *wanted = &client->services->wanted;
    struct sql_shape *connection = seen.fails_to_connect ? NULL : calloc(1, sizeof *connection);
    (void)deadline;
    sql_fault_set(fault, SQL_REFUSED, "access denied");
    if (!connection)
        return NULL;
    assert_true(sql_shape_add(connection, span_of("appUserId"), wanted, &fault->why));
    assert_true(sql_shape_add(connection, span_of("mail"), wanted, &fault->why));
    seen.connects++;
    seen.connections++;
    return connection;
}

static void disconnect(void *client, void *connection)
{
    (void)client;
    seen.connections--;
    free(connection);
}

static bool is_good(void *client, const void *connection)
{
    (void)client;
    return connection != NULL;
}

static enum sql_verdict ask(void *handle, const struct sql_question *question,
                            struct sql_answer *answer, int64_t deadline, struct sql_fault *fault)
{
    struct sql_shape *connection = handle;
    int number = seen.asked++;
    enum sql_verdict verdict = number < 4 ? seen.verdicts[number] : SQL_GOOD;
    (void)deadline;
    snprintf(seen.id, sizeof seen.id, "%.*s", (int)question->id.length, question->id.data);
    snprintf(seen.app, sizeof seen.app, "%.*s", (int)question->app_id.length,
             question->app_id.data);
    seen.number = question->number;
    poll(NULL, 0, seen.lasts_ms);
    if (seen.meanwhile)
        seen.meanwhile();
    for (int i = 0; i < seen.rows; i++)
        assert_true(sql_answer_add(answer, connection,
                                   (struct span[]){question->id, span_of("ann@example.com")}));
    answer->unread = seen.leaves_rows;
    if (verdict > SQL_GOOD)
        sql_fault_set(fault, verdict, "verdict %d", verdict);
    return verdict ? verdict : SQL_GOOD;
}

static void cancel(void *client, const void *connection, int64_t deadline)
{
    assert_true(client && connection && clock_left_ms(deadline) <= 300);
    seen.cancelled++;
}

static bool note(void *client, const void *connection, const struct sql_fault *fault)
{
    assert_true(client && connection);
    seen.good += !fault;
    return fault && seen.blamed++ < seen.others;
}

static void count(struct sql_client *client)
{
    seen.counted += client != NULL;
}

static const struct sql_backend plain = {.dialect = QUERY_SQLITE,
                                         .connect = connect_database,
                                         .disconnect = disconnect,
                                         .is_good = is_good,
                                         .ask = ask};
static struct sql_backend whole; /* with all that is optional */

static bool refuse_to_open(struct sql_client *client, struct reason *why)
{
    (void)client;
    reason_set(why, "not today");
    return false;
}

/* ---- The store around it ---- */

static int start(void **state)
{
    (void)state;
    fake_services_start(&fake);
    memset(&seen, 0, sizeof seen);
    whole = plain;
    whole.cancel = cancel;
    whole.note = note;
    whole.forgive = whole.close = count;
    settings = (struct sql_settings){.query = QUERY, .timeout = 1000};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_services_stop(&fake);
    return 0;
}

#define STORE_TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

static void open_store(const struct sql_backend *backend)
{
    store = sql_store_open(backend, &settings, &fake.table, fake_result_start(&result));
    assert_non_null(store);
}

static void close_store(void)
{
    sql_store_close(store);
    assert_int_equal(seen.connections, 0);
}

static enum memberchat_outcome look_up_within(int64_t ms, const char *id)
{
    return sql_store_lookup(store, id, strlen(id), clock_monotonic_ms() + ms,
                            fake_result_start(&result));
}

static enum memberchat_outcome look_up(const char *id)
{
    return look_up_within(2000, id);
}

static enum memberchat_outcome probe(void)
{
    return sql_store_probe(store, clock_monotonic_ms() + 2000, fake_result_start(&result));
}

static struct memberchat_holdings holdings;

static enum memberchat_outcome survey_within(int64_t ms)
{
    holdings.missing[0] = '\0';
    return sql_store_survey(store, clock_monotonic_ms() + ms, &holdings,
                            fake_result_start(&result));
}

static void what_cannot_be_opened_is_told(void **state)
{
    struct memberchat_result *given = fake_result_start(&result);
    (void)state;
    whole.open = refuse_to_open;
    assert_null(sql_store_open(&whole, &settings, &fake.table, given));
    assert_string_equal(result.reason, "not today");
    settings.query = "SELECT 1";
    assert_null(sql_store_open(&plain, &settings, &fake.table, given));
    assert_string_equal(result.reason, "query: has no {id}: it would find the same for everyone");
}

static void verdicts_become_outcomes(void **state)
{
    static const struct {
        enum sql_verdict verdict;
        enum memberchat_outcome lookup, probe;
        int connections; /* that are kept */
        bool leaves_rows;
    } rows[] = {
        {SQL_GOOD, MEMBERCHAT_NOT_FOUND, MEMBERCHAT_FOUND, 1, false},
        {SQL_GOOD, MEMBERCHAT_NOT_FOUND, MEMBERCHAT_FOUND, 0, true},
        {SQL_ABSENT, MEMBERCHAT_NOT_FOUND, MEMBERCHAT_FOUND, 1, false},
        {SQL_BUSY, MEMBERCHAT_UNAVAILABLE, MEMBERCHAT_UNAVAILABLE, 1, false},
        {SQL_LOST, MEMBERCHAT_UNAVAILABLE, MEMBERCHAT_UNAVAILABLE, 0, false},
        {SQL_LATE, MEMBERCHAT_UNAVAILABLE, MEMBERCHAT_UNAVAILABLE, 0, false},
        {SQL_REFUSED, MEMBERCHAT_MISCONFIGURED, MEMBERCHAT_MISCONFIGURED, 0, false},
        {SQL_WRONG, MEMBERCHAT_MISCONFIGURED, MEMBERCHAT_MISCONFIGURED, 1, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        memset(&seen, 0, sizeof seen);
        seen.verdicts[0] = rows[i].verdict;
        seen.leaves_rows = rows[i].leaves_rows;
        open_store(i % 2 ? &plain : &whole);
        assert_int_equal(look_up("m1"), rows[i].lookup);
        assert_int_equal(seen.asked, 1);
        assert_int_equal(seen.cancelled, rows[i].verdict == SQL_LATE && i % 2 == 0);
        assert_int_equal(seen.connections, rows[i].connections);
        close_store();
        seen.asked = 0;
        open_store(i % 2 ? &whole : &plain);
        assert_int_equal(probe(), rows[i].probe);
        assert_string_equal(seen.id, "memberchat-probe");
        close_store();
    }
}

static void connections_that_fail_are_replaced_once(void **state)
{
    static const struct {
        enum sql_verdict verdicts[4]; /* the first leaves an idle connection */
        int rows, lasts_ms;
        enum memberchat_outcome outcome;
        int asked, cancelled, blamed, others; /* servers */
    } cases[] = {
        {{SQL_ABSENT, SQL_LOST, SQL_GOOD}, 0, 0, MEMBERCHAT_NOT_FOUND, 3, 0, 0, 0},
        {{SQL_ABSENT, SQL_REFUSED, SQL_GOOD}, 0, 0, MEMBERCHAT_NOT_FOUND, 3, 0, 0, 0},
        {{SQL_ABSENT, SQL_LATE, SQL_LATE}, 0, 0, MEMBERCHAT_UNAVAILABLE, 3, 2, 1, 0},
        {{SQL_ABSENT, SQL_LATE, SQL_LATE}, 0, 1, MEMBERCHAT_UNAVAILABLE, 3, 2, 0, 0}, /* early */
        {{SQL_ABSENT, SQL_LATE, SQL_LATE, SQL_GOOD}, 0, 0, MEMBERCHAT_NOT_FOUND, 4, 2, 1, 1},
        {{SQL_ABSENT, SQL_LOST, SQL_LOST}, 0, 0, MEMBERCHAT_UNAVAILABLE, 3, 0, 1, 0},
        {{SQL_ABSENT, SQL_LOST, SQL_LOST, SQL_GOOD}, 0, 0, MEMBERCHAT_NOT_FOUND, 4, 0, 1, 1},
        {{SQL_ABSENT, SQL_LOST, SQL_LOST, SQL_LOST}, 0, 0, MEMBERCHAT_UNAVAILABLE, 4, 0, 2, 2},
        {{SQL_ABSENT, SQL_WRONG}, 0, 0, MEMBERCHAT_MISCONFIGURED, 2, 0, 0, 0},
        {{SQL_ABSENT, SQL_LOST}, 1, 0, MEMBERCHAT_UNAVAILABLE, 2, 0, 0, 0},   /* there were rows */
        {{SQL_ABSENT, SQL_LOST}, 0, 600, MEMBERCHAT_UNAVAILABLE, 2, 0, 0, 0}, /* no time is left */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        memset(&seen, 0, sizeof seen);
        memcpy(seen.verdicts, cases[i].verdicts, sizeof seen.verdicts);
        open_store(&whole);
        assert_int_equal(look_up("m1"), MEMBERCHAT_NOT_FOUND);
        seen.rows = cases[i].rows;
        seen.others = cases[i].others;
        seen.lasts_ms = cases[i].lasts_ms;
        assert_int_equal(look_up_within(cases[i].lasts_ms ? 600 : 2000, "m1"), cases[i].outcome);
        assert_int_equal(seen.asked, cases[i].asked);
        assert_int_equal(seen.cancelled, cases[i].cancelled);
        assert_int_equal(seen.blamed, cases[i].blamed);
        assert_int_equal(seen.good, 1 + (cases[i].outcome == MEMBERCHAT_NOT_FOUND));
        close_store();
    }
}

static void ids_of_another_form_are_not_asked_for(void **state)
{
    (void)state;
    settings.id_type = SQL_INTEGER;
    open_store(&plain);
    assert_int_equal(look_up("m1"), MEMBERCHAT_NOT_FOUND);
    assert_int_equal(seen.asked, 0);
    seen.rows = 1;
    assert_int_equal(look_up("-42"), MEMBERCHAT_FOUND);
    assert_int_equal(seen.number, -42);
    seen.rows = 0;
    assert_int_equal(probe(), MEMBERCHAT_FOUND);
    assert_int_equal(seen.number, -1);
    close_store();
}

static const char *app = "";

static const char *tell_app(const struct memberchat_result *given)
{
    (void)given;
    return app;
}

static void an_app_is_needed_where_the_query_has_one(void **state)
{
    (void)state;
    settings.query = APP_QUERY;
    assert_true(sql_store_per_app(&settings));
    fake.table.app_id = tell_app;
    open_store(&plain);
    app = "";
    assert_int_equal(look_up("m1"), MEMBERCHAT_MISCONFIGURED);
    assert_string_equal(result.reason, "no app uses this store, so {appId} has no value");
    assert_int_equal(seen.asked, 0);
    app = "shop";
    assert_int_equal(look_up("m1"), MEMBERCHAT_NOT_FOUND);
    assert_string_equal(seen.app, "shop");
    close_store();
    settings.query = QUERY;
    assert_false(sql_store_per_app(&settings));
    open_store(&plain);
    assert_int_equal(look_up("m1"), MEMBERCHAT_NOT_FOUND);
    assert_string_equal(seen.app, "");
    close_store();
}

/* ---- Connections ---- */

/* While the only connection is in use. */
static void look_up_and_survey(void)
{
    seen.meanwhile = NULL;
    assert_int_equal(look_up_within(50, "m2"), MEMBERCHAT_UNAVAILABLE);
    assert_non_null(strstr(result.reason, "every connection was in use until the deadline"));
    assert_int_equal(survey_within(50), MEMBERCHAT_UNAVAILABLE);
    assert_string_equal(result.reason, "out of memory, or no connection was free");
}

static void no_more_connections_than_may_be(void **state)
{
    (void)state;
    settings.connections = 1;
    open_store(&plain);
    seen.meanwhile = look_up_and_survey;
    assert_int_equal(look_up("m1"), MEMBERCHAT_NOT_FOUND);
    assert_int_equal(seen.asked, 1);
    assert_int_equal(seen.connects, 1);
    assert_int_equal(look_up("m2"), MEMBERCHAT_NOT_FOUND); /* it is free again */
    close_store();
}

static void faults_of_connecting_are_told(void **state)
{
    (void)state;
    seen.fails_to_connect = true;
    open_store(&plain);
    assert_int_equal(look_up("m1"), MEMBERCHAT_MISCONFIGURED);
    assert_string_equal(result.reason, "access denied");
    assert_int_equal(survey_within(2000), MEMBERCHAT_MISCONFIGURED);
    assert_string_equal(result.reason, "access denied");
    close_store();
}

static void reloading_ends_idle_connections(void **state)
{
    (void)state;
    settings.idle_timeout = 60000;
    for (int i = 0; i < 4; i++) {
        bool asked = i & 1, all = i & 2;
        memset(&seen, 0, sizeof seen);
        open_store(all ? &whole : &plain);
        assert_int_equal(look_up("m1"), MEMBERCHAT_NOT_FOUND);
        sql_store_reload(store, asked);
        assert_int_equal(seen.connections, !asked);
        assert_int_equal(seen.counted, asked && all);
        close_store();
    }
}

static void columns_that_the_query_lacks_are_listed(void **state)
{
    static const char long_name[] = "a-name-of-60-bytes-a-name-of-60-bytes-a-name-of-60-bytes-six";
    static const char *const few[] = {"mail", "phone", "room"};
    static const char *const many[] = {long_name, long_name, long_name,
                                       long_name, long_name, "never-told"};
    (void)state;
    fake.table.wanted = (struct memberchat_list){few, COUNT(few)};
    open_store(&plain);
    assert_int_equal(survey_within(2000), MEMBERCHAT_FOUND);
    assert_string_equal(holdings.missing, "phone, room");
    close_store();
    fake.table.wanted = (struct memberchat_list){many, COUNT(many)};
    open_store(&plain);
    assert_int_equal(survey_within(2000), MEMBERCHAT_FOUND);
    assert_int_equal(strlen(holdings.missing), sizeof holdings.missing - 1);
    close_store();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(what_cannot_be_opened_is_told),
        STORE_TEST(verdicts_become_outcomes),
        STORE_TEST(connections_that_fail_are_replaced_once),
        STORE_TEST(ids_of_another_form_are_not_asked_for),
        STORE_TEST(an_app_is_needed_where_the_query_has_one),
        STORE_TEST(no_more_connections_than_may_be),
        STORE_TEST(faults_of_connecting_are_told),
        STORE_TEST(reloading_ends_idle_connections),
        STORE_TEST(columns_that_the_query_lacks_are_listed),
    };
    return cmocka_run_group_tests_name("sql_store", tests, NULL, NULL);
}
