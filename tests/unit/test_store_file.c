/* SPDX-License-Identifier: MIT
 *
 * test_store_file.c: what the flat-file store answers, through its plugin struct only.
 */
#include "file_fixture.h"

static void plugin_describes_itself(void **state)
{
    (void)state;
    assert_int_equal(plugin->abi, MEMBERCHAT_STORE_ABI);
    assert_int_equal(plugin->size, sizeof *plugin);
    assert_string_equal(plugin->name, "file");
    assert_int_equal(plugin->flags, MEMBERCHAT_STORE_THREAD_SAFE | MEMBERCHAT_STORE_LOCAL);
    assert_int_equal(plugin->key_count, 8);
}

static void all_fields_are_told(void **state)
{
    (void)state;
    open_with("\xef\xbb\xbf"
              "team,appUserId,appUserName,appUserProfileImgUrl,role,state,\"shoe size\"\r\n"
              "red,1,\"Ann \"\"A\"\" B\",https://x/1.jpg,admin,active,38\r\n"
              "\"blue, old\",m-\xc3\xa9,J\xc3\xb6rg,,,,\r\n");
    assert_name("1", "Ann \"A\" B");
    assert_string_equal(result.fields[MEMBERCHAT_AVATAR], "https://x/1.jpg");
    assert_string_equal(result.fields[MEMBERCHAT_ROLE], "admin");
    assert_int_equal(result.attributes, 2);
    assert_string_equal(fake_result_attribute(&result, "team"), "red");
    assert_string_equal(fake_result_attribute(&result, "shoe size"), "38");
    assert_name("m-\xc3\xa9", "J\xc3\xb6rg");
    assert_int_equal(result.lengths[MEMBERCHAT_AVATAR], 0);
    assert_int_equal(result.lengths[MEMBERCHAT_ROLE], 0);
    assert_int_equal(result.attributes, 1);
    assert_string_equal(fake_result_attribute(&result, "team"), "blue, old");
    assert_false(result.refused);
    assert_int_equal(lookup("M-\xc3\xa9"), MEMBERCHAT_NOT_FOUND);
    assert_int_equal(lookup("appUserId"), MEMBERCHAT_NOT_FOUND);
    assert_int_equal(lookup("\",\n/../%00"), MEMBERCHAT_NOT_FOUND);
    assert_int_equal(plugin->probe(store, 0, fake_result_start(&result)), MEMBERCHAT_FOUND);
}

static void only_active_members_are_found(void **state)
{
    static const char *const values[] = {"yes", "Trial"};

    (void)state;
    open_with("appUserId,state\n1,ACTIVE\n2,Active\n3,\n4,LEFT\n5,ACTIVE2\n6,yes\n");
    assert_int_equal(lookup("1"), MEMBERCHAT_FOUND);
    assert_int_equal(lookup("2"), MEMBERCHAT_FOUND);
    assert_int_equal(lookup("3"), MEMBERCHAT_FOUND);
    assert_int_equal(lookup("4"), MEMBERCHAT_NOT_FOUND);
    assert_int_equal(result.lengths[MEMBERCHAT_ID], 0);
    assert_int_equal(lookup("5"), MEMBERCHAT_NOT_FOUND);
    *(struct memberchat_list *)fake_settings_at(plugin, settings, "active_values") =
        (struct memberchat_list){values, 2};
    assert_int_equal(lookup("1"), MEMBERCHAT_NOT_FOUND);
    assert_int_equal(lookup("3"), MEMBERCHAT_FOUND);
    assert_int_equal(lookup("6"), MEMBERCHAT_FOUND);
}

static void columns_are_mapped(void **state)
{
    (void)state;
    set_text("id_column", "uid");
    set_text("name_column", "full name");
    set_text("role_column", "rank");
    set_text("state_column", "lives");
    put(path, "uid,full name,state,lives\n1,Ann,gone,active\n2,Bob,ACTIVE,no\n");
    assert_true(open_store(0));
    assert_int_equal(fake_services_count(&fake, "no column \"rank\""), 1);
    assert_int_equal(fake_services_count(&fake, "no column"), 1);
    assert_name("1", "Ann");
    assert_string_equal(fake_result_attribute(&result, "state"), "gone");
    assert_int_equal(lookup("2"), MEMBERCHAT_NOT_FOUND);
}

static bool check(void)
{
    return plugin->check(settings, &fake.table, fake_result_start(&result));
}

static void check_sees_what_can_be_seen(void **state)
{
    (void)state;
    assert_false(check());
    assert_non_null(strstr(result.reason, "no such file"));
    assert_non_null(strstr(result.reason, path));
    put(path, HEADER);
    assert_true(check());
    assert_string_equal(result.reason, "");
    put(path, "id;name\n");
    assert_false(check());
    assert_non_null(strstr(result.reason, "no column \"appUserId\""));
    set_text("name_column", "appUserId");
    assert_false(check());
    assert_string_equal(result.reason, "two keys name the same column \"appUserId\"");
    assert_null(fake.log);
}

static void open_refuses_bad_files(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "the file is empty"},
        {"appUserName\nAnn\n", "no column \"appUserId\""},
        {"\xff\xfe\x01", "UTF-16"},
        {"appUserId,\"x\n", "the header, line 1"},
        {HEADER "1\n2\n3\n", "more than 2 bad lines"},
    };
    size_t i;

    (void)state;
    *(int64_t *)fake_settings_at(plugin, settings, "max_bad") = 2;
    for (i = 0; i < COUNT(cases); i++) {
        put(path, cases[i].text);
        assert_false(open_store(0));
        assert_memory_equal(result.reason, path, strlen(path));
        assert_non_null(strstr(result.reason, cases[i].reason));
    }
}

static void open_refuses_what_is_no_file(void **state)
{
    (void)state;
    assert_false(open_store(0));
    assert_non_null(strstr(result.reason, "no such file: create it, or correct \"path\""));
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(open_store(0));
    assert_non_null(strstr(result.reason, "not a regular file"));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(open_store(0));
    assert_non_null(strstr(result.reason, "not a regular file"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(path, path), 0);
    assert_false(open_store(0));
    assert_non_null(strstr(result.reason, path));
    assert_int_equal(unlink(path), 0);
    put(path, HEADER);
    if (geteuid() == 0)
        return;
    assert_int_equal(chmod(path, 0), 0);
    assert_false(open_store(0));
    assert_non_null(strstr(result.reason, "permission denied: let user"));
}

static void twins_are_told(void **state)
{
    char expected[256];

    (void)state;
    put(path, HEADER "1,Ann\n2,Bob\n1,Ann\n");
    assert_true(open_store(0));
    assert_int_equal(fake_services_count(&fake, ":4: the id is in line 2 already"), 1);
    assert_int_equal(lookup("1"), MEMBERCHAT_MISCONFIGURED);
    snprintf(expected, sizeof expected, "lines 2 and 4 have the same id in %s", path);
    assert_string_equal(result.reason, expected);
    assert_name("2", "Bob");
}

static void one_process_for_one_request(void **state)
{
    (void)state;
    put(path, HEADER "1,Ann\n2\n3,Cid\n");
    assert_true(open_store(MEMBERCHAT_OPEN_ONCE));
    assert_name("1", "Ann");
    assert_int_equal(lookup("2"), MEMBERCHAT_NOT_FOUND);
    assert_int_equal(fake_services_count(&fake, "W "), 1);
    assert_int_equal(fake_services_count(&fake, "1 bad lines are left out"), 1);
    assert_int_equal(fake_services_count(&fake, "D "), 2);
}

static bool refuse(struct memberchat_result *of, enum memberchat_field field, const char *value,
                   size_t length)
{
    (void)of;
    (void)field;
    (void)value;
    (void)length;
    return false;
}

static void host_that_refuses_a_field(void **state)
{
    (void)state;
    open_with(HEADER "1,Ann\n");
    fake.table.set = refuse;
    assert_int_equal(lookup("1"), MEMBERCHAT_MISCONFIGURED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plugin_describes_itself),       TEST(all_fields_are_told),
        TEST(only_active_members_are_found), TEST(columns_are_mapped),
        TEST(check_sees_what_can_be_seen),   TEST(open_refuses_bad_files),
        TEST(open_refuses_what_is_no_file),  TEST(twins_are_told),
        TEST(one_process_for_one_request),   TEST(host_that_refuses_a_field),
    };

    return cmocka_run_group_tests_name("store_file", tests, NULL, NULL);
}
