/* SPDX-License-Identifier: MIT
 * Addresses of directory servers, and what result codes and words mean. */
#include "plugins/ldap/code.h"
#include "plugins/ldap/uri.h"
#include "support.h"

#include <string.h>

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
        {"srv:example.com", LDAP_SCHEME_SRV, "example.com", "", "srv:example.com"},
        {"ldapi:///", LDAP_SCHEME_LOCAL, "/var/run/slapd/ldapi", "",
         "ldapi://%2Fvar%2Frun%2Fslapd%2Fldapi"},
        {"ldapi://%2ftmp%2Fa%20b/", LDAP_SCHEME_LOCAL, "/tmp/a b", "", "ldapi://%2Ftmp%2Fa%20b"},
    };
    struct ldap_uri uri;
    const char *why = NULL;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(ldap_uri_parse(rows[i].uri, &uri, &why), "%s %s", rows[i].uri, why);
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
        "srv:",
        "srv:example.com:389",
        "srv:example.com/",
        "srv://example.com",
        "srv:[::1]",
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
    const char *why = NULL;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        expect(!ldap_uri_parse(bad[i], &uri, &why), "\"%s\" is taken for good", bad[i]);
}

/* memberchat-store-ldap(5), OUTCOMES. */
static void result_codes(void **state)
{
    static const int unavailable[] = {3, 11, 51, 52, 80};
    static const int misconfigured[] = {1,  2,  4,  7,  8,  10, 13, 16, 18, 21, 32,
                                        34, 48, 49, 50, 53, 54, 65, 71, 81, 99, 4096};
    static const int dropped[] = {1, 8, 13, 48, 49, 50, 53};
    (void)state;
    assert_int_equal(ldap_code_verdict(0), VERDICT_GOOD);
    for (size_t i = 0; i < COUNT(unavailable); i++) {
        const struct ldap_fault fault = {.verdict = ldap_code_verdict(unavailable[i])};
        assert_int_equal(ldap_fault_outcome(&fault), MEMBERCHAT_UNAVAILABLE);
    }
    for (size_t i = 0; i < COUNT(misconfigured); i++) {
        const struct ldap_fault fault = {.verdict = ldap_code_verdict(misconfigured[i])};
        assert_int_equal(ldap_fault_outcome(&fault), MEMBERCHAT_MISCONFIGURED);
    }
    for (size_t i = 0; i < COUNT(dropped); i++)
        assert_int_equal(ldap_code_verdict(dropped[i]), VERDICT_REFUSED);
}

static void words_of_active_directory(void **state)
{
    static const struct {
        const char *words, *meaning;
    } rows[] = {
        {"80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data 52e, v4563",
         "the password is wrong"},
        {"80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data 532, v4563",
         "the password has expired"},
        {"comment: AcceptSecurityContext error, data 525, v1", "there is no such account"},
        {"comment: AcceptSecurityContext error, data 530, v1",
         "the account may not sign in at this time"},
        {"comment: AcceptSecurityContext error, data 531, v1",
         "the account may not sign in from this machine"},
        {"comment: AcceptSecurityContext error, data 533, v1", "the account is disabled"},
        {"comment: AcceptSecurityContext error, data 701, v1", "the account has expired"},
        {"comment: AcceptSecurityContext error, data 773, v1",
         "the password must be changed first"},
        {"comment: AcceptSecurityContext error, data 775, v1", "the account is locked"},
        {"comment: AcceptSecurityContext error, data 57, v1", NULL},
        {"data 5321, v1", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *meaning = ldap_code_account(span_of(rows[i].words));
        expect(!meaning == !rows[i].meaning, "%s", rows[i].words);
        if (meaning)
            assert_string_equal(meaning, rows[i].meaning);
    }
    assert_null(ldap_code_account(SPAN_NONE));
}

static void words_about_certificates(void **state)
{
    static const struct {
        const char *words, *meaning;
        enum ldap_verdict verdict;
    } rows[] = {
        {"peer cert untrusted or revoked (0x42)", "unknown issuer", VERDICT_UNTRUSTED},
        {"peer cert untrusted or revoked (0x402)", "has expired", VERDICT_UNTRUSTED},
        {"peer cert untrusted or revoked (0x442)", "has expired", VERDICT_UNTRUSTED},
        {"peer cert untrusted or revoked (0x202)", "not valid yet", VERDICT_UNTRUSTED},
        {"peer cert untrusted or revoked (0x22)", "was revoked", VERDICT_UNTRUSTED},
        {"hostname (a) does not match common name in certificate (b)", "not for this host",
         VERDICT_UNTRUSTED},
        {"can't connect: The TLS connection was non-properly terminated..", "handshake: can't",
         VERDICT_LOST},
        {"something new", "handshake: something new", VERDICT_UNTRUSTED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ldap_fault fault;
        ldap_code_handshake(rows[i].words, &fault);
        assert_int_equal(fault.verdict, rows[i].verdict);
        expect(strstr(fault.why.text, rows[i].meaning), "%s", fault.why.text);
        expect(strstr(fault.why.text, rows[i].words), "%s", fault.why.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_uris),
        cmocka_unit_test(bad_uris),
        cmocka_unit_test(result_codes),
        cmocka_unit_test(words_of_active_directory),
        cmocka_unit_test(words_about_certificates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
