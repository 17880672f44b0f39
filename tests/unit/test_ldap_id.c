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

static void guids(void **state)
{
    static const char text[] = "00112233-4455-6677-8899-aabbccddeeff";
    static const char bytes[] = "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
    static const char *const bad[] = {
        "", "0011223-4455-6677-8899-aabbccddeeff", "001122334-455-6677-8899-aabbccddeeff",
        "x0112233-4455-6677-8899-aabbccddeeff", "0x112233-4455-6677-8899-aabbccddeeff"};
    char guid[LDAP_GUID_BYTES], again[LDAP_GUID_TEXT];
    (void)state;
    assert_true(ldap_guid_parse(span_of(text), guid));
    assert_memory_equal(guid, bytes, sizeof guid);
    assert_true(ldap_guid_parse(span_of("00112233-4455-6677-8899-AABBCCDDEEFF"), guid));
    assert_true(ldap_guid_format((struct span){guid, sizeof guid}, again));
    assert_memory_equal(again, text, sizeof again);
    assert_false(ldap_guid_format((struct span){guid, sizeof guid - 1}, again));
    for (size_t i = 0; i < COUNT(bad); i++)
        expect(!ldap_guid_parse(span_of(bad[i]), guid), "%s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_ids),
        cmocka_unit_test(guids),
    };
    return cmocka_run_group_tests_name("ldap_id", tests, NULL, NULL);
}
