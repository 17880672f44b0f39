/* SPDX-License-Identifier: MIT
 * The sandbox: what an intruder would call is refused, and what serving needs is not. */
#include "server/dumps.h"
#include "server/sandbox.h"

#include "base/reason.h"
#include "support.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs a part in a child of this process that has entered the sandbox.  True, too, where there
 * is none, as in a build with a sanitizer. */
static bool inside(bool (*part)(void))
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct reason why;
        enum sandbox_result result = sandbox_enter(&why);
        _exit(result == SANDBOX_NOT_HERE || (result == SANDBOX_ON && part()) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool refused(long result)
{
    return result == -1 && errno == EPERM;
}

static bool attack_programs(void)
{
    char *const arguments[] = {"true", NULL};
    return refused(execv("/bin/true", arguments)) &&
           refused(syscall(SYS_execveat, AT_FDCWD, "/bin/true", arguments, NULL, 0)) &&
           refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL)) && kill(getppid(), SIGCONT) < 0 &&
           kill(getpid(), 0) == 0;
}

static bool attack_kernel(void)
{
    return refused(unshare(CLONE_NEWUSER)) && refused(syscall(SYS_bpf, 0, NULL, 0)) &&
           refused(syscall(SYS_setns, 0, 0)) && refused(setuid(0)) && refused(chroot("/")) &&
           refused(syscall(SYS_keyctl, 0, 0)) && refused(syscall(SYS_io_uring_setup, 1, NULL));
}

static bool attack_terminal(void)
{
    return refused(ioctl(STDIN_FILENO, TIOCSTI, "x")) &&
           refused(syscall(SYS_ioctl, STDIN_FILENO, UINT64_C(1) << 32 | TIOCSTI, "x")) &&
           refused(ioctl(STDIN_FILENO, TIOCLINUX, "x"));
}

static bool attack_memory(void)
{
    const int all = PROT_READ | PROT_WRITE | PROT_EXEC;
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mmap(NULL, 4096, all, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
           errno == EPERM && refused(mprotect(memory, 4096, all)) &&
           refused(mprotect(memory, 4096, PROT_READ | PROT_EXEC));
}

static bool attack_sockets(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0) < 0 && socket(AF_ALG, SOCK_SEQPACKET, 0) < 0 &&
           syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, NULL, NULL, NULL, NULL) < 0;
}

static void test_an_intruder_gets_nowhere(void **state)
{
    (void)state;
    assert_true(inside(attack_programs));
    assert_true(inside(attack_memory));
    assert_true(inside(attack_terminal));
    assert_true(inside(attack_sockets));
    assert_true(inside(attack_kernel));
}

static void *connect_somewhere(void *argument)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    bool *good = argument;
    *good = getaddrinfo("localhost", "80", &hints, &found) == 0;
    if (*good) {
        int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        *good = fd >= 0 &&
                (connect(fd, found->ai_addr, found->ai_addrlen) == 0 || errno == ECONNREFUSED);
        close(fd);
        freeaddrinfo(found);
    }
    return NULL;
}

static bool serve_by_threads(void)
{
    pthread_t thread;
    bool good = false;
    return pthread_create(&thread, NULL, connect_somewhere, &good) == 0 &&
           pthread_join(thread, NULL) == 0 && good;
}

static bool reload(void)
{
    void *library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
    int fd = open(scratch_path("log"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    return library && fd >= 0 && write(fd, "x", 1) == 1 &&
           rename(scratch_path("log"), scratch_path("log.1")) == 0 &&
           unlink(scratch_path("log.1")) == 0;
}

static void test_serving_goes_on(void **state)
{
    (void)state;
    assert_true(inside(serve_by_threads));
    assert_true(inside(reload));
}

static void *enter_and_wait(void *argument)
{
    struct reason why;
    *(enum sandbox_result *)argument = sandbox_enter(&why);
    return NULL;
}

static void test_all_threads_are_inside(void **state)
{
    (void)state;
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        enum sandbox_result result = SANDBOX_FAILED;
        bool entered = pthread_create(&thread, NULL, enter_and_wait, &result) == 0 &&
                       pthread_join(thread, NULL) == 0;
        _exit(entered && (result == SANDBOX_NOT_HERE || refused(unshare(CLONE_NEWUSER))) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static bool has_no_dumps(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0 &&
           prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}

static void test_no_core_dumps(void **state)
{
    (void)state;
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct reason why;
        dumps_forbid();
        /* where there is a sanitizer there is no sandbox, and both are not for it */
        _exit(has_no_dumps() || sandbox_enter(&why) == SANDBOX_NOT_HERE ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_intruder_gets_nowhere),
        cmocka_unit_test_setup_teardown(test_serving_goes_on, scratch_start, scratch_stop),
        cmocka_unit_test(test_all_threads_are_inside),
        cmocka_unit_test(test_no_core_dumps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
