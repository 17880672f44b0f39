/* SPDX-License-Identifier: MIT
 * Addresses in networks. */
#include "base/networks.h"

#include "support.h"

#include <netinet/in.h>

static void good_and_bad_texts(void **state)
{
    static const struct {
        const char *text;
        unsigned bits; /* 0 for bad ones; no row has a network of everything */
    } rows[] = {
        {"192.0.2.1", 128},
        {"192.0.2.0/24", 120},
        {"10.0.0.0/8", 104},
        {"0.0.0.0/0", 96},
        {"192.0.2.1/32", 128},
        {"::1", 128},
        {"2001:db8::/32", 32},
        {"::1/128", 128},
        {"::ffff:10.0.0.0/104", 104},
        {"", 0},
        {"localhost", 0},
        {"192.0.2", 0},
        {"192.0.2.256", 0},
        {"192.0.2.0/33", 0},
        {"192.0.2.0/-1", 0},
        {"192.0.2.0/", 0},
        {"192.0.2.0/x", 0},
        {"192.0.2.0/24/24", 0},
        {"2001:db8::/129", 0},
        {"[::1]", 0},
        {"/8", 0},
        {"1.2.3.4 ", 0},
        {" 1.2.3.4", 0},
        {"1.2.3.4:80", 0},
        {"fe80::1%eth0", 0},
        {"11111111111111111111111111111111111111111111111111", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct network net = {0};
        bool good = network_parse(rows[i].text, &net);
        expect(good == (rows[i].bits != 0), "%s", rows[i].text);
        expect(!good || net.bits == rows[i].bits, "%s: %u bits", rows[i].text, net.bits);
    }
}

static void containment(void **state)
{
    static const struct {
        const char *net, *address;
        bool inside;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"unix:", "unix:", true}, /* peers of the web server on a unix socket */
        {"unix:", "::", false},
        {"::/0", "unix:", false},
        {"::", "unix:", false},
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.77/24", "192.0.2.1", true}, /* bits of the host do not count */
        {"10.128.0.0/9", "10.200.1.1", true},
        {"10.128.0.0/9", "10.127.1.1", false},
        {"0.0.0.0/0", "255.1.2.3", true},
        {"0.0.0.0/0", "::1", false},
        {"::1", "::1", true},
        {"::/0", "1.2.3.4", true},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"192.0.2.0/24", "::ffff:192.0.2.9", true}, /* as a dual-stack socket writes it */
        {"192.0.2.0/24", "", false},
        {"192.0.2.0/24", "unknown", false},
        {"192.0.2.0/24", "192.0.2.0/24", false},
        {"192.0.2.0/24", "192.0.2.1, 192.0.2.1", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct network net;
        assert_true(network_parse(rows[i].net, &net));
        expect(networks_contain(&net, 1, rows[i].address) == rows[i].inside, "%s in %s",
               rows[i].address, rows[i].net);
    }
}

static void lists(void **state)
{
    struct network nets[2];
    (void)state;
    assert_true(network_parse("127.0.0.1", &nets[0]) && network_parse("10.0.0.0/8", &nets[1]));
    assert_false(networks_contain(nets, 0, "127.0.0.1"));
    assert_true(networks_contain(nets, 2, "127.0.0.1"));
    assert_true(networks_contain(nets, 2, "10.9.9.9"));
    assert_false(networks_contain(nets, 1, "10.9.9.9"));
}

static void loopback(void **state)
{
    static const char *const near[] = {"localhost", "LocalHost", "127.0.0.1", "127.9.9.9",
                                       "::1",       "[::1]",     "0:0::1",    "::ffff:127.0.0.1"};
    static const char *const far[] = {"",
                                      "localhost.example.com",
                                      "127.example.com",
                                      "127.0.0.1.",
                                      "[",
                                      "[]",
                                      "[::1",
                                      "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]",
                                      "::2",
                                      "0.0.0.0",
                                      "::",
                                      "127.0.0.0/8",
                                      "126.0.0.1"};
    (void)state;
    for (size_t i = 0; i < COUNT(near); i++)
        expect(network_is_loopback(near[i]), "%s", near[i]);
    for (size_t i = 0; i < COUNT(far); i++)
        expect(!network_is_loopback(far[i]), "%s", far[i]);
}

static void loopback_addresses(void **state)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr local = {.sa_family = AF_UNIX};
    (void)state;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(network_address_is_loopback((struct sockaddr *)&four));
    assert_true(network_address_is_loopback((struct sockaddr *)&six));
    four.sin_addr.s_addr = htonl(INADDR_ANY);
    six.sin6_addr = in6addr_any;
    assert_false(network_address_is_loopback((struct sockaddr *)&four));
    assert_false(network_address_is_loopback((struct sockaddr *)&six));
    assert_false(network_address_is_loopback(&local));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_and_bad_texts),
        cmocka_unit_test(containment),
        cmocka_unit_test(lists),
        cmocka_unit_test(loopback),
        cmocka_unit_test(loopback_addresses),
    };
    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
