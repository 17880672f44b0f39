/* SPDX-License-Identifier: MIT
 * Referrals taken apart. */
#include "plugins/ldap/referral.h"
#include "support.h"

#include <string.h>

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
    char longest[9 + sizeof referral.base + 1] = "ldap://h/";
    memset(longest + 9, 'a', sizeof referral.base - 1);
    assert_true(ldap_referral_parse(longest, &referral, &why));
    assert_string_equal(referral.base, longest + 9);
    longest[9 + sizeof referral.base - 1] = 'a';
    assert_false(ldap_referral_parse(longest, &referral, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(referrals),
    };
    return cmocka_run_group_tests_name("ldap_referral", tests, NULL, NULL);
}
