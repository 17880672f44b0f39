/* SPDX-License-Identifier: MIT
 * What may be configured for a database behind a network. */
#include "fake_services.h"
#include "plugins/sql/servers.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fake_services fake;
static struct sql_settings settings;
static struct sql_client client = {.settings = &settings, .services = &fake.table};

static int start(void **state)
{
    fake_services_start(&fake);
    settings = (struct sql_settings){.socket = "/run/db"};
    return scratch_start(state);
}

static int stop(void **state)
{
    fake_services_stop(&fake);
    return scratch_stop(state);
}

#define LONG_63 "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-abcdefghi"
#define HOST_253                                                                                   \
    LONG_63 "." LONG_63 "." LONG_63 "." /* and another 61 */                                       \
            "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-abcdefg"

static void settings_are_judged(void **state)
{
    static const struct {
        const char *hosts[2], *socket;
        enum sql_tls tls;
        bool allow_cleartext;
        const char *ca_file, *reason; /* NULL: they are good */
    } rows[] = {
        {.reason = "\"hosts\" or \"socket\" must be set"},
        {.hosts = {"db"},
         .socket = "/run/db",
         .reason = "socket: \"hosts\" is set, too: keep one of them"},
        {.socket = "/run/db", .tls = SQL_TLS_OFF},
        {.hosts = {"db.example.com"}},
        {.hosts = {HOST_253}},
        {.hosts = {HOST_253 "x"}, .reason = "is not a host name or address"},
        {.hosts = {"db", ""}, .reason = "hosts: \"\" is not a host name"},
        {.hosts = {"db", "a b"}, .reason = "hosts: \"a b\" is not a host name"},
        {.hosts = {"db:3306"}, .reason = "and no port: that is \"port\""},
        {.hosts = {"[::1]"}, .reason = "IPv6 without brackets"},
        {.hosts = {"gr\u00fcn"}, .reason = "is not a host name"},
        {.hosts = {"fe80::1%eth0", "my_db"}},
        {.hosts = {"127.0.0.1", "::1"}, .tls = SQL_TLS_OFF},
        {.hosts = {"127.0.0.1", "10.0.0.1"},
         .tls = SQL_TLS_OFF,
         .reason = "tls: is off, and 10.0.0.1 is another machine"},
        {.hosts = {"10.0.0.1"}, .tls = SQL_TLS_OFF, .allow_cleartext = true},
        {.hosts = {"10.0.0.1"}, .tls = SQL_TLS_REQUIRE},
        {.hosts = {"db"}, .ca_file = "/nowhere/ca.pem", .reason = "ca_file: /nowhere/ca.pem"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reason why = {""};
        size_t count = rows[i].hosts[0] ? rows[i].hosts[1] ? 2 : 1 : 0;
        settings = (struct sql_settings){.hosts = {rows[i].hosts, count},
                                         .socket = rows[i].socket,
                                         .tls = rows[i].tls,
                                         .allow_cleartext = rows[i].allow_cleartext,
                                         .ca_file = rows[i].ca_file};
        bool good = sql_servers_check(&client, &why);
        expect(good == !rows[i].reason, "row %zu: %s", i, why.text);
        expect(good || strstr(why.text, rows[i].reason), "row %zu: %s", i, why.text);
    }
}

static void certificates_are_looked_at(void **state)
{
    struct reason why = {""};
    (void)state;
    settings.ca_file = scratch_write("ca.pem", SPAN("-----BEGIN CERTIFICATE-----\n"));
    assert_true(sql_servers_check(&client, &why));
    settings.ca_file = scratch_write("ca.pem", SPAN("-----BEGIN PRIVATE KEY-----\n"));
    assert_false(sql_servers_check(&client, &why));
    expect_contains(why.text, "no certificate in PEM");
}

static void passwords_are_judged(void **state)
{
    char *longest = repeated('x', 1024), *longer = repeated('x', 1025);
    char ended[1027];
    snprintf(ended, sizeof ended, "%s\r\n", longest);
    const struct {
        struct span content;
        unsigned mode;
        const char *reason; /* NULL: it is good */
        bool warned;
    } rows[] = {
        {SPAN("secret"), 0600, NULL, false},
        {SPAN("secret\n"), 0604, NULL, true},
        {span_of(ended), 0600, NULL, false},
        {span_of(longer), 0600, "is larger than 1024 bytes", false},
        {SPAN(""), 0600, "is empty", false},
        {SPAN("\n"), 0600, "is empty", false},
        {SPAN("one\ntwo\n"), 0600, "must be one line of text; byte 4 is not", false},
        {SPAN("one\0two"), 0600, "must be one line of text; byte 4 is not", false},
        {SPAN("secret"), 0606, "any user of this machine can write", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reason why = {""};
        fake_services_forget(&fake);
        settings.password_file = scratch_write_mode("sql.password", rows[i].content, rows[i].mode);
        bool good = sql_servers_check(&client, &why);
        expect(good == !rows[i].reason, "row %zu: %s", i, why.text);
        expect(good || strstr(why.text, rows[i].reason), "row %zu: %s", i, why.text);
        expect(fake_services_count(&fake, "any user of this machine can read it") == rows[i].warned,
               "row %zu", i);
    }
    free(longest);
    free(longer);
}

static void the_query_is_judged_first(void **state)
{
    static const struct sql_backend backend = {.dialect = QUERY_PGSQL, .check = sql_servers_check};
    static struct fake_result result;
    struct memberchat_result *given = fake_result_start(&result);
    (void)state;
    settings.query = "SELECT id AS appUserId FROM people WHERE id = {id}";
    assert_true(sql_store_check(&backend, &settings, &fake.table, given));
    settings.socket = NULL;
    assert_false(sql_store_check(&backend, &settings, &fake.table, given));
    expect_contains(result.reason, "\"hosts\" or \"socket\" must be set");
    settings.query = "SELECT 1";
    assert_false(sql_store_check(&backend, &settings, &fake.table, given));
    expect_contains(result.reason, "query: has no {id}");
}

static void messages_of_tls_are_told_apart(void **state)
{
    (void)state;
    assert_true(sql_servers_tls_is_wrong("SSL error: certificate verify failed"));
    assert_true(sql_servers_tls_is_wrong("server does not support SSL"));
    assert_false(sql_servers_tls_is_wrong("Connection reset by peer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(settings_are_judged, start, stop),
        cmocka_unit_test_setup_teardown(certificates_are_looked_at, start, stop),
        cmocka_unit_test_setup_teardown(passwords_are_judged, start, stop),
        cmocka_unit_test_setup_teardown(the_query_is_judged_first, start, stop),
        cmocka_unit_test(messages_of_tls_are_told_apart),
    };
    return cmocka_run_group_tests_name("sql_settings", tests, NULL, NULL);
}
