/* SPDX-License-Identifier: MIT
 * Which spellings are one id. */
#include "plugins/ldap/id.h"
#include "support.h"

static void same_ids(void **state)
{
    static const struct {
        struct span a, b;
        bool same;
    } rows[] = {
        {LITERAL("m1"), LITERAL("M1"), true},
        {LITERAL(" a  b "), LITERAL("A b"), true},
        {LITERAL("+49 1"), LITERAL("+491"), true},
        {LITERAL("\xc3\x96"), LITERAL("\xc3\xb6"), true},
        {LITERAL("\xd0\x96"), LITERAL("\xd0\xb6"), true},
        {LITERAL("m1"), LITERAL("m11"), false},
        {LITERAL("m1"), LITERAL(""), false},
        {LITERAL("m1"),
         LITERAL("\xef\xbd\x8d"
                 "1"),
         false},
        {LITERAL("o"), LITERAL("\xc3\xb6"), false},
        {LITERAL("m1"), LITERAL("m1\t"), false},
        {LITERAL("m1"),
         LITERAL("m\xc2\xa0"
                 "1"),
         false},
        {LITERAL("\xff"), LITERAL("\xc3\xbf"), false},
        {LITERAL("\xff"), LITERAL("\xff"), true},
        {LITERAL("a\0b"), LITERAL("a"), false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(ldap_id_same(rows[i].a, rows[i].b) == rows[i].same, "row %zu", i);
        expect(ldap_id_same(rows[i].b, rows[i].a) == rows[i].same, "row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_ids),
    };
    return cmocka_run_group_tests_name("ldap_id", tests, NULL, NULL);
}
