/* SPDX-License-Identifier: MIT
 *
 * test_store_file.c: the flat-file store, through its plugin struct only.
 */
#include "fake_services.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

#define HEADER "appUserId,appUserName\n"
#define TEN                                                                                        \
    "0,A\n1,B\n2,C\n3,D\n4,E\n"                                                                    \
    "5,F\n6,G\n7,H\n8,I\n9,J\n"

static const struct memberchat_store_plugin *plugin;
static struct fake_services fake;
static struct fake_result result;
static char folder[64], path[128], other[128];
static void *settings, *store;
static time_t written; /* the time that the next content gets */

static int start(void **state)
{
    (void)state;
    plugin = memberchat_store_plugin();
    fake_services_start(&fake);
    strcpy(folder, "/tmp/memberchat-store-file-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/members.csv", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    written = time(NULL) - 100000;
    settings = fake_settings_new(plugin);
    *(const char **)fake_settings_at(plugin, settings, "path") = path;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    if (store != NULL)
        plugin->close(store);
    store = NULL;
    free(settings);
    fake_services_stop(&fake);
    (void)remove(path);
    (void)remove(other);
    return rmdir(folder);
}

static void set_text(const char *key, const char *value)
{
    *(const char **)fake_settings_at(plugin, settings, key) = value;
}

/* Writes in place, and leaves a time that no other content had. */
static void put(const char *to, const char *text)
{
    struct timespec times[2] = {{0, UTIME_OMIT}, {written++, 0}};
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    size_t length = strlen(text);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), length);
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static void replace(const char *text)
{
    put(other, text);
    assert_int_equal(rename(other, path), 0);
}

static bool open_store(uint32_t how)
{
    store = plugin->open(settings, &fake.table, how, fake_result_start(&result));
    return store != NULL;
}

static void open_with(const char *text)
{
    put(path, text);
    assert_true(open_store(0));
    fake_services_forget(&fake);
}

static void tick(int64_t milliseconds)
{
    fake.clock += milliseconds;
    plugin->reload(store, false);
}

static enum memberchat_outcome lookup(const char *id)
{
    return plugin->lookup(store, id, strlen(id), fake.clock + 1000, fake_result_start(&result));
}

static void assert_name(const char *id, const char *name)
{
    assert_int_equal(lookup(id), MEMBERCHAT_FOUND);
    assert_string_equal(result.fields[MEMBERCHAT_ID], id);
    assert_string_equal(result.fields[MEMBERCHAT_NAME], name);
}

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

static void renamed_file_is_taken_at_once(void **state)
{
    (void)state;
    open_with(HEADER "1,Ann\n");
    tick(1000);
    assert_null(fake.log);
    replace(HEADER "1,Bob\n");
    tick(1000);
    assert_name("1", "Bob");
    assert_int_equal(fake_services_count(&fake, "I "), 1);
    tick(1000);
    assert_int_equal(fake_services_count(&fake, "\n"), 1);
}

static void link_is_followed(void **state)
{
    char third[200];

    (void)state;
    snprintf(third, sizeof third, "%s/third", folder);
    put(other, HEADER "1,Ann\n");
    put(third, HEADER "1,Bob\n");
    assert_int_equal(symlink("other", path), 0);
    assert_true(open_store(0));
    assert_name("1", "Ann");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("third", path), 0);
    tick(1000);
    assert_name("1", "Bob");
    assert_int_equal(unlink(third), 0);
}

static void rewritten_file_has_to_settle(void **state)
{
    int i;

    (void)state;
    open_with(HEADER "1,Ann\n");
    put(path, HEADER "1,Bob\n");
    tick(1000);
    assert_name("1", "Ann");
    tick(500);
    put(path, HEADER "1,Cid\n");
    tick(500);
    assert_name("1", "Ann");
    tick(999);
    assert_name("1", "Ann");
    tick(1);
    assert_name("1", "Cid");
    fake_services_forget(&fake);
    for (i = 0; i < 15; i++) {
        put(path, HEADER "1,Dan\n");
        tick(1000);
        assert_name("1", "Cid");
    }
    assert_int_equal(fake_services_count(&fake, "it has been changing for 10 seconds"), 1);
    assert_int_equal(fake_services_count(&fake, "\n"), 1);
    tick(1000);
    assert_name("1", "Dan");
    assert_int_equal(fake_services_count(&fake, "good again"), 1);
}

static void vanished_file_leaves_its_content(void **state)
{
    int i;

    (void)state;
    open_with(HEADER "1,Ann\n");
    assert_int_equal(rename(path, other), 0);
    for (i = 0; i < 5; i++)
        tick(1000);
    plugin->reload(store, true);
    assert_name("1", "Ann");
    assert_int_equal(plugin->probe(store, 0, fake_result_start(&result)), MEMBERCHAT_FOUND);
    assert_int_equal(fake_services_count(&fake, "no such file"), 1);
    assert_int_equal(fake_services_count(&fake, "the old content with 1 members stays"), 1);
    assert_int_equal(rename(other, path), 0);
    tick(1000);
    assert_int_equal(fake_services_count(&fake, "good again"), 1);
    assert_int_equal(rename(path, other), 0);
    tick(1000);
    assert_int_equal(fake_services_count(&fake, "no such file"), 2);
    put(path, HEADER "1,Bob\n");
    tick(1000);
    assert_name("1", "Bob");
    assert_int_equal(fake_services_count(&fake, "good again"), 2);
}

static void unreadable_file_leaves_the_content(void **state)
{
    int i;

    (void)state;
    open_with(HEADER "1,Ann\n");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    for (i = 0; i < 3; i++)
        tick(1000);
    assert_name("1", "Ann");
    assert_int_equal(fake_services_count(&fake, "not a regular file"), 1);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink(path, path), 0);
    for (i = 0; i < 3; i++)
        tick(1000);
    assert_name("1", "Ann");
    assert_int_equal(fake_services_count(&fake, "the old content"), 2);
    assert_int_equal(unlink(path), 0);
    replace(HEADER "1,Bob\n");
    if (geteuid() != 0) {
        assert_int_equal(chmod(path, 0), 0);
        for (i = 0; i < 3; i++)
            tick(1000);
        assert_name("1", "Ann");
        assert_int_equal(fake_services_count(&fake, "permission denied"), 1);
        assert_int_equal(chmod(path, 0600), 0);
    }
    tick(1000);
    tick(1000); /* the inode number may be that of the folder, which looks like a rewrite */
    assert_name("1", "Bob");
    assert_int_equal(fake_services_count(&fake, "good again"), 1);
}

static void bad_file_leaves_the_content(void **state)
{
    static const char *const bad[] = {"", "nonsense\n", "\xfe\xffxx\n", HEADER "1,\"\n2\n3\n"};
    size_t i;

    (void)state;
    *(int64_t *)fake_settings_at(plugin, settings, "max_bad") = 2;
    open_with(HEADER "1,Ann\n");
    for (i = 0; i < COUNT(bad); i++) {
        fake_services_forget(&fake);
        replace(bad[i]);
        tick(1000);
        tick(1000);
        tick(1000);
        assert_name("1", "Ann");
        assert_int_equal(fake_services_count(&fake, "the old content"), 1);
    }
    replace(bad[3]);
    tick(1000);
    assert_int_equal(fake_services_count(&fake, "the old content"), 2);
    put(path, ""); /* truncated where it is */
    tick(1000);
    tick(1000);
    assert_int_equal(fake_services_count(&fake, "the file is empty"), 1);
    put(path, HEADER "1,Bob\n");
    tick(1000);
    assert_name("1", "Ann");
    tick(1000);
    assert_name("1", "Bob");
    assert_int_equal(fake_services_count(&fake, "good again"), 1);
}

static void sudden_loss_is_refused(void **state)
{
    (void)state;
    open_with(HEADER TEN);
    replace(HEADER "0,A\n1,B\n2,C\n3,D\n4,E\n");
    tick(1000);
    tick(1000);
    assert_name("9", "J");
    assert_int_equal(fake_services_count(&fake, "it has only 5 members now"), 1);
    replace(HEADER TEN TEN); /* each id is there twice: nobody would be found */
    tick(1000);
    assert_name("9", "J");
    assert_int_equal(fake_services_count(&fake, "it has only 0 members now"), 1);
    replace(HEADER "0,A\n1,B\n2,C\n3,D\n4,E\n5,X\n");
    tick(1000);
    assert_name("5", "X");
    assert_int_equal(lookup("9"), MEMBERCHAT_NOT_FOUND);
    replace(HEADER "5,Y\n");
    tick(1000);
    assert_name("5", "X");
    plugin->reload(store, true);
    assert_name("5", "Y");
    assert_int_equal(fake_services_count(&fake, "good again"), 2);
    replace(HEADER);
    tick(1000);
    assert_name("5", "Y");
    put(path, HEADER "5,Z\n");
    tick(1000);
    tick(1000);
    assert_name("5", "Z");
}

/* Asked for, a file is read even if nothing about it seems to have changed. */
static void asked_reload_reads_anew(void **state)
{
    (void)state;
    open_with(HEADER "1,Ann\n");
    written--;
    put(path, HEADER "1,Bob\n");
    tick(1000);
    tick(1000);
    assert_name("1", "Ann");
    plugin->reload(store, true);
    assert_name("1", "Bob");
    put(path, HEADER "1,Cid\n");
    plugin->reload(store, true);
    assert_name("1", "Cid");
}

static void set_time(const char *of, int64_t ago)
{
    struct timespec times[2] = {{0, UTIME_OMIT}, {time(NULL) - ago, 0}};

    assert_int_equal(utimensat(AT_FDCWD, of, times, 0), 0);
}

static void last_line_without_end(void **state)
{
    struct timespec before, after;

    (void)state;
    put(path, HEADER "1,Ann");
    assert_true(open_store(0));
    assert_name("1", "Ann");
    assert_int_equal(fake_services_count(&fake, "the last line has no line end"), 1);
    plugin->close(store);
    fake_services_forget(&fake);
    /* Written this moment: open() waits until it is still. */
    set_time(path, 0);
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_true(open_store(MEMBERCHAT_OPEN_ONCE));
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec <= 3);
    assert_name("1", "Ann");
    fake_services_forget(&fake);
    /* A new file, asked for: it is waited for, and what was asked is not forgotten. */
    put(other, HEADER "9,Bo");
    set_time(other, -1);
    assert_int_equal(rename(other, path), 0);
    set_time(path, 0);
    plugin->reload(store, true);
    tick(0);
    assert_name("1", "Ann");
    assert_int_equal(fake_services_count(&fake, "someone is still writing"), 1);
    set_time(path, 5);
    tick(1000);
    tick(1000);
    assert_name("9", "Bo");
    assert_int_equal(fake_services_count(&fake, "good again"), 1);
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

struct crowd {
    atomic_bool over;
    atomic_size_t wrong, right;
};

static void *crowd_member(void *data)
{
    const struct timespec pause = {0, 100000};
    struct crowd *crowd = data;
    struct fake_result mine;
    unsigned round;

    for (round = 1; !atomic_load(&crowd->over); round++) {
        struct memberchat_result *given = fake_result_start(&mine);
        enum memberchat_outcome found = plugin->lookup(store, "7", 1, 0, given);
        enum memberchat_outcome missed = plugin->lookup(store, "77", 2, 0, given);

        if (found == MEMBERCHAT_FOUND && missed == MEMBERCHAT_NOT_FOUND &&
            strcmp(mine.fields[MEMBERCHAT_NAME], "H") == 0 &&
            plugin->probe(store, 0, given) == MEMBERCHAT_FOUND)
            atomic_fetch_add(&crowd->right, 1);
        else
            atomic_fetch_add(&crowd->wrong, 1);
        if (round % 16 == 0) /* valgrind runs one thread at a time, and changes seldom */
            nanosleep(&pause, NULL);
    }
    return NULL;
}

static void lookups_go_on_during_reloads(void **state)
{
    static const char *const contents[] = {HEADER TEN, HEADER TEN "10,K\n", "",
                                           HEADER "5,E\n6,F\n7,H\n8,H\n9,I\n10,J\n", HEADER "1,\n"};
    struct crowd crowd = {false, 0, 0};
    pthread_t threads[4];
    size_t i;

    (void)state;
    open_with(HEADER TEN);
    for (i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, crowd_member, &crowd), 0);
    for (i = 0; i < 300 || (atomic_load(&crowd.right) < 100 && i < 100000); i++) {
        replace(contents[i % COUNT(contents)]);
        tick(1000);
    }
    atomic_store(&crowd.over, true);
    for (i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.wrong, 0);
    assert_true(crowd.right >= 100);
}

static long memory_now(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
        skip();
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static int next_descriptor(void)
{
    int fd = dup(0);

    close(fd);
    return fd;
}

static void reloads_leave_nothing_behind(void **state)
{
    enum { LINES = 10000, RELOADS = 120 };
    char *text = malloc(64 + LINES * 40);
    size_t size, i;
    long before = 0;
    int fd = next_descriptor();

    (void)state;
    assert_non_null(text);
    size = (size_t)sprintf(text, HEADER);
    for (i = 0; i < LINES; i++)
        size += (size_t)sprintf(text + size, "m%zu,A name of some length %zu\n", i, i);
    open_with(text);
    for (i = 0; i < RELOADS; i++) {
        replace(i % 4 == 3 ? "bad\n" : text);
        tick(1000);
        if (i == 20)
            before = memory_now();
    }
    assert_name("m9999", "A name of some length 9999");
    free(text);
    assert_int_equal(next_descriptor(), fd);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(memory_now() - before < 16L * 1024 * 1024);
#else
    (void)before;
#endif
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, start, stop)

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
        TEST(renamed_file_is_taken_at_once),
        TEST(link_is_followed),
        TEST(rewritten_file_has_to_settle),
        TEST(vanished_file_leaves_its_content),
        TEST(unreadable_file_leaves_the_content),
        TEST(bad_file_leaves_the_content),
        TEST(sudden_loss_is_refused),
        TEST(asked_reload_reads_anew),
        TEST(last_line_without_end),
        TEST(twins_are_told),
        TEST(one_process_for_one_request),
        TEST(host_that_refuses_a_field),
        TEST(lookups_go_on_during_reloads),
        TEST(reloads_leave_nothing_behind),
    };

    return cmocka_run_group_tests_name("store_file", tests, NULL, NULL);
}
