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

static void map(void)
{
    struct reason fault;
    expect(ldap_mapping_init(&mapping, &settings, &fake.table, &fault), "%s", fault.text);
}

static int start(void **state)
{
    (void)state;
    fake_services_start(&fake);
    settings = (struct ldap_settings){.id_attribute = "uid",
                                      .filter = "(uid={id})",
                                      .avatar_attribute = "labeledURI",
                                      .role_attribute = "employeeType",
                                      .attributes = {attribute_names, attribute_values, 2}};
    map();
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
    map();
    while (mapping.wanted[count])
        count++;
    assert_int_equal(count, 6); /* uid labeledURI CN displayName departmentNumber mobile */
}

static void one_attribute_for_two_fields(void **state)
{
    (void)state;
    settings.role_attribute = "cn";
    map();
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
}

static void no_name_is_no_fault(void **state)
{
    (void)state;
    add("uid", SPAN("m1"));
    expect_found();
    assert_int_equal(result.lengths[MEMBERCHAT_NAME], 0);
}

static void first_usable_value(void **state)
{
    (void)state;
    add("uid", SPAN("m1"));
    add("displayName", SPAN("a\0b"));
    add("displayName", SPAN("a\0"));
    add("displayName", SPAN("line\nbreak"));
    add("displayName", SPAN("\xc2\x85"));
    add("displayName", SPAN("\xed\xa0\x80"));
    add("displayName", SPAN("Zo\xc3\xab \xf0\x9f\x98\x80\r\n"));
    add("displayName", SPAN("later"));
    add("employeeType", SPAN("\xff"));
    expect_found();
    assert_string_equal(result.fields[MEMBERCHAT_NAME], "Zo\xc3\xab \xf0\x9f\x98\x80\r\n");
    assert_string_equal(result.fields[MEMBERCHAT_ROLE], "\xff"); /* the host warns of it */
}

static void labels_of_urls_are_left_out(void **state)
{
    (void)state;
    add("uid", SPAN("m1"));
    add("labeledURI", SPAN("https://x/1.jpg my picture"));
    expect_found();
    assert_string_equal(result.fields[MEMBERCHAT_AVATAR], "https://x/1.jpg");
}

static void all_values_of_attributes(void **state)
{
    (void)state;
    add("uid", SPAN("m1"));
    add("departmentNumber", SPAN("d1"));
    add("mobile", SPAN("1"));
    add("departmentNumber", SPAN("d2"));
    add("departmentNumber;range=0-1499", SPAN("d3"));
    add("departmentNumber;lang-de", SPAN("other"));
    add("departmentNumber", SPAN(""));
    expect_found();
    assert_int_equal(result.attributes, 4);
    assert_string_equal(result.values[0], "d1");
    assert_string_equal(result.values[1], "d2");
    assert_string_equal(result.values[2], "d3");
    assert_string_equal(result.values[3], "1");
}

static void what_the_host_refuses(void **state)
{
    char long_value[4097];
    (void)state;
    memset(long_value, 'x', sizeof long_value);
    add("uid", SPAN("m1"));
    add("departmentNumber", (struct span){long_value, 4096});
    expect_found();
    add("departmentNumber", (struct span){long_value, 4097});
    add("departmentNumber", SPAN("d2"));
    assert_int_equal(tell(), MEMBERCHAT_UNAVAILABLE);
    assert_true(result.refused);
    assert_false(ldap_entry_tell_attribute(bytes_span(&content), "departmentNumber", "groups",
                                           &fake.table, fake_result_start(&result)));
    assert_false(ldap_entry_tell_attribute((struct span){content.data, 1}, "uid", "groups",
                                           &fake.table, fake_result_start(&result)));
}

static void attributes_of_templates(void **state)
{
    static const char *const names[] = {"team", "givenName", "groups"}, *const bad[] = {"not this"};
    char long_name[66] = "";
    struct reason fault;
    (void)state;
    fake.table.wanted = (struct memberchat_list){names, 3};
    settings.group_base = "ou=groups";
    map();
    assert_int_equal(mapping.attribute_count, 3);
    assert_string_equal(mapping.attributes[2].source, "givenName");
    settings.group_base = NULL;
    map();
    assert_int_equal(mapping.attribute_count, 4);
    fake.table.wanted = (struct memberchat_list){bad, 1};
    assert_false(ldap_mapping_init(&mapping, &settings, &fake.table, &fault));
    assert_non_null(strstr(fault.text, "\"not this\""));
    memset(long_name, 'x', 64);
    assert_true(ldap_entry_is_attribute(long_name));
    long_name[64] = 'x';
    assert_false(ldap_entry_is_attribute(long_name));
    fake.table.wanted = (struct memberchat_list){NULL, 0};
}

static void ids_that_are_guids(void **state)
{
    static const char text[] = "6b29fc40-ca47-1067-b31d-00dd010662da";
    static const unsigned char bytes[16] = {0x40, 0xfc, 0x29, 0x6b, 0x47, 0xca, 0x67, 0x10,
                                            0xb3, 0x1d, 0x00, 0xdd, 0x01, 0x06, 0x62, 0xda};
    const struct span guid = {(const char *)bytes, 16};
    (void)state;
    settings.id_attribute = "objectGUID";
    settings.id_format = LDAP_ID_GUID;
    settings.filter = "(objectGUID={id})";
    map();
    asked = guid;
    add("objectGUID", guid);
    expect_found();
    assert_string_equal(result.fields[MEMBERCHAT_ID], text);
    assert_int_equal(entry.claim, CLAIM_HOLDS);
    asked = (struct span){text, 16};
    tell();
    assert_int_equal(entry.claim, CLAIM_DIFFERS);
    bytes_reset(&attributes);
    add("objectGUID", SPAN("m1"));
    assert_int_equal(tell(), MEMBERCHAT_MISCONFIGURED);
    expect(strstr(why, "not a GUID"), "%s", why);
}

static void options_make_another_attribute(void **state)
{
    (void)state;
    add("uid", SPAN("m1"));
    add("displayName;lang-de", SPAN("Anna"));
    add("c", SPAN("DE"));
    add("cnx", SPAN("x"));
    add("", SPAN("x"));
    expect_found();
    assert_int_equal(result.lengths[MEMBERCHAT_NAME], 0);
}

static void id_is_missing(void **state)
{
    (void)state;
    add("cn", SPAN("Ann"));
    assert_int_equal(tell(), MEMBERCHAT_MISCONFIGURED);
    add("uid", SPAN(""));
    assert_int_equal(tell(), MEMBERCHAT_MISCONFIGURED);
}

static void several_ids(void **state)
{
    static const struct {
        const char *dn;
        bool good;
    } rows[] = {{"cn=Ann,dc=x", false},
                {"uid=\\ff,dc=x", true},
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
        expect(!good || i == 1 || strcmp(result.fields[MEMBERCHAT_ID], "m1") == 0, "%s", dn);
        expect(good || strstr(why, "one with a single value"), "%s", why);
    }
}

/* ---- Whether it is the person that was asked for ---- */

static enum ldap_claim_verdict claim(const char *filter, struct span id)
{
    settings.filter = filter;
    map();
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
    map();
    while (mapping.wanted[count])
        count++;
    assert_string_equal(mapping.wanted[count - 1], "mail");
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
    /* an attribute whose values are cut off, and one that has something else among them */
    for (size_t i = 0; i < 2; i++) {
        struct ldap_entry odd;
        bytes_reset(&attributes);
        add("uid", SPAN("m1"));
        size_t start = ldap_ber_begin(&attributes, BER_SEQUENCE);
        ldap_ber_add(&attributes, BER_STRING, SPAN("team"));
        ldap_ber_add(&attributes, i ? BER_SET : BER_STRING, SPAN("\x02\x01\x01"));
        ldap_ber_end(&attributes, start);
        bytes_reset(&content);
        ldap_ber_add(&content, BER_STRING, span_of(dn));
        ldap_ber_add(&content, BER_SEQUENCE, bytes_span(&attributes));
        assert_false(ldap_entry_read(&mapping, &terms, bytes_span(&content), &odd));
        assert_false(ldap_entry_tell_attribute(bytes_span(&content), "team", "groups", &fake.table,
                                               fake_result_start(&result)));
        ldap_entry_free(&odd);
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
        TEST(labels_of_urls_are_left_out),
        TEST(all_values_of_attributes),
        TEST(what_the_host_refuses),
        TEST(attributes_of_templates),
        TEST(ids_that_are_guids),
        TEST(options_make_another_attribute),
        TEST(id_is_missing),
        TEST(several_ids),
        TEST(the_entry_is_the_one_asked_for),
        TEST(attributes_of_the_filter_are_asked_for),
        TEST(damaged_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
