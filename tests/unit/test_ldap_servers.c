/* SPDX-License-Identifier: MIT
 * Names that resolve slowly, wrong or not at all, passwords that are refused, referrals
 * taken apart. */
#include "base/clock.h"
#include "base/failover.h"
#include "base/guard.h"
#include "base/resolve.h"
#include "fake_services.h"
#include "plugins/ldap/referral.h"
#include "plugins/ldap/servers.h"
#include "plugins/ldap/tls.h"
#include "support.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct fake_services fake;

/* ---- A clock that can be put forward ---- */

static atomic_llong forward_ms;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    long long ms = atomic_load(&forward_ms);
    int error = (int)syscall(SYS_clock_gettime, clock, now);
    now->tv_sec += (time_t)(ms / 1000);
    now->tv_nsec += (long)(ms % 1000 * 1000000);
    now->tv_sec += now->tv_nsec / 1000000000;
    now->tv_nsec %= 1000000000;
    return error;
}

/* ---- A resolver that does as it is told, in the place of the system's ---- */

static atomic_int delay_ms, failure, questions;

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict result)
{
    static const char numeric[] = "0123456789.";
    struct answer {
        struct addrinfo info;
        struct sockaddr_in address;
    } * answer;
    int ms = atomic_load(&delay_ms);
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    bool literal = strspn(node, numeric) == strlen(node);

    if ((hints->ai_flags & AI_NUMERICHOST) != 0 && !literal)
        return EAI_NONAME;
    if (!literal) {
        atomic_fetch_add(&questions, 1);
        nanosleep(&pause, NULL);
        if (atomic_load(&failure) != 0)
            return atomic_load(&failure);
    }
    answer = calloc(1, sizeof *answer);
    if (answer == NULL)
        return EAI_MEMORY;
    answer->address.sin_family = AF_INET;
    answer->address.sin_port = htons((uint16_t)strtoul(service, NULL, 10));
    inet_pton(AF_INET, literal ? node : "127.0.0.9", &answer->address.sin_addr);
    answer->info.ai_addr = (struct sockaddr *)&answer->address;
    answer->info.ai_addrlen = sizeof answer->address;
    *result = &answer->info;
    return 0;
}

void freeaddrinfo(struct addrinfo *result)
{
    free(result);
}

static int start(void **state)
{
    (void)state;
    fake_services_start(&fake);
    atomic_store(&forward_ms, 0);
    atomic_store(&delay_ms, 0);
    atomic_store(&failure, 0);
    atomic_store(&questions, 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_services_stop(&fake);
    return 0;
}

static int64_t within(int64_t ms)
{
    return clock_monotonic_ms() + ms;
}

static enum resolved get(struct resolver *resolver, int64_t ms, struct reason *why)
{
    struct addresses addresses;
    enum resolved result = resolver_get(resolver, within(ms), &addresses, why);
    if (result == RESOLVED_GOOD) {
        assert_int_equal(addresses.count, 1);
        assert_int_equal(ntohs(((struct sockaddr_in *)&addresses.items[0])->sin_port), 389);
    }
    return result;
}

static void names_are_asked_for_once(void **state)
{
    struct resolver *resolver = resolver_new("ldap.example.com", "389");
    struct reason why;
    (void)state;
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(get(resolver, 2000, &why), RESOLVED_GOOD);
    assert_int_equal(atomic_load(&questions), 1);
    resolver_free(resolver);
}

static void addresses_are_not_asked_for(void **state)
{
    struct resolver *resolver = resolver_new("10.0.0.1", "389");
    struct reason why;
    (void)state;
    assert_int_equal(get(resolver, 0, &why), RESOLVED_GOOD);
    assert_int_equal(atomic_load(&questions), 0);
    resolver_free(resolver);
}

static void slow_resolver(void **state)
{
    struct resolver *resolver = resolver_new("ldap.example.com", "389");
    struct reason why;
    int64_t began = clock_monotonic_ms();
    (void)state;
    atomic_store(&delay_ms, 500);
    assert_int_equal(get(resolver, 50, &why), RESOLVED_LATE);
    assert_in_range(clock_monotonic_ms() - began, 45, 300);
    assert_int_equal(get(resolver, 10, &why),
                     RESOLVED_LATE); /* the same question is still under way */
    assert_int_equal(atomic_load(&questions), 1);
    assert_int_equal(get(resolver, 3000, &why), RESOLVED_GOOD);
    resolver_free(resolver);
}

static void freed_while_it_asks(void **state)
{
    const struct timespec pause = {.tv_nsec = 300000000};
    struct resolver *resolver = resolver_new("ldap.example.com", "389");
    struct reason why;
    (void)state;
    atomic_store(&delay_ms, 150);
    assert_int_equal(get(resolver, 10, &why), RESOLVED_LATE);
    resolver_free(resolver);
    nanosleep(&pause, NULL);
}

static void unknown_name(void **state)
{
    struct resolver *resolver = resolver_new("nowhere.example.com", "389");
    struct reason why;
    (void)state;
    atomic_store(&failure, EAI_NONAME);
    assert_int_equal(get(resolver, 2000, &why), RESOLVED_FAILED);
    assert_non_null(strstr(why.text, "nowhere.example.com"));
    atomic_store(&failure, 0);
    assert_int_equal(get(resolver, 2000, &why), RESOLVED_GOOD); /* a failure is not remembered */
    resolver_free(resolver);
}

/* ---- Servers that fail ---- */

static int listen_somewhere(char uri_r[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 50), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(uri_r, 64, "ldap://127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}

/* Whether a connection is made, and how often the first server was tried for it. */
static int tries_of_first(struct ldap_servers *servers)
{
    struct ldap_connection connection;
    struct ldap_fault fault;
    int before = atomic_load(&questions);
    if (!ldap_servers_connect(servers, within(3000), &connection, &fault))
        fail_msg("%s", fault.why.text);
    ldap_connection_close(&connection);
    return atomic_load(&questions) - before;
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
    int fd = listen_somewhere(uri);
    (void)state;
    atomic_store(&failure, EAI_NONAME);
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

static void servers_come_from_the_dns(void **state)
{
    static const char *uris[] = {"srv:example.com"};
    const struct ldap_settings settings = {
        .uri = {uris, 1}, .connect_timeout = 1000, .allow_cleartext = true};
    struct ldap_servers *servers;
    struct ldap_connection connection;
    struct ldap_fault fault;
    char uri[64];
    int fd = listen_somewhere(uri);
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
    ldap_servers_free(servers);
    bytes_free(&dns);
    dns = (struct bytes){0};
    close(fd);
}

/* ---- Passwords ---- */

static const struct span one = {"one", 3}, two = {"two", 3};
static const struct reason refusal = {"refused"};

static void refuse(struct guard *guard)
{
    struct reason why;
    assert_int_equal(guard_enter(guard, one, within(1000), &why), GUARD_OPEN);
    guard_leave(guard, one, GUARD_REFUSED, &refusal);
}

static void refused_passwords_are_held(void **state)
{
    struct guard *guard = guard_new();
    struct reason why;
    (void)state;
    refuse(guard);
    assert_false(guard_allows(guard, one, &why));
    assert_int_equal(guard_enter(guard, one, within(1000), &why), GUARD_HELD);
    assert_string_equal(why.text, "refused");
    assert_true(guard_allows(guard, two, &why));
    atomic_fetch_add(&forward_ms, 29500);
    assert_false(guard_allows(guard, one, &why));
    atomic_fetch_add(&forward_ms, 500);
    assert_true(guard_allows(guard, one, &why));
    guard_free(guard);
}

static void forgiven_at_once(void **state)
{
    struct guard *guard = guard_new();
    struct reason why;
    (void)state;
    refuse(guard);
    guard_forgive(guard);
    assert_true(guard_allows(guard, one, &why));
    guard_free(guard);
}

static struct guard *shared;
static atomic_int tried;
static enum guard_end every_end;

static void *try_to_bind(void *argument)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    struct reason why;
    if (guard_enter(shared, one, within(5000), &why) == GUARD_OPEN) {
        atomic_fetch_add(&tried, 1);
        nanosleep(&pause, NULL);
        guard_leave(shared, one, every_end, &refusal);
    }
    return argument;
}

static int try_with_many(enum guard_end end)
{
    pthread_t threads[8];
    shared = guard_new();
    every_end = end;
    atomic_store(&tried, 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, try_to_bind, NULL), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    guard_free(shared);
    return atomic_load(&tried);
}

static void one_goes_first(void **state)
{
    (void)state;
    assert_int_equal(try_with_many(GUARD_REFUSED), 1);
    assert_int_equal(try_with_many(GUARD_WORKED), 8);
}

static void nobody_waits_for_ever(void **state)
{
    struct reason why;
    (void)state;
    shared = guard_new();
    assert_int_equal(guard_enter(shared, one, within(50), &why), GUARD_OPEN);
    assert_int_equal(guard_enter(shared, one, within(50), &why), GUARD_LATE);
    guard_free(shared);
}

/* ---- Lists that change ---- */

static void gone_and_new_servers(void **state)
{
    struct failover *failover = failover_new(2, 1000);
    size_t order[FAILOVER_MAX];
    (void)state;
    assert_true(failover_note_failure(failover, 0));
    assert_false(failover_note_failure(failover, 0)); /* no news */
    assert_true(failover_has_better(failover, 0));
    assert_false(failover_has_better(failover, 1));
    assert_int_equal(failover_choose(failover, order), 1);
    assert_int_equal(order[0], 1);
    failover_list(failover, 0, false);
    assert_true(failover_has_better(failover, 0));
    assert_true(failover_has_better(failover, FAILOVER_MAX));
    assert_false(failover_note_failure(failover, 0));
    assert_false(failover_note_success(failover, FAILOVER_MAX));
    assert_false(failover_note_failure(failover, 1)); /* nobody is asked before it */
    assert_false(failover_has_better(failover, 0));
    assert_int_equal(failover_choose(failover, order), 1); /* all have failed */
    failover_list(failover, 0, true);                      /* another one, which is good */
    assert_int_equal(failover_choose(failover, order), 1);
    assert_int_equal(order[0], 0);
    assert_true(failover_note_success(failover, 1));
    assert_int_equal(failover_choose(failover, order), 2);
    failover_free(failover);
}

/* ---- Referrals ---- */

static void referrals(void **state)
{
    static const struct {
        const char *url, *uri, *base;
        int scope;
    } rows[] = {
        {"ldap://h", "ldap://h:389", "", -1},
        {"ldap://h/", "ldap://h:389", "", -1},
        {"ldaps://h:1636/dc=a,dc=b", "ldaps://h:1636", "dc=a,dc=b", -1},
        {"ldap://h/ou=a%20b,dc=c??sub", "ldap://h:389", "ou=a b,dc=c", 2},
        {"ldap://[::1]/dc=a??base?(uid=x)", "ldap://[::1]:389", "dc=a", 0},
        {"ldap://h/dc=a?cn,sn?ONE", "ldap://h:389", "dc=a", 1},
        {"ldap://h/dc=a?cn", "ldap://h:389", "dc=a", -1},
        {"ldap://h/dc=a??subordinates", "ldap://h:389", "dc=a", -1},
        {"ldap://h?cn?base", "ldap://h:389", "", 0},
    };
    static const char *const bad[] = {"",           "dc=a",         "http://h/dc=a", "ldap:///dc=a",
                                      "ldap://h/%", "ldap://h/%0x", "ldap://h/a%00", "ldap://h:x/"};
    struct ldap_referral referral;
    const char *why;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_true(ldap_referral_parse(rows[i].url, &referral, &why));
        assert_string_equal(referral.uri.text, rows[i].uri);
        assert_string_equal(referral.base, rows[i].base);
        assert_int_equal(referral.scope, rows[i].scope);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        expect(!ldap_referral_parse(bad[i], &referral, &why), "\"%s\" is taken for good", bad[i]);
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_asked_for_once),
        TEST(addresses_are_not_asked_for),
        TEST(slow_resolver),
        TEST(freed_while_it_asks),
        TEST(unknown_name),
        TEST(dead_servers_are_left_alone),
        TEST(records_are_read),
        TEST(priority_then_weight),
        TEST(servers_come_from_the_dns),
        TEST(refused_passwords_are_held),
        TEST(forgiven_at_once),
        TEST(one_goes_first),
        TEST(nobody_waits_for_ever),
        TEST(gone_and_new_servers),
        TEST(referrals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
