/* SPDX-License-Identifier: MIT
 *
 * test_ldap_uri.c: addresses of directory servers, and what result codes mean.
 */
#include "plugins/ldap/code.h"
#include "plugins/ldap/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define LONG_NAME                                                                                  \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void good_uris(void **state)
{
    static const struct {
        const char *uri;
        enum ldap_scheme scheme;
        const char *host, *port, *text;
    } rows[] = {
        {"ldap://ldap.example.com", LDAP_SCHEME_PLAIN, "ldap.example.com", "389",
         "ldap://ldap.example.com:389"},
        {"LDAPS://ldap.example.com/", LDAP_SCHEME_TLS, "ldap.example.com", "636",
         "ldaps://ldap.example.com:636"},
        {"ldap://10.0.0.1:1389/", LDAP_SCHEME_PLAIN, "10.0.0.1", "1389", "ldap://10.0.0.1:1389"},
        {"ldap://[::1]", LDAP_SCHEME_PLAIN, "::1", "389", "ldap://[::1]:389"},
        {"ldaps://[2001:db8::1]:65535", LDAP_SCHEME_TLS, "2001:db8::1", "65535",
         "ldaps://[2001:db8::1]:65535"},
        {"ldap://h:0001", LDAP_SCHEME_PLAIN, "h", "1", "ldap://h:1"},
        {"ldapi:///", LDAP_SCHEME_LOCAL, "/var/run/slapd/ldapi", "",
         "ldapi://%2Fvar%2Frun%2Fslapd%2Fldapi"},
        {"ldapi://%2ftmp%2Fa%20b/", LDAP_SCHEME_LOCAL, "/tmp/a b", "", "ldapi://%2Ftmp%2Fa%20b"},
    };
    struct ldap_uri uri;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const char *fault = ldap_uri_parse(rows[i].uri, &uri);

        if (fault != NULL)
            fail_msg("%s %s", rows[i].uri, fault);
        assert_int_equal(uri.scheme, rows[i].scheme);
        assert_string_equal(uri.host, rows[i].host);
        assert_string_equal(uri.port, rows[i].port);
        assert_string_equal(uri.text, rows[i].text);
    }
}

static void bad_uris(void **state)
{
    static const char *const bad[] = {
        "",
        "ldap.example.com",
        "http://ldap.example.com",
        "ldap:/h",
        "ldap://",
        "ldap:///",
        "ldap://:389",
        "ldap://h:",
        "ldap://h:0",
        "ldap://h:65536",
        "ldap://h:389x",
        "ldap://h:99999999999999999999",
        "ldap://h/dc=example",
        "ldap://h??sub",
        "ldap://h ldap://i",
        "ldap://user@h",
        "ldap://h,i",
        "ldap://::1",
        "ldap://[::1",
        "ldap://[10.0.0.1]",
        "ldap://[]",
        "ldapi://relative",
        "ldapi:///tmp/socket",
        "ldapi://%2",
        "ldapi://%2ftmp%00",
        "ldapi://%zz",
        "ldapi://%2f" LONG_NAME LONG_NAME,
        "ldap://" LONG_NAME LONG_NAME LONG_NAME LONG_NAME,
    };
    struct ldap_uri uri;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(bad); i++)
        if (ldap_uri_parse(bad[i], &uri) == NULL)
            fail_msg("\"%s\" is taken for good", bad[i]);
}

static void loopback(void **state)
{
    static const struct {
        const char *uri;
        bool loopback;
    } rows[] = {
        {"ldap://127.0.0.1", true},      {"ldap://127.9.9.9", true},
        {"ldap://[::1]", true},          {"ldap://localhost", true},
        {"ldap://LOCALHOST", true},      {"ldap://10.127.0.1", false},
        {"ldap://localhost.com", false}, {"ldap://[::2]", false},
        {"ldap://128.0.0.1", false},     {"ldap://127.0.0.1.example.com", false},
    };
    struct ldap_uri uri;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        assert_null(ldap_uri_parse(rows[i].uri, &uri));
        assert_int_equal(ldap_uri_is_loopback(&uri), rows[i].loopback);
    }
}

/* memberchat-store-ldap(5), OUTCOMES. */
static void result_codes(void **state)
{
    static const int unavailable[] = {3, 11, 51, 52, 80, -1, -5, -11, -18, -4};
    static const int misconfigured[] = {1,  2,  4,  7,  8,  10, 13, 16, 18, 21,   32, 34,
                                        48, 49, 50, 53, 54, 65, 71, 81, 99, 4096, -7, -9};
    static const int dropped[] = {1, 8, 13, 48, 49, 50, 53};
    size_t i;

    (void)state;
    assert_int_equal(ldap_code_verdict(0), VERDICT_GOOD);
    for (i = 0; i < COUNT(unavailable); i++) {
        const struct ldap_fault fault = {.verdict = ldap_code_verdict(unavailable[i])};

        assert_int_equal(ldap_fault_outcome(&fault), MEMBERCHAT_UNAVAILABLE);
    }
    for (i = 0; i < COUNT(misconfigured); i++) {
        const struct ldap_fault fault = {.verdict = ldap_code_verdict(misconfigured[i])};

        assert_int_equal(ldap_fault_outcome(&fault), MEMBERCHAT_MISCONFIGURED);
    }
    for (i = 0; i < COUNT(dropped); i++)
        assert_int_equal(ldap_code_verdict(dropped[i]), VERDICT_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_uris),
        cmocka_unit_test(bad_uris),
        cmocka_unit_test(loopback),
        cmocka_unit_test(result_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
