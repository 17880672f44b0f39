/* SPDX-License-Identifier: MIT
 * Values in the names of entries. */
#include "plugins/ldap/dn.h"
#include "support.h"

static void values(void **state)
{
    static const struct {
        struct span dn;
        const char *attribute, *value; /* NULL: it has none */
    } rows[] = {
        {LITERAL("cn=Ann,ou=people,dc=example"), "cn", "Ann"},
        {LITERAL("CN = Ann , ou=people"), "cn", "Ann"},
        {LITERAL("cn=Ann+uid=m1,ou=people"), "uid", "m1"},
        {LITERAL("cn=Ann+uid=m1"), "UID", "m1"},
        {LITERAL("cn=Ann,ou=people"), "ou", NULL},
        {LITERAL("cn=Ann;ou=people"), "ou", NULL},
        {LITERAL("cn=Ann"), "ou", NULL},
        {LITERAL(""), "cn", NULL},
        {LITERAL("cn"), "cn", NULL},
        {LITERAL("cn,ou=people"), "cn", NULL},
        {LITERAL("cn=,ou=people"), "cn", ""},
        {LITERAL("cn=Doe\\, Ann,ou=people"), "cn", "Doe, Ann"},
        {LITERAL("cn=J\\c3\\B6rg,ou=people"), "cn", "J\xc3\xb6rg"},
        {LITERAL("cn=a\\4,ou=people"), "cn", "a4"},
        {LITERAL("cn=a\\g1"), "cn", "ag1"},
        {LITERAL("cn=a\\1g"), "cn", "a1g"},
        {LITERAL("cn=a\\ ,ou=people"), "cn", "a "},
        {LITERAL("cn=a\\\\ ,ou=people"), "cn", "a\\"},
        {LITERAL("cn=a\\\\"), "cn", "a\\"},
        {LITERAL("cn=a\\"), "cn", "a\\"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes out = {0};
        bool found = ldap_dn_value(rows[i].dn, rows[i].attribute, &out);
        expect(found == (rows[i].value != NULL), "row %zu", i);
        expect(!found || span_equal(bytes_span(&out), span_of(rows[i].value)), "row %zu: %s", i,
               bytes_string(&out));
        bytes_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values)};
    return cmocka_run_group_tests_name("ldap_dn", tests, NULL, NULL);
}
