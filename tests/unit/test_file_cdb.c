/* SPDX-License-Identifier: MIT
 * Compiled members files: the same answers as from the text, and no crash
 * whatever becomes of their bytes. */
#include "plugins/file/index.h"

#include "fake_services.h"

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
                           "2,Björk,,\r\n"
                           "\r\n"
                           "twice,a,,\r\n"
                           "3,gone,LEFT,\r\n"
                           "twice,b,,\r\n"
                           "bad,\"stray,,\r\n";

struct folder {
    char path[64], csv[96], cdb[96];
    struct fake_services services;
    struct file_settings settings;
    struct file_report report;
};

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
    folder->settings = (struct file_settings){
        .path = folder->csv,
        .columns = {"appUserId", "appUserName", "appUserProfileImgUrl", "role", "state"},
        .max_bad = 100};
    folder->report = (struct file_report){&folder->services.table, MEMBERCHAT_LOG_WARNING};
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

static void compile(struct folder *folder)
{
    struct file_reason reason;
    size_t members;
    if (!file_index(&folder->settings, &folder->report, folder->cdb, &members, &reason))
        fail_msg("%s", reason.text);
    assert_int_equal(members, 3);
}

static struct file_members *load(struct folder *folder, const char *path)
{
    struct file_settings settings = folder->settings;
    struct file_members *members = NULL;
    struct file_reason reason = {""};
    struct file_stamp stamp;
    settings.path = path;
    bool loaded = file_load(&settings, &folder->report, &stamp, &members, &reason) == FILE_LOADED;
    assert_int_equal(loaded, members != NULL);
    assert_true(loaded || reason.text[0] != '\0');
    return members;
}

static void same_answers(void **state)
{
    static const char *const ids[] = {"1", "2", "3", "twice", "bad", "4", "", "appUserId"};
    struct folder *folder = *state;
    compile(folder);
    struct file_members *a = load(folder, folder->csv), *b = load(folder, folder->cdb);
    struct file_csv *csv_a = file_csv_new(FILE_LINE_MAX), *csv_b = file_csv_new(FILE_LINE_MAX);
    assert_int_equal(file_members_count(a), file_members_count(b));
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct file_row row_a, row_b;
        struct file_twin twin_a, twin_b;
        size_t length = strlen(ids[i]);
        enum file_answer answer = file_members_find(a, csv_a, ids[i], length, &row_a, &twin_a);
        assert_int_equal(answer, file_members_find(b, csv_b, ids[i], length, &row_b, &twin_b));
        if (answer == FILE_TWICE) {
            assert_int_equal(twin_a.first, twin_b.first);
            assert_int_equal(twin_a.line, twin_b.line);
        }
        for (size_t f = 0; answer == FILE_HERE && f < row_a.count; f++) {
            assert_int_equal(row_a.fields[f].length, row_b.fields[f].length);
            assert_memory_equal(row_a.fields[f].bytes, row_b.fields[f].bytes,
                                row_a.fields[f].length);
        }
    }
    file_csv_free(csv_a);
    file_csv_free(csv_b);
    file_members_free(a);
    file_members_free(b);
}

static void keeps_permissions(void **state)
{
    struct folder *folder = *state;
    struct stat status;
    assert_int_equal(chmod(folder->csv, 0640), 0);
    compile(folder);
    assert_int_equal(stat(folder->cdb, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

/* Nothing is written when the text is not good. */
static void refuses(void **state)
{
    struct folder *folder = *state;
    struct file_reason reason;
    size_t members;
    put(folder->csv, "name\n1\n", 7);
    assert_false(file_index(&folder->settings, &folder->report, folder->cdb, &members, &reason));
    assert_non_null(strstr(reason.text, "appUserId"));
    assert_int_equal(access(folder->cdb, F_OK), -1);
    folder->settings.path = folder->cdb;
    put(folder->cdb, "", 0);
    assert_false(file_index(&folder->settings, &folder->report, folder->cdb, &members, &reason));
    assert_non_null(strstr(reason.text, "not a compiled members file"));
}

static void ask_all(struct file_members *members)
{
    static const char *const ids[] = {"1", "2", "3", "twice", "4"};
    struct file_csv *csv = file_csv_new(file_members_longest(members));
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct file_row row;
        struct file_twin twin;
        file_members_find(members, csv, ids[i], strlen(ids[i]), &row, &twin);
    }
    file_csv_free(csv);
}

/* Each byte changed in turn, each length: refused or asked, never a crash. */
static void damaged(void **state)
{
    struct folder *folder = *state;
    unsigned char bytes[8192];
    compile(folder);
    FILE *file = fopen(folder->cdb, "rb");
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_in_range(length, 2048, sizeof bytes - 1);
    for (size_t i = 0; i < 2 * length; i++) {
        unsigned char before = bytes[i % length];
        bytes[i % length] = i < length ? (unsigned char)~before : before;
        put(folder->cdb, bytes, i < length ? length : i - length);
        bytes[i % length] = before;
        struct file_members *members = load(folder, folder->cdb);
        if (members != NULL)
            ask_all(members);
        file_members_free(members);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(same_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_permissions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("file_cdb", tests, NULL, NULL);
}
