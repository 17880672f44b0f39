/* SPDX-License-Identifier: MIT
 *
 * test_ldap_entry.c: from attributes to a member.
 */
#include "fake_services.h"
#include "plugins/ldap/entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(LITERAL) ((struct ldap_text){LITERAL, sizeof(LITERAL) - 1})

static struct fake_services fake;
static struct fake_result result;
static struct ldap_settings settings;
static struct ldap_mapping mapping;
static struct ldap_entry entry;

static const char *const attribute_names[] = {"team", "phone"};
static const char *const attribute_values[] = {"departmentNumber", "mobile"};

static int start(void **state)
{
    (void)state;
    fake_services_start(&fake);
    settings = (struct ldap_settings){.id_attribute = "uid",
                                      .avatar_attribute = "labeledURI",
                                      .role_attribute = "employeeType",
                                      .attributes = {attribute_names, attribute_values, 2}};
    ldap_mapping_init(&mapping, &settings);
    entry = (struct ldap_entry){.mapping = &mapping};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_services_stop(&fake);
    return 0;
}

static void add(const char *attribute, struct ldap_text value)
{
    ldap_entry_add(&entry, (struct ldap_text){attribute, strlen(attribute)}, value);
}

static const char *tell(void)
{
    return ldap_entry_tell(&entry, &fake.table, fake_result_start(&result));
}

static void all_fields(void **state)
{
    (void)state;
    add("UID", TEXT("m1"));
    add("cn", TEXT("Annabel"));
    add("displayName", TEXT("Ann"));
    add("labeledURI", TEXT("https://x/1.jpg"));
    add("employeetype", TEXT("host"));
    add("departmentNumber", TEXT("d7"));
    add("description", TEXT("nobody asked"));
    assert_null(tell());
    assert_string_equal(result.fields[MEMBERCHAT_ID], "m1");
    assert_string_equal(result.fields[MEMBERCHAT_NAME], "Ann");
    assert_string_equal(result.fields[MEMBERCHAT_AVATAR], "https://x/1.jpg");
    assert_string_equal(result.fields[MEMBERCHAT_ROLE], "host");
    assert_int_equal(result.attributes, 1);
    assert_string_equal(fake_result_attribute(&result, "team"), "d7");
}

static void wanted_once_each(void **state)
{
    size_t count = 0;

    (void)state;
    settings.role_attribute = "CN";
    ldap_mapping_init(&mapping, &settings);
    while (mapping.wanted[count] != NULL)
        count++;
    assert_int_equal(count, 6); /* uid labeledURI CN displayName departmentNumber mobile */
}

static void one_attribute_for_two_fields(void **state)
{
    (void)state;
    settings.role_attribute = "cn";
    ldap_mapping_init(&mapping, &settings);
    add("uid", TEXT("m1"));
    add("cn", TEXT("Ann"));
    assert_null(tell());
    assert_string_equal(result.fields[MEMBERCHAT_NAME], "Ann");
    assert_string_equal(result.fields[MEMBERCHAT_ROLE], "Ann");
}

static void name_falls_back(void **state)
{
    (void)state;
    add("uid", TEXT("m1"));
    add("cn", TEXT("Annabel"));
    add("displayName", TEXT("\xff\xfe"));
    assert_null(tell());
    assert_string_equal(result.fields[MEMBERCHAT_NAME], "Annabel");
    assert_string_equal(entry.unusable, "displayName");
}

static void no_name_is_no_fault(void **state)
{
    (void)state;
    add("uid", TEXT("m1"));
    assert_null(tell());
    assert_int_equal(result.lengths[MEMBERCHAT_NAME], 0);
    assert_null(entry.why);
}

static void first_usable_value(void **state)
{
    static char large[100000];

    (void)state;
    memset(large, 'x', sizeof large);
    add("uid", TEXT("m1"));
    add("displayName", (struct ldap_text){large, sizeof large});
    add("displayName", TEXT("a\0b"));
    add("displayName", TEXT("line\nbreak"));
    add("displayName", TEXT("\xc2\x85"));
    add("displayName", TEXT("\xed\xa0\x80"));
    add("displayName", TEXT("Zo\xc3\xab \xf0\x9f\x98\x80"));
    add("displayName", TEXT("later"));
    assert_null(tell());
    assert_false(result.refused);
    assert_string_equal(result.fields[MEMBERCHAT_NAME], "Zo\xc3\xab \xf0\x9f\x98\x80");
    assert_string_equal(entry.why, "is too long");
}

static void limits(void **state)
{
    static char text[4097];
    static const struct {
        const char *attribute;
        size_t limit;
        size_t slot;
    } rows[] = {{"uid", 128, LDAP_SLOT_ID},
                {"labeledURI", 2048, LDAP_SLOT_AVATAR},
                {"employeeType", 64, LDAP_SLOT_ROLE},
                {"cn", 256, LDAP_SLOT_NAME + 1},
                {"mobile", 4096, LDAP_SLOT_ATTRIBUTE + 1}};
    size_t i;

    (void)state;
    memset(text, 'x', sizeof text);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        add(rows[i].attribute, (struct ldap_text){text, rows[i].limit + 1});
        assert_int_equal(entry.values[rows[i].slot].length, 0);
        add(rows[i].attribute, (struct ldap_text){text, rows[i].limit});
        assert_int_equal(entry.values[rows[i].slot].length, rows[i].limit);
    }
}

static void options_make_another_attribute(void **state)
{
    (void)state;
    add("uid", TEXT("m1"));
    add("displayName;lang-de", TEXT("Anna"));
    add("c", TEXT("DE"));
    add("cnx", TEXT("x"));
    assert_null(tell());
    assert_int_equal(result.lengths[MEMBERCHAT_NAME], 0);
}

static void id_is_missing(void **state)
{
    (void)state;
    add("cn", TEXT("Ann"));
    assert_non_null(tell());
    add("uid", TEXT("\xff"));
    assert_non_null(tell());
}

static void several_ids(void **state)
{
    (void)state;
    add("uid", TEXT("alias"));
    add("uid", TEXT("m1"));
    assert_non_null(tell());
    ldap_entry_name(&entry, TEXT("cn"), TEXT("Ann"));
    assert_non_null(tell());
    ldap_entry_name(&entry, TEXT("uid"), TEXT("\xff"));
    assert_non_null(tell());
    ldap_entry_name(&entry, TEXT("UID"), TEXT("m1"));
    assert_null(tell());
    assert_string_equal(result.fields[MEMBERCHAT_ID], "m1");
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
