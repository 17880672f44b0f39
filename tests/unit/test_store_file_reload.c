/* SPDX-License-Identifier: MIT
 * What becomes of the flat-file store when its file changes. */
#include "file_fixture.h"

#include <fcntl.h>

#define TEN                                                                                        \
    "0,A\n1,B\n2,C\n3,D\n4,E\n"                                                                    \
    "5,F\n6,G\n7,H\n8,I\n9,J\n"

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
    for (int i = 0; i < 15; i++) {
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
    (void)state;
    open_with(HEADER "1,Ann\n");
    assert_int_equal(rename(path, other), 0);
    for (int i = 0; i < 5; i++)
        tick(1000);
    plugin->reload(store, true);
    assert_name("1", "Ann");
    assert_int_equal(plugin->probe(store, 0, fake_result_start(&result)), MEMBERCHAT_FOUND);
    assert_int_equal(fake_services_count(&fake, "No such file"), 1);
    assert_int_equal(fake_services_count(&fake, "the old content with 1 member stays"), 1);
    assert_int_equal(rename(other, path), 0);
    tick(1000); /* its inode has changed: it has to settle */
    tick(1000);
    assert_int_equal(fake_services_count(&fake, "good again"), 1);
    assert_int_equal(rename(path, other), 0);
    tick(1000);
    assert_int_equal(fake_services_count(&fake, "No such file"), 2);
    put(path, HEADER "1,Bob\n");
    tick(1000);
    assert_name("1", "Bob");
    assert_int_equal(fake_services_count(&fake, "good again"), 2);
}

static void unreadable_file_leaves_the_content(void **state)
{
    (void)state;
    open_with(HEADER "1,Ann\n");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    for (int i = 0; i < 3; i++)
        tick(1000);
    assert_name("1", "Ann");
    assert_int_equal(fake_services_count(&fake, "not a regular file"), 1);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink(path, path), 0);
    for (int i = 0; i < 3; i++)
        tick(1000);
    assert_name("1", "Ann");
    assert_int_equal(fake_services_count(&fake, "the old content"), 2);
    assert_int_equal(unlink(path), 0);
    replace(HEADER "1,Bob\n");
    if (geteuid() != 0) {
        assert_int_equal(chmod(path, 0), 0);
        for (int i = 0; i < 3; i++)
            tick(1000);
        assert_name("1", "Ann");
        assert_int_equal(fake_services_count(&fake, "Permission denied"), 1);
        assert_int_equal(chmod(path, 0600), 0);
    }
    tick(1000);
    tick(1000); /* the inode number may be that of the folder, which looks like a rewrite */
    assert_name("1", "Bob");
    assert_int_equal(fake_services_count(&fake, "good again"), 1);
}

static void bad_file_leaves_the_content(void **state)
{
    static const char *const bad[] = {"", "nonsense\n", "\xfe\xffxx\n",
                                      HEADER "1,a,b\n2,a,b\n3,a,b\n"};
    (void)state;
    *(int64_t *)fake_settings_at(plugin, settings, "max_bad") = 2;
    open_with(HEADER "1,Ann\n");
    for (size_t i = 0; i < COUNT(bad); i++) {
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
static void same_size_and_time_is_noticed(void **state)
{
    (void)state;
    open_with(HEADER "1,Ann\n");
    written--; /* as cp -p and rsync -t do */
    put(path, HEADER "1,Bob\n");
    tick(1000);
    tick(1000);
    assert_name("1", "Bob");
}

static void asked_reload_reads_again(void **state)
{
    (void)state;
    open_with(HEADER "1,Ann\n");
    put(path, HEADER "1,Bob\n");
    plugin->reload(store, true);
    assert_name("1", "Bob");
    put(path, HEADER "1,Cid\n");
    plugin->reload(store, true);
    assert_name("1", "Cid");
}

static void set_age(const char *of, time_t seconds)
{
    struct timespec times[2] = {{0, UTIME_OMIT}};

    clock_gettime(CLOCK_REALTIME, &times[1]);
    times[1].tv_sec -= seconds;
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
    set_age(path, 0);
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_true(open_store(MEMBERCHAT_OPEN_ONCE));
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec <= 3);
    assert_name("1", "Ann");
    fake_services_forget(&fake);
    /* A new file, asked for: it is waited for, and what was asked is not forgotten. */
    put(other, HEADER "9,Bo");
    set_age(other, 0);
    assert_int_equal(rename(other, path), 0);
    plugin->reload(store, true);
    tick(0);
    assert_name("1", "Ann");
    assert_int_equal(fake_services_count(&fake, "someone is still writing"), 1);
    set_age(path, 5);
    tick(1000);
    tick(1000);
    assert_name("9", "Bo");
    assert_int_equal(fake_services_count(&fake, "good again"), 1);
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
    (void)state;
    open_with(HEADER TEN);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, crowd_member, &crowd), 0);
    for (size_t i = 0; i < 300 || (atomic_load(&crowd.right) < 100 && i < 100000); i++) {
        replace(contents[i % COUNT(contents)]);
        tick(1000);
    }
    atomic_store(&crowd.over, true);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.wrong, 0);
    assert_true(crowd.right >= 100);
}

static long memory_now(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
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
    size_t size;
    long before = 0;
    int fd = next_descriptor();
    (void)state;
    assert_non_null(text);
    size = (size_t)sprintf(text, HEADER);
    for (size_t i = 0; i < LINES; i++)
        size += (size_t)sprintf(text + size, "m%zu,A name of some length %zu\n", i, i);
    open_with(text);
    for (size_t i = 0; i < RELOADS; i++) {
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

static void a_time_to_come_is_not_that_of_a_writer(void **state)
{
    (void)state;
    written = time(NULL) + 100000;
    put(path, HEADER "1,Ann");
    assert_true(open_store(0));
    assert_int_equal(fake_services_count(&fake, "the last line has no line end"), 1);
}

static void a_file_that_any_user_can_write(void **state)
{
    static const char told[] = "any user of this machine can write to it (mode 0646)";
    (void)state;
    open_with(HEADER "1,a\n");
    assert_int_equal(chmod(path, 0646), 0);
    plugin->reload(store, true);
    assert_int_equal(fake_services_count(&fake, told), 1);
    replace(HEADER "1,b\n");
    tick(1000);
    assert_int_equal(fake_services_count(&fake, told), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_any_user_can_write),
        TEST(renamed_file_is_taken_at_once),
        TEST(a_time_to_come_is_not_that_of_a_writer),
        TEST(link_is_followed),
        TEST(rewritten_file_has_to_settle),
        TEST(vanished_file_leaves_its_content),
        TEST(unreadable_file_leaves_the_content),
        TEST(bad_file_leaves_the_content),
        TEST(sudden_loss_is_refused),
        TEST(same_size_and_time_is_noticed),
        TEST(asked_reload_reads_again),
        TEST(last_line_without_end),
        TEST(lookups_go_on_during_reloads),
        TEST(reloads_leave_nothing_behind),
    };

    return cmocka_run_group_tests_name("store_file_reload", tests, NULL, NULL);
}
