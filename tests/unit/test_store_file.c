/* SPDX-License-Identifier: MIT
 * What the flat-file store answers, through its plugin struct only. */
#include "file_fixture.h"

#include "base/bytes.h"

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void plugin_describes_itself(void **state)
{
    (void)state;
    assert_int_equal(plugin->abi, MEMBERCHAT_STORE_ABI);
    assert_int_equal(plugin->size, sizeof *plugin);
    assert_string_equal(plugin->name, "file");
    assert_int_equal(plugin->flags, MEMBERCHAT_STORE_THREAD_SAFE | MEMBERCHAT_STORE_LOCAL);
    assert_int_equal(plugin->key_count, 10);
}

static void all_fields_are_told(void **state)
{
    (void)state;
    set_wanted(2);
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
    set_wanted(3);
    set_text("id_column", "uid");
    set_text("name_column", "full name");
    set_text("role_column", "rank");
    set_text("state_column", "lives");
    put(path, "uid,full name,state,lives\n1,Ann,gone,active\n2,Bob,ACTIVE,no\n");
    assert_true(open_store(0));
    assert_int_equal(fake_services_count(&fake, "W "), 1);
    assert_int_equal(fake_services_count(&fake, "the header has no column for: rank\n"), 1);
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
    set_wanted(3);
    assert_false(check());
    assert_non_null(strstr(result.reason, "No such file"));
    assert_non_null(strstr(result.reason, path));
    put(path, "team,state,appUserId,shoe size\n");
    assert_true(check());
    assert_string_equal(result.reason, "");
    put(path, "team,state,appUserId\n");
    assert_false(check());
    assert_non_null(
        strstr(result.reason, "no column \"shoe size\" in the header, which a template"));
    put(path, "id;name\n");
    assert_false(check());
    assert_non_null(strstr(result.reason, "no column \"appUserId\""));
    put(path, "appUserId;name\n");
    assert_false(check());
    assert_non_null(strstr(result.reason, "set separator = \";\""));
    set_text("encoding", "windows-9999");
    assert_false(check());
    assert_string_equal(result.reason,
                        "encoding: the encoding \"windows-9999\" is not known: see iconv -l");
    set_text("name_column", "appUserId");
    assert_false(check());
    assert_string_equal(result.reason,
                        "name_column: \"appUserId\" is the column of \"id_column\", too");
    assert_null(fake.log);
}

static void open_refuses_bad_files(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "the file is empty"},
        {"appUserName\nAnn\n", "no column \"appUserId\""},
        {"\xff\xfe\x01", "no column \"appUserId\""},
        {"appUserId,\"x\n", "the header, line 1"},
        {HEADER "1,a,b\n2,a,b\n3,a,b\n", "more than 2 bad lines"},
    };
    (void)state;
    *(int64_t *)fake_settings_at(plugin, settings, "max_bad") = 2;
    for (size_t i = 0; i < COUNT(cases); i++) {
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
    assert_non_null(
        strstr(result.reason, "No such file or directory: make it, or correct its path"));
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
    set_text("path", "/etc/passwd/members.csv");
    assert_false(open_store(0));
    assert_non_null(strstr(result.reason, "Not a directory: make it"));
    set_text("path", "/-"); /* shorter than ".cdb" */
    assert_false(open_store(0));
    assert_non_null(strstr(result.reason, "No such file"));
    set_text("path", path);
    if (geteuid() == 0)
        return;
    assert_int_equal(chmod(path, 0), 0);
    assert_false(open_store(0));
    assert_non_null(strstr(result.reason, "Permission denied: make it readable"));
}

static void twins_are_told(void **state)
{
    char expected[256];
    (void)state;
    put(path, HEADER "1,Ann\n2,Bob\n1,Ann\n");
    assert_true(open_store(0));
    assert_int_equal(
        fake_services_count(&fake, ":4: the id is in line 2 already: look-ups of it fail"), 1);
    assert_int_equal(lookup("1"), MEMBERCHAT_MISCONFIGURED);
    snprintf(expected, sizeof expected, "lines 2 and 4 have the same id in %s", path);
    assert_string_equal(result.reason, expected);
    assert_name("2", "Bob");
}

static void one_process_for_one_request(void **state)
{
    (void)state;
    put(path, HEADER "1,Ann\n2,\"\n3,Cid\n");
    assert_true(open_store(MEMBERCHAT_OPEN_ONCE));
    assert_name("1", "Ann");
    assert_int_equal(lookup("2"), MEMBERCHAT_MISCONFIGURED);
    assert_int_equal(fake_services_count(&fake, "W "), 1);
    assert_int_equal(fake_services_count(&fake, "bad lines: 1, the first is line 3"), 1);
    assert_int_equal(fake_services_count(&fake, "D "), 2);
}

/* A line that is there but cannot be read is not the same as nobody. */
static void bad_line_is_an_error_for_its_id_only(void **state)
{
    static const struct {
        const char *line, *id, *reason;
    } cases[] = {
        {"m,\"stray", "m", "line 3 of %s is bad: a quotation mark that is not closed"},
        {"m,a,b", "m", "line 3 of %s is bad: more fields than the header has"},
        {"m,J\xf6rg", "m", "line 3 of %s is bad: the name is not in the encoding of the file"},
        {"\"m\",a\rb", "m", "line 3 of %s is bad: a carriage return inside the line"},
        {"\"m\"x,Ann", "m", NULL}, /* the id cannot be read */
        {",Ann", "m", NULL},
        {A50 A50 A50 ",Ann", A50 A50 A50, NULL},
    };
    char expected[256];
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(expected, sizeof expected, "appUserId,appUserName\n1,Ann\n%s\n2,Bob\n",
                 cases[i].line);
        open_with(expected);
        assert_name("1", "Ann");
        assert_name("2", "Bob");
        assert_int_equal(lookup(cases[i].id),
                         cases[i].reason ? MEMBERCHAT_MISCONFIGURED : MEMBERCHAT_NOT_FOUND);
        if (cases[i].reason) {
            strcpy(expected, cases[i].reason);
            *strstr(expected, "%s") = '\0';
            assert_memory_equal(result.reason, expected, strlen(expected));
            assert_non_null(strstr(result.reason, strstr(cases[i].reason, " is bad")));
        }
        plugin->close(store);
        store = NULL;
    }
}

static void columns_that_nobody_asks_for_do_no_harm(void **state)
{
    struct bytes text = {0};
    (void)state;
    set_wanted(1);
    bytes_add_string(&text, "appUserId,appUserName,team,a,a,\xff,\"What do you\nlike best of all "
                            "the things that you have seen in the past one hundred years?\"");
    for (int i = 0; i < 70; i++)
        bytes_addf(&text, ",column %d", i);
    bytes_add_string(&text, "\n1,Ann,red,x,y,\xfe,\"several\n\nlines, with a \"\"mark\"\"\"\n");
    bytes_add_string(&text, "2,Bob,blue\n");
    open_with(bytes_string(&text));
    bytes_free(&text);
    assert_name("1", "Ann");
    assert_int_equal(result.attributes, 1);
    assert_string_equal(fake_result_attribute(&result, "team"), "red");
    assert_name("2", "Bob");
    assert_false(result.refused);
}

static void exports_of_products_are_read(void **state)
{
    static const struct {
        const char *text, *id, *name, *separator, *encoding;
    } cases[] = {
        /* Mailchimp */
        {"Email Address,First Name,Last Name,Address,Phone "
         "Number,Address,MEMBER_RATING,NOTES,TAGS\n"
         "ann@example.com,Ann,Smith,\"1 Road\nTown\",,,2,\"a "
         "\"\"note\"\"\",\"\"\"x\"\",\"\"y\"\"\"\n",
         "Email Address", "First Name", ",", "UTF-8"},
        /* Google Workspace */
        {"First Name [Required],Last Name [Required],Email Address [Required],Password "
         "[Required],Status [READ ONLY]\nAnn,Smith,ann@example.com,****,Active\n",
         "Email Address [Required]", "First Name [Required]", ",", "UTF-8"},
        /* Microsoft 365 */
        {"\xef\xbb\xbf\"Display name\",\"User principal name\",\"Licenses\",\"Block "
         "credential\"\r\n"
         "\"Ann\",\"ann@example.com\",\"A+B\",\"False\"\r\n",
         "User principal name", "Display name", ",", "UTF-8"},
        /* Moodle, by a German Excel */
        {"sep=;\r\nusername;firstname;lastname;email;course1\r\nann@example.com;Ann;M\xfcller;;"
         "x\r\n",
         "username", "firstname", ",", "windows-1252"},
        {"username\tfirstname\nann@example.com\tAnn\t\t\n", "username", "firstname", "tab",
         "UTF-8"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        set_text("id_column", cases[i].id);
        set_text("name_column", cases[i].name);
        set_text("encoding", cases[i].encoding);
        *(int64_t *)fake_settings_at(plugin, settings, "separator") =
            strcmp(cases[i].separator, "tab") == 0 ? 3 : 0;
        open_with(cases[i].text);
        assert_name("ann@example.com", "Ann");
        plugin->close(store);
        store = NULL;
    }
}

static void state_can_be_switched_off(void **state)
{
    (void)state;
    set_wanted(3);
    set_text("state_column", "");
    open_with("appUserId,state,\n1,LEFT,gone\n");
    assert_int_equal(lookup("1"), MEMBERCHAT_FOUND);
    assert_string_equal(fake_result_attribute(&result, "state"), "LEFT");
}

static void inactive_members_are_told_from_absent_ones(void **state)
{
    (void)state;
    open_with("appUserId,state\n1,WITHDRAWN\n");
    assert_int_equal(lookup("1"), MEMBERCHAT_NOT_FOUND);
    assert_string_equal(result.reason, "its state is \"WITHDRAWN\"");
    assert_int_equal(lookup("2"), MEMBERCHAT_NOT_FOUND);
    assert_string_equal(result.reason, "");
}

static void states_of_another_column_are_not_told(void **state)
{
    struct memberchat_holdings holdings = {.size = sizeof holdings};
    (void)state;
    set_text("path", compile("appUserId,state,other\n1,ACTIVE,yes\n2,LEFT,yes\n"));
    set_text("state_column", "other");
    assert_true(open_store(0));
    assert_int_equal(fake_services_count(&fake, "members.cdb: 2 members\n"), 1);
    plugin->describe(store, &holdings);
    assert_false(holdings.counted);
    assert_int_equal(holdings.members, 2);
    assert_string_equal(holdings.states, "");
    remove_compiled();
}

static void store_tells_what_it_holds(void **state)
{
    struct memberchat_holdings holdings = {.size = sizeof holdings};
    (void)state;
    set_wanted(1);
    set_text("role_column", "rank");
    put(path, "appUserId,state\n1,ACTIVE\n2,\n3,LEFT\n4,active\n4,active\n");
    assert_true(open_store(0));
    assert_int_equal(fake_services_count(&fake, "3 members, 2 active (states: ACTIVE 1, LEFT 1)"),
                     1);
    plugin->describe(store, &holdings);
    assert_true(holdings.counted);
    assert_int_equal(holdings.members, 3);
    assert_int_equal(holdings.active, 2);
    assert_string_equal(holdings.missing, "rank");
    replace("appUserId,state\n1,a\n2,b\n3,b\n");
    tick(1000);
    assert_int_equal(fake_services_count(&fake, "no member is active: check state_column"), 1);
    plugin->close(store);
    open_with("appUserId,state\n1," A50 "\n2,b" A50 "\n3,c" A50 "\n4,c" A50 "\n5,d" A50 "\n6,e" A50
              "\n7,ACTIVE\n");
    holdings = (struct memberchat_holdings){.size = sizeof holdings};
    plugin->describe(store, &holdings);
    assert_non_null(strstr(holdings.states, ", c" A50 " 2, d" A50 " 1, ACTIVE 1"));
    assert_null(strstr(holdings.states, "e" A50)); /* no room */
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
        TEST(plugin_describes_itself),
        TEST(all_fields_are_told),
        TEST(only_active_members_are_found),
        TEST(columns_are_mapped),
        TEST(check_sees_what_can_be_seen),
        TEST(open_refuses_bad_files),
        TEST(open_refuses_what_is_no_file),
        TEST(twins_are_told),
        TEST(bad_line_is_an_error_for_its_id_only),
        TEST(columns_that_nobody_asks_for_do_no_harm),
        TEST(exports_of_products_are_read),
        TEST(state_can_be_switched_off),
        TEST(inactive_members_are_told_from_absent_ones),
        TEST(store_tells_what_it_holds),
        TEST(states_of_another_column_are_not_told),
        TEST(one_process_for_one_request),
        TEST(host_that_refuses_a_field),
    };

    return cmocka_run_group_tests_name("store_file", tests, NULL, NULL);
}
