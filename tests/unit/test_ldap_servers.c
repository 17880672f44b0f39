/* SPDX-License-Identifier: MIT
 * Servers that fail, and those that the DNS names. */
#include "fake_network.h"
#include "fake_services.h"
#include "plugins/ldap/servers.h"
#include "plugins/ldap/tls.h"
#include "support.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct fake_services fake;

static int start(void **state)
{
    (void)state;
    fake_services_start(&fake);
    fake_network_start();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_services_stop(&fake);
    return 0;
}

/* ---- Servers that fail ---- */

/* Whether a connection is made, and how often the first server was tried for it. */
static int tries_of_first(struct ldap_servers *servers)
{
    struct ldap_connection connection;
    struct ldap_fault fault;
    int before = atomic_load(&resolver_questions);
    if (!ldap_servers_connect(servers, within(3000), &connection, &fault))
        fail_msg("%s", fault.why.text);
    ldap_connection_close(&connection);
    return atomic_load(&resolver_questions) - before;
}

/* The server that a connection is made to, from the words about a failure. */
static void expect_fault(struct ldap_servers *servers, const char *words)
{
    struct ldap_connection connection;
    struct ldap_fault fault;
    if (ldap_servers_connect(servers, within(2000), &connection, &fault))
        fail_msg("connected");
    expect(strstr(fault.why.text, words), "%s", fault.why.text);
    assert_int_equal(ldap_fault_outcome(&fault), MEMBERCHAT_UNAVAILABLE);
}

/* The first server has no address: it is tried again after 1, 2, 4 ... 30 seconds. */
static void dead_servers_are_left_alone(void **state)
{
    static const int64_t pauses[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
    char uri[64];
    const char *uris[] = {"ldap://one.example.com", uri};
    const struct ldap_settings settings = {
        .uri = {uris, 2}, .connect_timeout = 2000, .allow_cleartext = true};
    struct ldap_servers *servers;
    int fd = fake_network_listen(uri);
    (void)state;
    atomic_store(&resolver_failure, EAI_NONAME);
    ldap_tls_prepare();
    servers = ldap_servers_new(&settings, &fake.table);
    assert_int_equal(tries_of_first(servers), 1);
    for (size_t i = 0; i < COUNT(pauses); i++) {
        assert_int_equal(tries_of_first(servers), 0);
        atomic_fetch_add(&forward_ms, pauses[i] - 500);
        assert_int_equal(tries_of_first(servers), 0);
        atomic_fetch_add(&forward_ms, 500);
        assert_int_equal(tries_of_first(servers), 1);
    }
    ldap_servers_forgive(servers);
    assert_int_equal(tries_of_first(servers), 1);
    assert_int_equal(fake_services_count(&fake, "other servers are asked before it"), 1);
    ldap_servers_free(servers);
    close(fd);
}

/* ---- TLS ---- */

static bool hides_files;

int access(const char *path, int mode)
{
    errno = ENOENT;
    return hides_files ? -1 : faccessat(AT_FDCWD, path, mode, 0);
}

static void tls_needs_authorities(void **state)
{
    char uri[64], tls_uri[80];
    const char *uris[] = {tls_uri, tls_uri};
    const struct ldap_settings settings = {
        .uri = {uris, 2}, .connect_timeout = 2000, .tls_verify = true};
    struct ldap_connection connection;
    struct ldap_fault fault;
    int fd = fake_network_listen(uri);
    (void)state;
    snprintf(tls_uri, sizeof tls_uri, "ldaps%s", strchr(uri, ':'));
    struct ldap_servers *servers = ldap_servers_new(&settings, &fake.table);
    assert_non_null(servers);
    hides_files = true;
    assert_false(ldap_servers_connect(servers, within(3000), &connection, &fault));
    hides_files = false;
    assert_int_equal(ldap_fault_outcome(&fault), MEMBERCHAT_MISCONFIGURED);
    assert_non_null(strstr(fault.why.text, "no file of certificate authorities: set \"ca_file\""));
    ldap_servers_free(servers);
    close(fd);
}

/* Of servers that fail each in its way, one that may come back decides, and all are told of. */
static void a_server_that_may_come_back_counts(void **state)
{
    static const char *const words[] = {
        "set \"ca_file\"; ldap://127.0.0.1:1: cannot connect",
        "ldap://127.0.0.1:1: cannot connect: Connection refused; ldaps:"};
    char uri[64], tls_uri[80];
    const char *uris[] = {tls_uri, "ldap://127.0.0.1:1", tls_uri};
    int fd = fake_network_listen(uri);
    (void)state;
    snprintf(tls_uri, sizeof tls_uri, "ldaps%s", strchr(uri, ':'));
    hides_files = true;
    for (size_t i = 0; i < 2; i++) {
        const struct ldap_settings settings = {.uri = {uris + i, 2},
                                               .connect_timeout = 2000,
                                               .allow_cleartext = true,
                                               .tls_verify = true};
        struct ldap_servers *servers = ldap_servers_new(&settings, &fake.table);
        expect_fault(servers, words[i]);
        ldap_servers_free(servers);
    }
    hides_files = false;
    close(fd);
}

/* ---- Servers that the DNS names ---- */

static struct bytes dns; /* the answer; empty: there is none */
static size_t records;
static atomic_int srv_questions;

int res_query(const char *name, int class, int type, unsigned char *answer, int length)
{
    atomic_fetch_add(&srv_questions, 1);
    assert_string_equal(name, "_ldap._tcp.example.com");
    assert_int_equal(class, ns_c_in);
    assert_int_equal(type, ns_t_srv);
    assert_true((size_t)length >= dns.length);
    h_errno = HOST_NOT_FOUND;
    if (!dns.length)
        return -1;
    memcpy(answer, dns.data, dns.length);
    return (int)dns.length;
}

static void add_number(unsigned long number, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--)
        bytes_add(&dns, (const char[]){(char)(number >> 8 * (i - 1))}, 1);
}

static void add_name(const char *name)
{
    while (*name) {
        size_t length = strcspn(name, ".");
        add_number(length, 1);
        bytes_add(&dns, name, length);
        name += length + (name[length] == '.');
    }
    add_number(0, 1);
}

/* RFC 1035, section 4.1: a header and the question. */
static void dns_begin(void)
{
    bytes_free(&dns);
    dns = (struct bytes){0};
    records = 0;
    add_number(0x00018180, 4);
    add_number(0x00010000, 4);
    add_number(0, 4);
    add_name("_ldap._tcp.example.com");
    add_number(0x00210001, 4);
}

static void dns_add(unsigned priority, unsigned weight, unsigned port, const char *target,
                    unsigned life)
{
    add_number(0xc00c, 2); /* the name of the question */
    add_number(0x00210001, 4);
    add_number(life, 4);
    add_number(strlen(target) + 2 - (*target == '\0') + 6, 2);
    add_number(priority, 2);
    add_number(weight, 2);
    add_number(port, 2);
    add_name(target);
    dns.data[7] = (char)++records;
}

static void records_are_read(void **state)
{
    struct srv srv;
    (void)state;
    dns_begin();
    dns_add(10, 60, 389, "big.example.com", 300);
    dns_add(20, 0, 3389, "small.example.com", 7);
    dns_add(0, 0, 0, "", 600); /* no such service */
    assert_true(srv_parse((unsigned char *)dns.data, dns.length, &srv));
    assert_int_equal(srv.count, 2);
    assert_int_equal(srv.life, 7);
    assert_string_equal(srv.targets[1].host, "small.example.com");
    assert_int_equal(srv.targets[1].port, 3389);
    assert_int_equal(srv.targets[0].priority, 10);
    assert_int_equal(srv.targets[0].weight, 60);
    for (size_t i = 0; i < dns.length; i++)
        srv_parse((unsigned char *)dns.data, i, &srv);
    dns.data[dns.length - 1] = (char)0xc0; /* a name that points nowhere */
    assert_false(srv_parse((unsigned char *)dns.data, dns.length, &srv));
    dns_begin();
    dns_add(0, 0, 389, "a", 0);
    dns.data[dns.length - 3] = (char)0xc0; /* a name that points at itself */
    dns.data[dns.length - 2] = (char)(dns.length - 3);
    assert_false(srv_parse((unsigned char *)dns.data, dns.length, &srv));
    dns_begin();
    dns_add(0, 0, 389, "a", 0);
    dns.data[dns.length - 10] = 6; /* data without a target */
    dns.length -= 3;
    assert_false(srv_parse((unsigned char *)dns.data, dns.length, &srv));
}

static void what_is_left_out(void **state)
{
    char label[64] = "", name[2 * sizeof label];
    struct srv srv;
    (void)state;
    dns_begin();
    memset(label, 1, sizeof label - 1);
    snprintf(name, sizeof name, "%s.%s", label, label); /* 504 letters, as \001\001... */
    dns_add(0, 0, 389, name, 300);
    dns_add(0, 0, 389, "other.example.com", 300);
    dns.data[dns.length - 34] = 5; /* CNAME */
    dns_add(0, 0, 389, "a.example.com", 0);
    assert_true(srv_parse((unsigned char *)dns.data, dns.length, &srv));
    assert_int_equal(srv.count, 1);
    assert_string_equal(srv.targets[0].host, "a.example.com");
    assert_int_equal(srv.life, 1);
    for (size_t i = 0; i < SRV_MAX; i++)
        dns_add(0, 0, 389, "b.example.com", 300);
    assert_true(srv_parse((unsigned char *)dns.data, dns.length, &srv));
    assert_int_equal(srv.count, SRV_MAX);
}

static void priority_then_weight(void **state)
{
    static const struct srv_target of[] = {{.priority = 10, .weight = 0},
                                           {.priority = 10, .weight = 97},
                                           {.priority = 20, .weight = 9}};
    const struct srv_target *const targets[] = {&of[0], &of[1], &of[2]};
    bool wanted[] = {true, true, true};
    size_t hits[3] = {0};
    (void)state;
    for (uint32_t number = 0; number < 990; number++)
        hits[srv_choose(targets, wanted, 3, number)]++;
    assert_int_equal(hits[0], 10);
    assert_int_equal(hits[1], 980);
    assert_int_equal(hits[2], 0);
    wanted[0] = wanted[1] = false;
    assert_int_equal(srv_choose(targets, wanted, 3, 123), 2);
    wanted[2] = false;
    assert_int_equal(srv_choose(targets, wanted, 3, 123), 0);
}

static void servers_come_from_the_dns(void **state)
{
    static const char *uris[] = {"srv:example.com"};
    const struct ldap_settings settings = {
        .uri = {uris, 1}, .connect_timeout = 1000, .allow_cleartext = true};
    struct ldap_servers *servers;
    struct ldap_connection connection;
    struct ldap_fault fault;
    char uri[64];
    int fd = fake_network_listen(uri);
    (void)state;
    ldap_tls_prepare();
    srv_questions = 0;
    bytes_free(&dns);
    dns = (struct bytes){0};
    servers = ldap_servers_new(&settings, &fake.table);
    expect_fault(servers, "no SRV record of _ldap._tcp.example.com");
    dns_begin();
    dns_add(0, 0, 0, "", 60);
    expect_fault(servers, "no SRV record"); /* the domain says that it has none */
    dns_begin();
    dns_add(5, 1, 1, "127.0.0.1", 60);
    expect_fault(servers, "ldap://127.0.0.1:1: cannot connect");
    dns_begin();
    dns_add(5, 1, 1, "127.0.0.1", 60);
    dns_add(9, 1, (unsigned)strtoul(strrchr(uri, ':') + 1, NULL, 10), "127.0.0.1", 60);
    expect_fault(servers, "ldap://127.0.0.1:1: cannot connect"); /* it is not asked again yet */
    assert_int_equal(srv_questions, 3);
    atomic_fetch_add(&forward_ms, 61000);
    if (!ldap_servers_connect(servers, within(2000), &connection, &fault))
        fail_msg("%s", fault.why.text);
    assert_int_equal(srv_questions, 4);
    bytes_reset(&dns); /* gone: what was known stays good */
    atomic_fetch_add(&forward_ms, 61000);
    ldap_connection_close(&connection);
    if (!ldap_servers_connect(servers, within(2000), &connection, &fault))
        fail_msg("%s", fault.why.text);
    ldap_connection_close(&connection);
    dns_begin(); /* now without the server that answers */
    dns_add(5, 1, 1, "127.0.0.1", 60);
    dns_add(6, 1, 1, "localhost", 60);
    atomic_fetch_add(&forward_ms, 61000);
    expect_fault(servers, "ldap://127.0.0.1:1: cannot connect");
    ldap_servers_free(servers);
    bytes_free(&dns);
    dns = (struct bytes){0};
    close(fd);
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(dead_servers_are_left_alone),
        TEST(tls_needs_authorities),
        TEST(a_server_that_may_come_back_counts),
        TEST(records_are_read),
        TEST(what_is_left_out),
        TEST(priority_then_weight),
        TEST(servers_come_from_the_dns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
