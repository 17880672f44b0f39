/* SPDX-License-Identifier: MIT
 * The servers of an SQL store: which of them is asked, and what is told when none answers.
 * The client library is one for tests. */
#include "base/clock.h"
#include "fake_network.h"
#include "fake_services.h"
#include "plugins/sql/servers.h"
#include "support.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct fake_services fake;
static struct sql_settings settings;
static struct sql_client client = {.settings = &settings, .services = &fake.table};

static int start(void **state)
{
    fake_services_start(&fake);
    fake_network_start();
    settings = (struct sql_settings){.connect_timeout = 2000};
    return scratch_start(state);
}

static int stop(void **state)
{
    fake_services_stop(&fake);
    return scratch_stop(state);
}

#define SERVERS_TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

/* ---- Connecting ---- */

struct link {
    struct sql_link base;
    bool is_prepared;
};

/* What became of the attempts to connect, and what the next ones end with. */
static struct {
    int sign_ins, links;
    char order[256]; /* of addresses, a blank behind each */
    struct sql_target target;
    uint64_t ended; /* a session */
    const char *fails, *text;
    enum sql_verdict verdict;
    bool prepare_fails, nests;
    enum sql_verdict nested;
} seen;

static void fail_at(const char *address, enum sql_verdict verdict, const char *text)
{
    seen.fails = address;
    seen.verdict = verdict;
    seen.text = text;
}

static bool sign_in(void *connection, const struct sql_target *target, int64_t deadline,
                    struct sql_fault *fault)
{
    struct link *link = connection;
    size_t used = strlen(seen.order);
    snprintf(seen.order + used, sizeof seen.order - used, "%s ", target->address);
    seen.links++;
    seen.sign_ins++;
    seen.target = *target;
    assert_int_equal(link->base.fd, -1);
    assert_true(deadline > 0);
    if (seen.nests) { /* another one, while this one does not end */
        struct sql_fault other;
        seen.nests = false;
        assert_null(sql_servers_connect(&client, within(20), &other));
        seen.nested = other.verdict;
    }
    if (seen.fails && strstr(seen.fails, target->address))
        return sql_fault_set(fault, seen.verdict, "%s", seen.text);
    link->base.session = 17;
    return true;
}

static bool prepare(void *connection, int64_t deadline, struct sql_fault *fault)
{
    struct link *link = connection;
    (void)deadline;
    link->is_prepared = true;
    return !seen.prepare_fails || sql_fault_set(fault, SQL_WRONG, "no such table");
}

static void end_session(void *connection, uint64_t session, int64_t deadline)
{
    (void)connection;
    (void)deadline;
    seen.ended = session;
}

static void disconnect(void *handle, void *connection)
{
    assert_ptr_equal(handle, &client);
    seen.links--;
    free(connection);
}

static const struct sql_protocol protocol = {sizeof(struct link), sign_in, prepare, end_session,
                                             disconnect};

static void open_servers(void)
{
    struct reason why;
    memset(&seen, 0, sizeof seen);
    assert_true(sql_servers_open(&client, &why, 5432, &protocol));
}

static void close_servers(void)
{
    assert_int_equal(seen.links, 0);
    sql_servers_close(&client);
}

/* Connects and disconnects; SQL_GOOD, or what went wrong. */
static enum sql_verdict attempt(struct sql_fault *fault)
{
    struct link *link = sql_servers_connect(&client, within(3000), fault);
    if (link) {
        assert_true(link->is_prepared);
        disconnect(&client, link);
    }
    return link ? SQL_GOOD : fault->verdict;
}

static void servers_are_tried_in_order(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3"};
    static const struct {
        const char *fails;
        enum sql_verdict verdict;
        bool good;
        const char *order, *reason;
    } rows[] = {
        {"", SQL_LOST, true, "127.0.0.1 ", ""},
        {"127.0.0.1", SQL_WRONG, true, "127.0.0.1 127.0.0.1 127.0.0.2 ", ""},
        {"127.0.0.1 127.0.0.2", SQL_LATE, true,
         "127.0.0.1 127.0.0.1 127.0.0.2 127.0.0.2 127.0.0.3 ", ""},
        {"127.0.0.1 127.0.0.2 127.0.0.3", SQL_LOST, false,
         "127.0.0.1 127.0.0.1 127.0.0.2 127.0.0.2 127.0.0.3 127.0.0.3 ",
         "127.0.0.1: no; 127.0.0.2: no; 127.0.0.3: no"},
        {"127.0.0.1", SQL_REFUSED, false, "127.0.0.1 ", "127.0.0.1: no; not tried again for 1 s"},
    };
    (void)state;
    settings.hosts = (struct memberchat_list){hosts, COUNT(hosts)};
    atomic_store(&resolver_addresses, 2); /* of each, and both the same */
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sql_fault fault = {.verdict = SQL_GOOD};
        open_servers();
        fail_at(rows[i].fails, rows[i].verdict, "no");
        expect((attempt(&fault) == SQL_GOOD) == rows[i].good, "row %zu", i);
        assert_string_equal(seen.order, rows[i].order);
        expect(rows[i].good || fault.verdict == rows[i].verdict, "row %zu: %d", i, fault.verdict);
        assert_string_equal(fault.why.text + (rows[i].good ? strlen(fault.why.text) : 0),
                            rows[i].reason);
        close_servers();
    }
}

/* Of the faults of several servers, one that may pass by itself counts. */
static void the_fault_that_may_pass_counts(void **state)
{
    static const struct {
        const char *hosts[2];
        enum sql_verdict verdict;
    } rows[] = {{{"one.example.com", "127.0.0.2"}, SQL_REFUSED},
                {{"one.example.com", "127.0.0.2"}, SQL_WRONG},
                {{"127.0.0.2", "one.example.com"}, SQL_WRONG}};
    (void)state;
    atomic_store(&resolver_failure, EAI_NONAME);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sql_fault fault;
        settings.hosts = (struct memberchat_list){rows[i].hosts, 2};
        open_servers();
        fail_at("127.0.0.2", rows[i].verdict, "no");
        assert_int_equal(attempt(&fault), SQL_LOST);
        expect_contains(fault.why.text, "one.example.com: ");
        expect_contains(fault.why.text, "127.0.0.2: no");
        close_servers();
    }
}

static void a_server_that_answers_again_is_told(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.2"};
    struct sql_fault fault;
    (void)state;
    settings.hosts = (struct memberchat_list){hosts, COUNT(hosts)};
    open_servers();
    fail_at("127.0.0.1", SQL_LOST, "refused");
    assert_int_equal(attempt(&fault), SQL_GOOD);
    assert_int_equal(fake_services_count(&fake, "W 127.0.0.1: refused; other servers are"), 1);
    seen.fails = NULL;
    assert_int_equal(attempt(&fault), SQL_GOOD);
    assert_string_equal(seen.order, "127.0.0.1 127.0.0.2 127.0.0.2 ");
    sql_servers_forgive(&client); /* now everything may be tried again */
    struct link *link = sql_servers_connect(&client, within(3000), &fault);
    assert_string_equal(seen.order, "127.0.0.1 127.0.0.2 127.0.0.2 127.0.0.1 ");
    assert_int_equal(fake_services_count(&fake, "I 127.0.0.1: answers again"), 0);
    assert_false(sql_servers_note(&client, link, NULL)); /* a question was answered */
    assert_int_equal(fake_services_count(&fake, "I 127.0.0.1: answers again"), 1);
    disconnect(&client, link);
    close_servers();
}

static void connections_over_a_network_are_encrypted(void **state)
{
    static const struct {
        const char *host;
        enum sql_tls tls;
        const char *ca_file;
        bool allow_cleartext, encrypt, verify;
        const char *reason; /* NULL: it connects */
    } rows[] = {
        {"127.0.0.1", SQL_TLS_VERIFY, NULL, false, false, true, NULL},
        {"127.0.0.1", SQL_TLS_VERIFY, "ca.pem", false, true, true, NULL},
        {"127.0.0.1", SQL_TLS_OFF, "ca.pem", false, false, false, NULL},
        {"10.0.0.1", SQL_TLS_VERIFY, NULL, false, true, true, NULL},
        {"10.0.0.1", SQL_TLS_REQUIRE, NULL, false, true, false, NULL},
        {"10.0.0.1", SQL_TLS_OFF, NULL, true, false, false, NULL},
        {"10.0.0.1", SQL_TLS_OFF, NULL, false, false, false,
         "10.0.0.1: tls is off, and 10.0.0.1 is another machine"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sql_fault fault;
        settings.hosts = (struct memberchat_list){&rows[i].host, 1};
        settings.tls = rows[i].tls;
        settings.ca_file = rows[i].ca_file;
        settings.allow_cleartext = rows[i].allow_cleartext;
        open_servers();
        expect((attempt(&fault) == SQL_GOOD) == !rows[i].reason, "row %zu", i);
        if (rows[i].reason) {
            assert_int_equal(seen.sign_ins, 0);
            assert_int_equal(fault.verdict, SQL_WRONG);
            assert_string_equal(fault.why.text, rows[i].reason);
        } else {
            expect(seen.target.encrypt == rows[i].encrypt, "row %zu", i);
            expect(seen.target.verify == rows[i].verify, "row %zu", i);
            assert_string_equal(seen.target.host, rows[i].host);
            assert_int_equal(seen.target.port, 5432);
        }
        close_servers();
    }
}

static void names_that_are_not_resolved_in_time(void **state)
{
    static const char *const hosts[] = {"db.example.com"};
    struct sql_fault fault;
    (void)state;
    settings.hosts = (struct memberchat_list){hosts, 1};
    settings.port = 3307;
    open_servers();
    atomic_store(&resolver_delay_ms, 200);
    assert_null(sql_servers_connect(&client, within(30), &fault));
    assert_int_equal(fault.verdict, SQL_LATE);
    assert_int_equal(attempt(&fault), SQL_GOOD); /* the answer that came meanwhile */
    assert_int_equal(seen.target.port, 3307);
    close_servers();
}

static void a_query_that_cannot_be_prepared_is_told(void **state)
{
    struct sql_fault fault;
    (void)state;
    settings.socket = "/run/db";
    open_servers();
    seen.prepare_fails = true;
    assert_int_equal(attempt(&fault), SQL_WRONG);
    assert_string_equal(fault.why.text, "/run/db: no such table");
    assert_string_equal(seen.order, "/run/db ");
    close_servers();
}

/* ---- Passwords ---- */

static void refused_passwords_are_not_tried_again(void **state)
{
    struct sql_fault fault;
    (void)state;
    settings.socket = "/run/db";
    settings.password_file = scratch_write_mode("sql.password", SPAN("wrong"), 0600);
    open_servers();
    fail_at("/run/db", SQL_REFUSED, "access denied");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(attempt(&fault), SQL_REFUSED);
        assert_string_equal(fault.why.text, "/run/db: access denied; not tried again for 1 s");
    }
    assert_int_equal(seen.sign_ins, 1);
    seen.fails = NULL;
    scratch_write_mode("sql.password", SPAN("right"), 0600);
    assert_int_equal(attempt(&fault), SQL_GOOD);
    assert_int_equal(seen.sign_ins, 2);
    scratch_write_mode("sql.password", SPAN(""), 0600);
    assert_int_equal(attempt(&fault), SQL_WRONG);
    expect_contains(fault.why.text, "is empty");
    descriptors_end(); /* nobody has to mend that */
    enum sql_verdict verdict = attempt(&fault);
    descriptors_begin();
    assert_int_equal(verdict, SQL_BUSY);
    close_servers();
}

static void one_attempt_waits_for_another(void **state)
{
    struct sql_fault fault;
    (void)state;
    settings.socket = "/run/db";
    open_servers();
    seen.nests = true;
    assert_int_equal(attempt(&fault), SQL_GOOD);
    assert_int_equal(seen.nested, SQL_LATE);
    assert_int_equal(seen.sign_ins, 1);
    close_servers();
}

/* ---- Connections ---- */

static void late_queries_are_ended_at_their_server(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.2"};
    struct sql_fault fault;
    (void)state;
    settings.hosts = (struct memberchat_list){hosts, COUNT(hosts)};
    settings.password_file = scratch_write_mode("sql.password", SPAN("secret"), 0600);
    open_servers();
    fail_at("127.0.0.1", SQL_LOST, "gone");
    struct link *link = sql_servers_connect(&client, within(3000), &fault);
    seen.order[0] = '\0';
    sql_servers_cancel(&client, link, within(3000));
    assert_int_equal(seen.ended, 17);
    assert_string_equal(seen.order, "127.0.0.2 ");

    seen.ended = 0;
    seen.fails = "127.0.0.2";
    sql_servers_cancel(&client, link, within(3000)); /* the server is gone, too */
    assert_int_equal(seen.ended, 0);
    assert_int_equal(seen.sign_ins, 4);
    assert_int_equal(unlink(settings.password_file), 0);
    sql_servers_cancel(&client, link, within(3000)); /* nobody knows the password */
    assert_int_equal(seen.sign_ins, 4);
    disconnect(&client, link);
    close_servers();
}

static void idle_connections_are_looked_at(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.2"};
    struct sql_fault fault;
    int ends[2];
    (void)state;
    settings.hosts = (struct memberchat_list){hosts, COUNT(hosts)};
    open_servers();
    struct link *link = sql_servers_connect(&client, within(3000), &fault);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    link->base.fd = ends[0];
    assert_true(sql_servers_is_good(&client, link));
    fail_at("127.0.0.1", SQL_LOST, "gone");
    assert_int_equal(attempt(&fault), SQL_GOOD); /* to the second, so the first is left alone */
    assert_false(sql_servers_is_good(&client, link));
    sql_servers_forgive(&client);
    assert_true(sql_servers_is_good(&client, link));
    assert_true(sql_servers_note(&client, link, &fault));
    assert_int_equal(sql_servers_await(ends[0], POLLIN, within(20)), 0);
    close(ends[1]);
    assert_true(sql_servers_await(ends[0], POLLIN, within(1000)) & POLLIN);
    assert_false(sql_servers_is_good(&client, link));
    close(ends[0]);
    disconnect(&client, link);
    close_servers();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVERS_TEST(servers_are_tried_in_order),
        SERVERS_TEST(the_fault_that_may_pass_counts),
        SERVERS_TEST(a_server_that_answers_again_is_told),
        SERVERS_TEST(connections_over_a_network_are_encrypted),
        SERVERS_TEST(names_that_are_not_resolved_in_time),
        SERVERS_TEST(a_query_that_cannot_be_prepared_is_told),
        SERVERS_TEST(refused_passwords_are_not_tried_again),
        SERVERS_TEST(one_attempt_waits_for_another),
        SERVERS_TEST(late_queries_are_ended_at_their_server),
        SERVERS_TEST(idle_connections_are_looked_at),
    };
    return cmocka_run_group_tests_name("sql_servers", tests, NULL, NULL);
}
