/* SPDX-License-Identifier: MIT
 * From the bytes of an entry to a member. */
#include "fake_services.h"
#include "plugins/ldap/dn.h"
#include "plugins/ldap/entry.h"
#include "plugins/ldap/id.h"
#include "plugins/ldap/message.h"
#include "support.h"

#include <string.h>

static struct fake_services fake;
static struct fake_result result;
static struct ldap_settings settings;
static struct ldap_mapping mapping;
static struct ldap_entry entry;
static struct bytes attributes, content;
static struct span asked;
static const char *dn, *why;

static const char *const attribute_names[] = {"team", "phone"};
static const char *const attribute_values[] = {"departmentNumber", "mobile"};

static int start(void **state)
{
    (void)state;
    fake_services_start(&fake);
    settings = (struct ldap_settings){.id_attribute = "uid",
                                      .filter = "(uid={id})",
                                      .avatar_attribute = "labeledURI",
                                      .role_attribute = "employeeType",
                                      .attributes = {attribute_names, attribute_values, 2}};
    ldap_mapping_init(&mapping, &settings);
    asked = SPAN("m1");
    dn = "uid=m1,dc=x";
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_services_stop(&fake);
    ldap_entry_free(&entry);
    bytes_free(&attributes);
    bytes_free(&content);
    attributes = content = (struct bytes){0};
    return 0;
}

static void add(const char *attribute, struct span value)
{
    size_t start = ldap_ber_begin(&attributes, BER_SEQUENCE);
    ldap_ber_add(&attributes, BER_STRING, span_of(attribute));
    size_t values = ldap_ber_begin(&attributes, BER_SET);
    ldap_ber_add(&attributes, BER_STRING, value);
    ldap_ber_end(&attributes, values);
    ldap_ber_end(&attributes, start);
}

/* What the host is told of the attributes that were added. */
static enum memberchat_outcome tell(void)
{
    const struct ldap_terms terms = {.id = asked};
    bytes_reset(&content);
    ldap_ber_add(&content, BER_STRING, span_of(dn));
    ldap_ber_add(&content, BER_SEQUENCE, bytes_span(&attributes));
    ldap_entry_free(&entry);
    assert_true(ldap_entry_read(&mapping, &terms, bytes_span(&content), &entry));
    return ldap_entry_tell(&entry, &mapping, &fake.table, fake_result_start(&result), &why);
}

static void expect_found(void)
{
    enum memberchat_outcome outcome = tell();
    expect(outcome == MEMBERCHAT_FOUND, "%s", why);
}

static void all_fields(void **state)
{
    (void)state;
    add("UID", SPAN("m1"));
    add("cn", SPAN("Annabel"));
    add("displayName", SPAN("Ann"));
    add("labeledURI", SPAN("https://x/1.jpg"));
    add("employeetype", SPAN("host"));
    add("departmentNumber", SPAN("d7"));
    add("description", SPAN("nobody asked"));
    expect_found();
    assert_string_equal(result.fields[MEMBERCHAT_ID], "m1");
    assert_string_equal(result.fields[MEMBERCHAT_NAME], "Ann");
    assert_string_equal(result.fields[MEMBERCHAT_AVATAR], "https://x/1.jpg");
    assert_string_equal(result.fields[MEMBERCHAT_ROLE], "host");
    assert_int_equal(result.attributes, 1);
    assert_string_equal(fake_result_attribute(&result, "team"), "d7");
}

static void wanted_once_each(void **state)
{
    (void)state;
    size_t count = 0;

    settings.role_attribute = "CN";
    ldap_mapping_init(&mapping, &settings);
    while (mapping.wanted[count])
        count++;
    assert_int_equal(count, 6); /* uid labeledURI CN displayName departmentNumber mobile */
}

static void one_attribute_for_two_fields(void **state)
{
    (void)state;
    settings.role_attribute = "cn";
    ldap_mapping_init(&mapping, &settings);
    add("uid", SPAN("m1"));
    add("cn", SPAN("Ann"));
    expect_found();
    assert_string_equal(result.fields[MEMBERCHAT_NAME], "Ann");
    assert_string_equal(result.fields[MEMBERCHAT_ROLE], "Ann");
}

static void name_falls_back(void **state)
{
    (void)state;
    add("uid", SPAN("m1"));
    add("cn", SPAN("Annabel"));
    add("displayName", SPAN("\xff\xfe"));
    expect_found();
    assert_string_equal(result.fields[MEMBERCHAT_NAME], "Annabel");
    assert_string_equal(entry.unusable, "displayName");
}

static void no_name_is_no_fault(void **state)
{
    (void)state;
    add("uid", SPAN("m1"));
    expect_found();
    assert_int_equal(result.lengths[MEMBERCHAT_NAME], 0);
    assert_null(entry.why);
}

static void first_usable_value(void **state)
{
    (void)state;
    static char large[100000];

    memset(large, 'x', sizeof large);
    add("uid", SPAN("m1"));
    add("displayName", (struct span){large, sizeof large});
    add("displayName", SPAN("a\0b"));
    add("displayName", SPAN("line\nbreak"));
    add("displayName", SPAN("\xc2\x85"));
    add("displayName", SPAN("\xed\xa0\x80"));
    add("displayName", SPAN("Zo\xc3\xab \xf0\x9f\x98\x80"));
    add("displayName", SPAN("later"));
    expect_found();
    assert_false(result.refused);
    assert_string_equal(result.fields[MEMBERCHAT_NAME], "Zo\xc3\xab \xf0\x9f\x98\x80");
    assert_string_equal(entry.why, "is too long");
}

static void limits(void **state)
{
    static char text[4097];
    static const struct {
        const char *attribute;
        size_t limit, slot;
    } rows[] = {{"uid", 128, LDAP_SLOT_ID},
                {"labeledURI", 2048, LDAP_SLOT_AVATAR},
                {"employeeType", 64, LDAP_SLOT_ROLE},
                {"cn", 256, LDAP_SLOT_NAME + 1},
                {"mobile", 4096, LDAP_SLOT_ATTRIBUTE + 1}};
    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < COUNT(rows); i++) {
        add(rows[i].attribute, (struct span){text, rows[i].limit + 1});
        tell();
        assert_int_equal(entry.values[rows[i].slot].length, 0);
        add(rows[i].attribute, (struct span){text, rows[i].limit});
        tell();
        assert_int_equal(entry.values[rows[i].slot].length, rows[i].limit);
    }
}

static void options_make_another_attribute(void **state)
{
    (void)state;
    add("uid", SPAN("m1"));
    add("displayName;lang-de", SPAN("Anna"));
    add("c", SPAN("DE"));
    add("cnx", SPAN("x"));
    expect_found();
    assert_int_equal(result.lengths[MEMBERCHAT_NAME], 0);
}

static void id_is_missing(void **state)
{
    (void)state;
    add("cn", SPAN("Ann"));
    assert_int_equal(tell(), MEMBERCHAT_MISCONFIGURED);
    add("uid", SPAN("\xff"));
    assert_int_equal(tell(), MEMBERCHAT_MISCONFIGURED);
}

static void several_ids(void **state)
{
    static const struct {
        const char *dn;
        bool good;
    } rows[] = {{"cn=Ann,dc=x", false},
                {"uid=\\ff,dc=x", false},
                {"UID=m1,dc=x", true},
                {"cn=Ann+uid=m1,dc=x", true},
                {"uid = m1 ,dc=x", true},
                {"uid=\\6d1,dc=x", true},
                {"cn=a,uid=m1,dc=x", false},
                {"uid,dc=x", false},
                {"", false},
                {"cn=a\\,uid=b+uid=m1,dc=x", true}};
    (void)state;
    add("uid", SPAN("alias"));
    add("uid", SPAN("m1"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        dn = rows[i].dn;
        bool good = tell() == MEMBERCHAT_FOUND;
        expect(good == rows[i].good, "%s", dn);
        expect(!good || strcmp(result.fields[MEMBERCHAT_ID], "m1") == 0, "%s", dn);
        expect(good || strstr(why, "one with a single value"), "%s", why);
    }
}

/* ---- Whether it is the person that was asked for ---- */

static enum ldap_claim_verdict claim(const char *filter, struct span id)
{
    settings.filter = filter;
    ldap_mapping_init(&mapping, &settings);
    asked = id;
    tell();
    return entry.claim;
}

static void the_entry_is_the_one_asked_for(void **state)
{
    (void)state;
    add("uid", SPAN("Zo\xc3\x8b  M1"));
    add("uid", SPAN("alias"));
    add("mail;x-work", SPAN("m1@x"));
    assert_int_equal(claim("(uid={id})", SPAN("zo\xc3\xab m1")), CLAIM_HOLDS);
    assert_int_equal(claim("(uid={id})", SPAN("ALIAS")), CLAIM_HOLDS);
    assert_int_equal(claim("(uid={id})", SPAN("somebody")), CLAIM_DIFFERS);
    assert_int_equal(claim("(uid={id})", SPAN("\xef\xbd\x81lias")), CLAIM_DIFFERS); /* full width */
    assert_int_equal(claim("(uid={id})", SPAN("al\xc2\xadias")), CLAIM_DIFFERS); /* soft hyphen */
    assert_int_equal(claim("(UID={id})", SPAN("zoe m1")), CLAIM_DIFFERS);
    assert_int_equal(claim("(|(mail={id}@x)(uid={id}))", SPAN("m1")), CLAIM_HOLDS);
    assert_int_equal(claim("(mail={id}@x)", SPAN("m2")), CLAIM_DIFFERS);
    assert_int_equal(claim("(cn={id})", SPAN("m2")), CLAIM_UNSEEN); /* it may not be shown to us */
    assert_int_equal(claim("(uid={id}*)", SPAN("z")), CLAIM_UNSEEN);
}

static void attributes_of_the_filter_are_asked_for(void **state)
{
    size_t count = 0;
    (void)state;
    settings.filter = "(|(UID={id})(mail={id})(mobile=+{id}))";
    ldap_mapping_init(&mapping, &settings);
    while (mapping.wanted[count])
        count++;
    assert_string_equal(mapping.wanted[count - 1], "mail");
}

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
        {LITERAL("m1"), LITERAL("\xef\xbd\x8d" "1"), false},
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

static void damaged_entries(void **state)
{
    const struct ldap_terms terms = {.id = SPAN("m1")};
    (void)state;
    add("uid", SPAN("m1"));
    add("cn", SPAN("Ann"));
    expect_found();
    for (size_t length = 0; length < content.length; length++) {
        struct ldap_entry cut;
        assert_false(ldap_entry_read(&mapping, &terms, (struct span){content.data, length}, &cut));
        ldap_entry_free(&cut);
    }
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_fields),
        TEST(wanted_once_each),
        TEST(one_attribute_for_two_fields),
        TEST(name_falls_back),
        TEST(no_name_is_no_fault),
        TEST(first_usable_value),
        TEST(limits),
        TEST(options_make_another_attribute),
        TEST(id_is_missing),
        TEST(several_ids),
        TEST(the_entry_is_the_one_asked_for),
        TEST(attributes_of_the_filter_are_asked_for),
        TEST(same_ids),
        TEST(damaged_entries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
