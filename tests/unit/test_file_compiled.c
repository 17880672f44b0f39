/* SPDX-License-Identifier: MIT
 * Compiled members files: the same answers as from the text, and no crash
 * whatever becomes of their bytes. */
#include "plugins/file/index.h"

#include "fake_services.h"

#include <cdb.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char text[] = "\xef\xbb\xbf"
                           "appUserId,appUserName,state,team\r\n"
                           "1,\"Smith, \"\"Ann\"\"\",ACTIVE,red\r\n"
                           "2,Björk,,\"of\n\nmany lines\"\r\n"
                           "\r\n"
                           "twice,a,,\r\n"
                           "3,gone,LEFT,\r\n"
                           "twice,b,,\r\n"
                           "bad,\"stray,,\r\n"
                           "short\r\n";

struct folder {
    char path[64], csv[96], cdb[96];
    struct fake_services services;
    struct file_settings settings;
    struct table_report report;
    struct fake_result result;
};

static const char *const active[] = {"ACTIVE"}, *const wanted[] = {"team"};

static void put(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);
    strcpy(folder->path, "/tmp/mc-cdb-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    snprintf(folder->csv, sizeof folder->csv, "%s/members.csv", folder->path);
    snprintf(folder->cdb, sizeof folder->cdb, "%s/members.cdb", folder->path);
    fake_services_start(&folder->services);
    folder->services.table.wanted = (struct memberchat_list){wanted, 1};
    folder->settings = (struct file_settings){
        .path = folder->csv,
        .encoding = "UTF-8",
        .columns = {"appUserId", "appUserName", "appUserProfileImgUrl", "role", "state"},
        .active_values = {active, 1},
        .max_bad = 100};
    folder->report = (struct table_report){&folder->services.table, MEMBERCHAT_LOG_WARNING};
    put(folder->csv, text, sizeof text - 1);
    *state = folder;
    return 0;
}

static int tear_down(void **state)
{
    struct folder *folder = *state;
    unlink(folder->csv);
    unlink(folder->cdb);
    assert_int_equal(rmdir(folder->path), 0);
    fake_services_stop(&folder->services);
    free(folder);
    return 0;
}

static void compile(struct folder *folder, size_t members)
{
    struct reason why;
    struct index index;
    bool synced = false;
    if (!index_make(&folder->settings, &folder->report, folder->cdb, &index, &why) ||
        !index_place(&index, &synced, &why))
        fail_msg("%s", why.text);
    assert_int_equal(index.members, members);
    assert_true(synced);
}

static struct members *load(struct folder *folder, const char *path)
{
    struct file_settings settings = folder->settings;
    struct members *members = NULL;
    struct reason why = {""};
    struct file_stamp stamp;
    settings.path = path;
    bool loaded = members_load(&settings, &folder->report, &stamp, &members, &why) == LOAD_DONE;
    assert_int_equal(loaded, members != NULL);
    assert_true(loaded || why.text[0] != '\0');
    return members;
}

static enum memberchat_outcome ask(struct folder *folder, const struct members *members,
                                   const char *id)
{
    return members_lookup(members, &folder->settings, span_of(id), &folder->services.table,
                          fake_result_start(&folder->result));
}

static void assert_same_answers(struct folder *folder)
{
    static const char *const ids[] = {"1", "2", "3", "twice", "bad", "short", "4", "appUserId"};
    struct members *a = load(folder, folder->csv), *b = load(folder, folder->cdb);
    static struct fake_result first;
    assert_int_equal(members_count(a), members_count(b));
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        enum memberchat_outcome outcome = ask(folder, a, ids[i]);
        first = folder->result;
        assert_int_equal(ask(folder, b, ids[i]), outcome);
        assert_memory_equal(first.fields, folder->result.fields, sizeof first.fields);
        assert_memory_equal(first.values, folder->result.values, sizeof first.values);
        /* the place, if not the words */
        assert_memory_equal(first.reason, folder->result.reason, strcspn(first.reason, "."));
    }
    members_free(a);
    members_free(b);
}

static void compiled_file_answers_like_its_text(void **state)
{
    struct folder *folder = *state;
    compile(folder, 4);
    assert_same_answers(folder);
    struct members *members = load(folder, folder->cdb);
    assert_int_equal(ask(folder, members, "bad"), MEMBERCHAT_MISCONFIGURED);
    assert_memory_equal(folder->result.reason, "line 10 of ", 11);
    assert_int_equal(ask(folder, members, "2"), MEMBERCHAT_FOUND);
    assert_string_equal(fake_result_attribute(&folder->result, "team"), "of\n\nmany lines");
    members_free(members);
}

static void separator_and_encoding_are_compiled_in(void **state)
{
    static const char latin[] = "appUserName;appUserId;team\nJ\xf6rg;1;a;b\n\x80 5;2\n";
    struct folder *folder = *state;
    folder->settings.encoding = "windows-1252";
    folder->settings.separator = 1;
    put(folder->csv, latin, sizeof latin - 1);
    compile(folder, 1);
    assert_same_answers(folder);
    folder->settings.encoding = "UTF-8";
    folder->settings.separator = 0;
    struct members *members = load(folder, folder->cdb);
    assert_int_equal(ask(folder, members, "1"), MEMBERCHAT_MISCONFIGURED);
    assert_int_equal(ask(folder, members, "2"), MEMBERCHAT_FOUND);
    assert_string_equal(folder->result.fields[MEMBERCHAT_NAME], "\xe2\x82\xac 5");
    members_free(members);
}

static bool count(struct folder *folder, const char *state_column, struct census *census_r)
{
    folder->settings.columns[COLUMN_STATE] = state_column;
    struct members *members = load(folder, folder->cdb);
    bool counted = members_census(members, &folder->settings, census_r);
    members_free(members);
    return counted;
}

static void states_are_compiled_in(void **state)
{
    static const char *const here[] = {"active", "Left"};
    struct folder *folder = *state;
    struct census census;
    compile(folder, 4);
    assert_true(count(folder, "state", &census));
    assert_int_equal(census.members, 4);
    assert_int_equal(census.active, 3); /* "short" has no state either */
    assert_int_equal(census.state_count, 2);
    assert_string_equal(census.states[1].name, "LEFT");
    assert_int_equal(census.states[1].count, 1);
    folder->settings.active_values = (struct memberchat_list){here, 2};
    assert_true(count(folder, "state", &census));
    assert_int_equal(census.active, 4);
    assert_true(count(folder, "", &census));
    assert_int_equal(census.active, 4);
    assert_int_equal(census.state_count, 0);
    assert_false(count(folder, "team", &census)); /* not that which was counted */
    assert_int_equal(census.members, 4);
}

/* More states than are counted, and longer ones: the file knows that it does not know. */
static void many_states(void **state)
{
    struct folder *folder = *state;
    struct bytes csv = {0};
    struct census census;
    bytes_add_string(&csv, "appUserId,state\n");
    for (size_t i = 0; i < CENSUS_STATES; i++)
        bytes_addf(&csv, "%zu,%02zu%080d\n", i, i, 0);
    put(folder->csv, csv.data, csv.length);
    compile(folder, CENSUS_STATES);
    assert_true(count(folder, "state", &census));
    assert_int_equal(census.active, 0);
    bytes_addf(&csv, "a,ACTIVE\n");
    put(folder->csv, csv.data, csv.length);
    compile(folder, CENSUS_STATES + 1);
    assert_false(count(folder, "state", &census));
    assert_int_equal(census.members, CENSUS_STATES + 1);
    bytes_free(&csv);
}

static void put_compiled(struct folder *folder, const char *own, const char *const records[][2],
                         size_t count_of)
{
    struct cdb_make make;
    int fd = open(folder->cdb, O_RDWR | O_CREAT | O_TRUNC, 0600);
    cdb_make_start(&make, fd);
    cdb_make_add(&make, "\0memberchat", 11, own, (unsigned)strlen(own));
    for (size_t i = 0; i < count_of; i++)
        cdb_make_add(&make, records[i][0], (unsigned)strlen(records[i][0]), records[i][1],
                     (unsigned)strlen(records[i][1]));
    assert_int_equal(cdb_make_finish(&make) | close(fd), 0);
}

/* Files of earlier versions, which nobody needs to make again. */
static void earlier_formats(void **state)
{
    static const char *const owns[] = {"1 1 20\nappUserId,state\n", "2 1 20 44\nappUserId,state\n",
                                       "2 1 20 44\nstate,appUserId\n"};
    static const char *const records[][2] = {{"1", "1,ACTIVE\n"}, {"1", "ACTIVE,1\n"}};
    struct folder *folder = *state;
    struct census census;
    for (size_t i = 0; i < 3; i++) {
        put_compiled(folder, owns[i], &records[i / 2], 1);
        struct members *members = load(folder, folder->cdb);
        assert_int_equal(ask(folder, members, "1"), MEMBERCHAT_FOUND);
        assert_int_equal(members_count(members), 1);
        members_free(members);
        assert_false(count(folder, "state", &census));
        assert_true(count(folder, "", &census));
    }
}

static void damaged_numbers(void **state)
{
    static const char *const owns[] = {
        "1 1 20 ",                          /* no header */
        "1 1\nappUserId\n",                 /* too few numbers */
        "2 1 20\nappUserId\n",              /* no separator */
        "4 1 20 44\nappUserId\n",           /* a format of later times */
        "2 1 65537 44\nappUserId\n",        /* a record that is too long */
        "2 1 20 0\nappUserId\n",            /* separators that are none */
        "2 1 20 127\nappUserId\n",          /* */
        "3 1 20 44\n1 0\nappUserId\n",      /* a census of too few numbers */
        "3 1 20 44\n1 0 17\nappUserId\n",   /* too many states */
        "3 1 20 44\n1 0 0 appUserId\n",     /* no line end */
        "3 1 20 44\n1 0 0",                 /* */
        "3 1 20 44\n1 0 1\nappUserId\n",    /* no state */
        "3 1 20 44\n1 0 1\n1 66 appUserId", /* one that is too long */
        "3 1 20 44\n1 0 1\n1 9 x\n",        /* one that is longer than what is there */
        "3 1 20 44\n1 0 1\n1 2 xyz\n",      /* one that is longer than it says */
    };
    struct folder *folder = *state;
    for (size_t i = 0; i < sizeof owns / sizeof *owns; i++) {
        put_compiled(folder, owns[i], NULL, 0);
        if (load(folder, folder->cdb))
            fail_msg("%s was taken", owns[i]);
    }
    char long_own[300];
    snprintf(long_own, sizeof long_own, "1 1 20%270s\nappUserId\n", "");
    put_compiled(folder, long_own, NULL, 0);
    assert_null(load(folder, folder->cdb));
}

static void damaged_records(void **state)
{
    static const char *const records[][2] = {{"empty", ""},
                                             {"long", "long,a record of more than 20 bytes\n"},
                                             {"quoted", "quoted,\"\n"},
                                             {"two", "two,\nlines\n"},
                                             {"other", "another\n"},
                                             {"good", "good\n"}};
    struct folder *folder = *state;
    put_compiled(folder, "2 6 20 44\nappUserId,appUserName\n", records, 6);
    struct members *members = load(folder, folder->cdb);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(ask(folder, members, records[i][0]), MEMBERCHAT_MISCONFIGURED);
        assert_non_null(strstr(folder->result.reason, "is damaged: make it again"));
    }
    assert_int_equal(ask(folder, members, "good"), MEMBERCHAT_FOUND);
    members_free(members);
}

static void a_check_sees_missing_columns(void **state)
{
    static const char *const more[] = {"team", "colour"};
    struct folder *folder = *state;
    struct reason why;
    compile(folder, 4);
    folder->settings.path = folder->cdb;
    assert_true(members_check(&folder->settings, &folder->services.table, &why));
    folder->services.table.wanted = (struct memberchat_list){more, 2};
    assert_false(members_check(&folder->settings, &folder->services.table, &why));
    assert_non_null(strstr(why.text, "no column \"colour\" in the header"));
}

static void keeps_permissions(void **state)
{
    struct folder *folder = *state;
    struct stat status;
    assert_int_equal(chmod(folder->csv, 0640), 0);
    compile(folder, 4);
    assert_int_equal(stat(folder->cdb, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

/* Nothing is written when the text is not good, and nothing is left over. */
static void refuses(void **state)
{
    struct folder *folder = *state;
    struct reason why;
    struct index index;
    put(folder->csv, "name\n1\n", 7);
    assert_false(index_make(&folder->settings, &folder->report, folder->cdb, &index, &why));
    assert_non_null(strstr(why.text, "appUserId"));
    assert_int_equal(access(folder->cdb, F_OK), -1);
    put(folder->csv, text, sizeof text - 1);
    assert_true(index_make(&folder->settings, &folder->report, folder->cdb, &index, &why));
    index_drop(&index);
    assert_int_equal(access(folder->cdb, F_OK), -1);
    folder->settings.path = folder->cdb;
    put(folder->cdb, "", 0);
    assert_false(index_make(&folder->settings, &folder->report, folder->cdb, &index, &why));
    assert_non_null(strstr(why.text, "not a compiled members file"));
    folder->settings.path = folder->csv;
    compile(folder, 4);
    folder->settings.path = folder->cdb;
    assert_false(index_make(&folder->settings, &folder->report, folder->csv, &index, &why));
    assert_non_null(strstr(why.text, "it is compiled already"));
}

static void refuses_what_is_too_long(void **state)
{
    struct folder *folder = *state;
    struct reason why;
    struct index index;
    char path[PATH_MAX + 10];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_false(index_make(&folder->settings, &folder->report, path, &index, &why));
    assert_int_equal(truncate(folder->csv, INT64_C(1) << 33), 0); /* without a byte on the disk */
    assert_false(index_make(&folder->settings, &folder->report, folder->cdb, &index, &why));
    assert_non_null(strstr(why.text, ": larger than "));
}

/* Each byte changed in turn, each length: refused or asked, never a crash. */
static void damaged(void **state)
{
    static const char *const ids[] = {"1", "2", "3", "twice", "bad", "4"};
    struct folder *folder = *state;
    unsigned char bytes[8192];
    compile(folder, 4);
    FILE *file = fopen(folder->cdb, "rb");
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_in_range(length, 2048, sizeof bytes - 1);
    for (size_t i = 0; i < 2 * length; i++) {
        unsigned char before = bytes[i % length];
        bytes[i % length] = i < length ? (unsigned char)~before : before;
        put(folder->cdb, bytes, i < length ? length : i - length);
        bytes[i % length] = before;
        struct members *members = load(folder, folder->cdb);
        for (size_t j = 0; members && j < sizeof ids / sizeof *ids; j++)
            ask(folder, members, ids[j]);
        members_free(members);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(compiled_file_answers_like_its_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(separator_and_encoding_are_compiled_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(states_are_compiled_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_states, set_up, tear_down),
        cmocka_unit_test_setup_teardown(earlier_formats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_check_sees_missing_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_permissions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_is_too_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("file_compiled", tests, NULL, NULL);
}
