/* SPDX-License-Identifier: MIT
 * A socket with a path: whom it may push aside, and whom not. */
#include "server/listen.h"

#include "server/intake.h"
#include "records.h"
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct bytes address;
static struct reason why;
static const char *path;

static int start(void **state)
{
    int rc = scratch_start(state);
    path = scratch_path("sock");
    bytes_addf(&address, "unix:%s", path);
    return rc;
}

static int stop(void **state)
{
    bytes_free(&address);
    return scratch_stop(state);
}

static bool open_path(struct listener *listener)
{
    return listen_open(bytes_string(&address), listener, &why) && listen_take_place(listener, &why);
}

static int connect_path(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strcpy(to.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool is_blocking(int fd)
{
    return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void a_new_socket(void **state)
{
    struct listener listener;
    struct stat st;
    (void)state;
    mode_t mask = umask(0077);
    expect(open_path(&listener), "%s", why.text);
    assert_int_equal(umask(mask), 0077); /* as it was */
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0660);
    assert_true(is_blocking(listener.fd));
    assert_true(fcntl(listener.fd, F_GETFD) & FD_CLOEXEC);
    int client = connect_path();
    assert_true(client >= 0);
    int served = accept(listener.fd, NULL, NULL);
    assert_true(served >= 0);
    close(client);
    close(served);
    listen_remove_path(&listener);
    assert_int_equal(stat(path, &st), -1);
    listen_remove_path(&listener);
    close(listener.fd);
}

static void mode_and_group(void **state)
{
    static const struct {
        const char *options;
        mode_t mode;
        gid_t group;
    } rows[] = {
        {",mode=0600", 0600, 0},           {",mode=666", 0666, 0},
        {",group=12345", 0660, 12345},     {",mode=0620,group=12345", 0620, 12345},
        {",group=root,mode=770", 0770, 0},
    };
    struct listener listener;
    struct stat st;
    (void)state;
    if (geteuid() != 0)
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        bytes_reset(&address);
        bytes_addf(&address, "unix:%s%s", path, rows[i].options);
        expect(open_path(&listener), "%s: %s", rows[i].options, why.text);
        assert_int_equal(stat(path, &st), 0);
        expect((st.st_mode & 07777) == rows[i].mode, "%s: mode %o", rows[i].options, st.st_mode);
        expect(st.st_gid == rows[i].group, "%s: group %u", rows[i].options, st.st_gid);
        listen_remove_path(&listener);
        close(listener.fd);
    }
}

static void options_that_are_none(void **state)
{
    static const char *const rows[][2] = {
        {",", "\"\" is not an option of a socket"},
        {",mode", "\"mode\" is not an option"},
        {",owner=x", "\"owner=x\" is not an option"},
        {",Mode=0660", "\"Mode=0660\" is not an option"},
        {",mode=0660,", "\"\" is not an option"},
        {",mode=", "mode= is not a mode"},
        {",mode=66", "mode=66 is not a mode"},
        {",mode=0888", "mode=0888 is not a mode"},
        {",mode=1777", "mode=1777 is not a mode"},
        {",mode=00660", "mode=00660 is not a mode"},
        {",mode=-660", "mode=-660 is not a mode"},
        {",mode=rw-rw----", "mode=rw-rw---- is not a mode"},
        {",mode=0440", "lets nobody connect"},
        {",mode=0660,mode=0600", "mode= is given twice"},
        {",group=", "no such group"},
        {",group=no-such-group", "group=no-such-group: this host has no such group"},
        {",group=-1", "no such group"},
        {",group=4294967295", "no such group"},
        {",group=0,group=0", "group= is given twice"},
    };
    struct listener listener;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        bytes_reset(&address);
        bytes_addf(&address, "unix:%s%s", path, rows[i][0]);
        expect(!listen_open(bytes_string(&address), &listener, &why), "%s was taken", rows[i][0]);
        expect_contains(why.text, rows[i][1]);
        assert_int_equal(listener.fd, -1);
        assert_int_equal(access(path, F_OK), -1);
    }
    assert_false(listen_open("unix:,mode=0660", &listener, &why));
    expect_contains(why.text, "no path in front of the comma");
}

/* A group that the user is not in; in a process of its own, which gives up root. */
static void group_that_cannot_be_given(void **state)
{
    int status;
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(scratch_path("."), 0777), 0);
    bytes_addf(&address, ",group=12345");
    pid_t child = fork();
    if (child == 0) {
        struct listener listener;
        bool kept = setgid(65534) != 0 || setuid(65534) != 0 ||
                    listen_open(bytes_string(&address), &listener, &why) ||
                    !strstr(why.text, "the user that runs memberchat must be in it");
        _exit(kept);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
}

static void stale_sockets_are_replaced(void **state)
{
    struct listener first, second;
    (void)state;
    assert_true(open_path(&first));
    close(first.fd); /* as after a crash */
    expect(open_path(&second), "%s", why.text);
    int client = connect_path();
    assert_true(client >= 0);
    close(client);
    listen_remove_path(&first); /* it is not his any more */
    assert_int_equal(access(path, F_OK), 0);
    listen_remove_path(&second);
    assert_int_equal(access(path, F_OK), -1);
    close(second.fd);
}

/* Answers one query, as a memberchat does or as another program might. */
struct other {
    struct listener listener;
    const char *answer; /* NULL: as we do */
    pthread_t thread;
};

static void *answer_one(void *argument)
{
    struct other *other = argument;
    struct intake intake = {0};
    enum intake_state told;
    char bytes[256];
    fcntl(other->listener.fd, F_SETFL, 0);
    int fd = accept(other->listener.fd, NULL, NULL);
    ssize_t got = recv(fd, bytes, sizeof bytes, 0);
    if (got > 0)
        intake_feed(&intake, bytes, (size_t)got, &told);
    if (other->answer)
        bytes_reset(&intake.replies);
    if (other->answer)
        bytes_add_string(&intake.replies, other->answer);
    if (intake.replies.length)
        send(fd, intake.replies.data, intake.replies.length, MSG_NOSIGNAL);
    close(fd);
    intake_free(&intake);
    return NULL;
}

/* A process that does not come to serve leaves the path to the one that does. */
static void sockets_take_their_place_last(void **state)
{
    struct listener old, failed;
    (void)state;
    assert_true(open_path(&old));
    pthread_t thread;
    struct other other = {.listener = old};
    assert_int_equal(pthread_create(&thread, NULL, answer_one, &other), 0);
    expect(listen_open(bytes_string(&address), &failed, &why), "%s", why.text);
    pthread_join(thread, NULL);
    struct stat beside;
    assert_int_equal(stat(failed.beside.sun_path, &beside), 0);
    listen_remove_path(&failed);
    assert_int_equal(stat(path, &beside), 0);
    assert_true(beside.st_ino == old.inode);
    close(failed.fd);

    assert_int_equal(unlink(path), 0); /* between opening and taking place a file came */
    struct listener late;
    assert_true(listen_open(bytes_string(&address), &late, &why));
    scratch_write("sock", SPAN("a letter"));
    assert_false(listen_take_place(&late, &why));
    expect_contains(why.text, "is not a socket any more");
    listen_remove_path(&late);
    assert_string_equal(scratch_read(path), "a letter");
    close(late.fd);
    close(old.fd);
}

static void files_are_never_removed(void **state)
{
    struct listener listener;
    (void)state;
    scratch_write("sock", SPAN("a letter"));
    assert_false(open_path(&listener));
    expect_contains(why.text, "exists and is not a socket");
    assert_string_equal(scratch_read(path), "a letter");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_false(open_path(&listener));
    expect_contains(why.text, "is not a socket");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(open_path(&listener));
    expect_contains(why.text, "is not a socket");
}

static void live_sockets(void **state)
{
    static const struct {
        const char *answer;
        bool taken;
    } rows[] = {{NULL, true}, {"HTTP/1.1 400 Bad Request\r\n\r\n", false}, {"", false}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct other other = {.answer = rows[i].answer};
        struct listener listener = {.fd = -1};
        unlink(path);
        assert_true(open_path(&other.listener));
        assert_int_equal(pthread_create(&other.thread, NULL, answer_one, &other), 0);
        expect(open_path(&listener) == rows[i].taken, "row %zu: %s", i, why.text);
        pthread_join(other.thread, NULL);
        if (rows[i].taken) {
            listen_remove_path(&other.listener); /* leaves the successor's */
            assert_int_equal(access(path, F_OK), 0);
            close(listener.fd);
        } else {
            expect_contains(why.text, "is the socket of another program that is running");
            int client = connect_path(); /* untouched */
            assert_true(client >= 0);
            close(client);
        }
        close(other.listener.fd);
    }
}

static void paths_that_cannot_be(void **state)
{
    struct listener listener;
    char *long_name = repeated('x', 120);
    (void)state;
    bytes_reset(&address);
    bytes_addf(&address, "unix:%s", scratch_path(long_name));
    assert_false(open_path(&listener));
    expect_contains(why.text, "is too long for a socket's path");
    bytes_reset(&address);
    bytes_addf(&address, "unix:%s", scratch_path("no/such/folder"));
    assert_false(open_path(&listener));
    expect_contains(why.text, "No such file or directory");
    free(long_name);
}

/* ---- Sockets that somebody made for us; each case in a process of its own ---- */

enum given { AT_0, AT_3, AT_3_OF_ANOTHER, AT_3_NOT_LISTENING, NOWHERE };

static int inherit(enum given given)
{
    struct listener made = {.fd = -1}, got = {.fd = -1};
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid() + (given == AT_3_OF_ANOTHER));
    if (!open_path(&made))
        return 100;
    fcntl(made.fd, F_SETFL, 0);
    bool at_3 = given == AT_3 || given == AT_3_OF_ANOTHER;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(given == AT_0 ? made.fd : null, 0);
    dup2(at_3 ? made.fd : null, 3);
    if (given != AT_0 && given != NOWHERE) {
        setenv("LISTEN_PID", pid, 1);
        setenv("LISTEN_FDS", "1", 1);
    }
    bool looked = listen_is_inherited(), taken = listen_inherit(&got);
    if (looked != taken)
        return 101;
    if (taken && (!is_blocking(got.fd) || *got.address.sun_path))
        return 102;
    if (taken && got.fd == 3 &&
        (getenv("LISTEN_PID") || getenv("LISTEN_FDS") || !(fcntl(3, F_GETFD) & FD_CLOEXEC)))
        return 103;
    return taken ? got.fd : 50;
}

static void inherited_sockets(void **state)
{
    static const struct {
        enum given given;
        int code;
    } rows[] = {
        {AT_0, 0}, {AT_3, 3}, {AT_3_OF_ANOTHER, 50}, {AT_3_NOT_LISTENING, 50}, {NOWHERE, 50}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status;
        unlink(path);
        pid_t child = fork();
        if (child == 0)
            _exit(inherit(rows[i].given));
        assert_int_equal(waitpid(child, &status, 0), child);
        expect(WIFEXITED(status) && WEXITSTATUS(status) == rows[i].code, "row %zu: status %d", i,
               WEXITSTATUS(status));
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_new_socket),
        TEST(mode_and_group),
        TEST(options_that_are_none),
        TEST(group_that_cannot_be_given),
        TEST(stale_sockets_are_replaced),
        TEST(sockets_take_their_place_last),
        TEST(files_are_never_removed),
        TEST(live_sockets),
        TEST(paths_that_cannot_be),
        TEST(inherited_sockets),
    };
    return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
