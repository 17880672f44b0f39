/* SPDX-License-Identifier: MIT
 * Sockets where the system, another user or another process is in the way, and threads where limits
 * are. */
#include "server/listen.h"
#include "server/threads.h"

#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct reason why;

static const char *address(void)
{
    static char text[128];
    snprintf(text, sizeof text, "unix:%s", scratch_path("sock"));
    return text;
}

static bool opens(const char *text, struct listener *listener)
{
    return listen_open(text, listener, &why);
}

/* ---- What a process may not have ---- */

static void set_limit(int resource, rlim_t most)
{
    struct rlimit limit;
    getrlimit(resource, &limit);
    limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
    setrlimit(resource, &limit);
}

/* Whether it is refused with these words while no descriptor is to be had. */
static bool refused_without_descriptors(const char *text, const char *words)
{
    struct listener listener;
    set_limit(RLIMIT_NOFILE, 0);
    bool refused = !opens(text, &listener) && listener.fd == -1 && strstr(why.text, words);
    set_limit(RLIMIT_NOFILE, RLIM_INFINITY);
    return refused;
}

static int without_descriptors(void)
{
    struct listener listener;
    if (!refused_without_descriptors("127.0.0.1:9", "cannot listen on 127.0.0.1:9: Too many open"))
        return 1;
    if (!refused_without_descriptors(address(), "/sock: Too many open files"))
        return 2;
    if (!opens(address(), &listener) || !listen_take_place(&listener, &why))
        return 3;
    return refused_without_descriptors(address(), "cannot ask which program listens") ? 0 : 4;
}

static void descriptors_run_out(void **state)
{
    (void)state;
    assert_int_equal(in_child(without_descriptors), 0);
}

static int ask_as_another(void)
{
    struct listener listener;
    if (setgid(65534) != 0 || setuid(65534) != 0 || opens(address(), &listener))
        return 1;
    return strstr(why.text, "is the socket of another program that is running") ? 0 : 2;
}

static void a_socket_of_another_user(void **state)
{
    struct listener listener;
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(scratch_path("."), 0777), 0);
    assert_true(opens(address(), &listener) && listen_take_place(&listener, &why));
    assert_int_equal(chmod(scratch_path("sock"), 0600), 0);
    assert_int_equal(in_child(ask_as_another), 0);
    listen_remove_path(&listener);
    close(listener.fd);
}

/* The socket is made beside its place, under a name that is longer. */
static void paths_without_room_for_another_name(void **state)
{
    struct listener listener;
    char *name = repeated('x', sizeof listener.address.sun_path - 9), text[256];
    (void)state;
    snprintf(text, sizeof text, "unix:%s", name);
    assert_false(opens(text, &listener));
    expect_contains(why.text, "is too long for a socket's path (at most 98 bytes)");
    free(name);
}

/* A part of the protocol of sd_listen_fds(3) only. */
static int count_is_missing(void)
{
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    unsetenv("LISTEN_FDS");
    close(STDIN_FILENO);
    return listen_is_inherited();
}

static void sockets_that_are_not_counted(void **state)
{
    (void)state;
    assert_int_equal(in_child(count_is_missing), 0);
}

/* ---- Other processes at the path ---- */

static void what_was_made_is_gone(void **state)
{
    struct listener listener;
    (void)state;
    assert_true(opens(address(), &listener));
    assert_int_equal(unlink(listener.beside.sun_path), 0);
    assert_false(listen_take_place(&listener, &why));
    expect_contains(why.text, "cannot put the socket at ");
    listen_remove_path(&listener);
    close(listener.fd);
}

/* It is waited for a moment, and no longer. */
static void a_folder_that_another_has_locked(void **state)
{
    struct listener listener;
    (void)state;
    int folder = open(scratch_path("."), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(folder, LOCK_EX), 0);
    assert_true(opens(address(), &listener) && listen_take_place(&listener, &why));
    listen_remove_path(&listener);
    close(listener.fd);
    close(folder);
}

static void described_at_each_stage(void **state)
{
    struct listener listener;
    (void)state;
    assert_true(opens(address(), &listener));
    listen_describe(&listener, &why);
    expect_contains(why.text, "/sock (mode 0660, group ");
    assert_true(listen_take_place(&listener, &why));
    listen_describe(&listener, &why);
    expect_contains(why.text, "/sock (mode 0660, group ");
    assert_int_equal(unlink(scratch_path("sock")), 0);
    listen_describe(&listener, &why);
    assert_string_equal(why.text, scratch_path("sock"));
    listen_remove_path(&listener);
    listen_describe(&listener, &why);
    expect_contains(why.text, "descriptor ");
    close(listener.fd);
}

static struct listener looked_at;

static int look_as_another(void)
{
    if (setgid(65534) != 0 || setuid(65534) != 0)
        return 1;
    listen_look(&looked_at);
    return 0;
}

/* What cannot be looked at is not said to be gone. */
static void a_socket_that_vanishes_is_told(void **state)
{
    (void)state;
    assert_true(opens(address(), &looked_at));
    stderr_catch();
    listen_look(&looked_at); /* it is not there yet */
    assert_true(listen_take_place(&looked_at, &why));
    if (geteuid() == 0)
        assert_int_equal(in_child(look_as_another), 0);
    listen_look(&looked_at);
    assert_int_equal(unlink(scratch_path("sock")), 0);
    listen_look(&looked_at); /* a moment after the last time */
    assert_string_equal(stderr_caught(), "");
    looked_at.look_at = 0;
    stderr_catch();
    listen_look(&looked_at);
    expect_contains(stderr_caught(), "/sock has been removed: the web server cannot connect");
    listen_remove_path(&looked_at);
    close(looked_at.fd);
}

static void addresses_of_a_network_are_warned_of(void **state)
{
    struct listener listener;
    char text[32];
    int port = 20000 + (int)getpid() % 10000;
    (void)state;
    stderr_catch();
    do
        snprintf(text, sizeof text, "0.0.0.0:%d", ++port);
    while (!opens(text, &listener));
    close(listener.fd);
    expect_contains(stderr_caught(),
                    "anyone who can reach this address can pass for the web server");
}

/* ---- Threads ---- */

static int short_of_memory(void)
{
    struct rlimit before;
    getrlimit(RLIMIT_AS, &before);
    const struct rlimit limit = {100 << 10, before.rlim_max};
    setrlimit(RLIMIT_AS, &limit);
    threads_shortage(&why);
    setrlimit(RLIMIT_AS, &before);
    return strcmp(why.text, "the limit of memory (ulimit -v: 100 KiB) is too low") != 0;
}

static int short_of_processes(void)
{
    const struct rlimit limit = {5, 5};
    setrlimit(RLIMIT_NPROC, &limit);
    threads_shortage(&why);
    return strstr(why.text, "(ulimit -u: 5 for all of this user's") == NULL;
}

static int short_of_memory_without_a_limit(void)
{
    if (!forbid_call(SYS_mmap, 1, 1 << 20, ENOMEM)) /* of just that length */
        return 1;
    threads_shortage(&why);
    return strcmp(why.text, "there is not enough memory") != 0;
}

/* As where there are more than a set of them can hold. */
static int without_a_set_of_processors(void)
{
    return !forbid_call(SYS_sched_getaffinity, 0, 0, EINVAL) || threads_processors() == 0;
}

static int short_for_another_reason(void)
{
    const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_NPROC, &limit) != 0)
        return 0;
    threads_shortage(&why);
    return strstr(why.text, "of the container or service (TasksMax, pids.max)") == NULL;
}

static void shortages_of_threads_are_explained(void **state)
{
    (void)state;
    assert_int_equal(in_child(short_of_memory), 0);
    assert_int_equal(in_child(short_of_processes), 0);
    assert_int_equal(in_child(short_for_another_reason), 0);
    assert_int_equal(in_child(short_of_memory_without_a_limit), 0);
    assert_int_equal(in_child(without_a_set_of_processors), 0);
    threads_give_back(MAP_FAILED);
    assert_true(threads_processors() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(descriptors_run_out),
        SCRATCH_TEST(a_socket_of_another_user),
        cmocka_unit_test(paths_without_room_for_another_name),
        cmocka_unit_test(sockets_that_are_not_counted),
        SCRATCH_TEST(what_was_made_is_gone),
        SCRATCH_TEST(a_folder_that_another_has_locked),
        SCRATCH_TEST(described_at_each_stage),
        SCRATCH_TEST(a_socket_that_vanishes_is_told),
        SCRATCH_TEST(addresses_of_a_network_are_warned_of),
        cmocka_unit_test(shortages_of_threads_are_explained),
    };
    return cmocka_run_group_tests_name("listen_trouble", tests, NULL, NULL);
}
