/* SPDX-License-Identifier: MIT
 * The sandbox on kernels that refuse a part of it, and the filters that it is made of. */
#include "server/sandbox.h"
#include "server/syscall_filter.h"

#include "base/reason.h"
#include "base/sanitized.h"
#include "support.h"

#if defined HAVE_SECCOMP && !defined IS_SANITIZED

#include <errno.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define ALL_BITS    UINT64_MAX
#define WITH_LOG    (SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG)
#define FIRST(bad)  {"seccomp", 1, ALL_BITS, SECCOMP_FILTER_FLAG_TSYNC}, bad
#define SECOND(bad) {"seccomp", 1, ALL_BITS, WITH_LOG}, bad

static const char *const no_names[] = {NULL};

static const struct row {
    struct syscall_rule refused;
    int error;
    enum sandbox_result result;
} rows[] = {
    {FIRST(ENOSYS), SANDBOX_NOT_HERE},
    {FIRST(EINVAL), SANDBOX_NOT_HERE},
    {FIRST(EPERM), SANDBOX_NOT_HERE},
    {FIRST(EACCES), SANDBOX_NOT_HERE},
    {FIRST(ENOMEM), SANDBOX_FAILED},
    {SECOND(EINVAL), SANDBOX_ON}, /* it cannot log: Linux before 4.14 */
    {SECOND(EPERM), SANDBOX_FAILED},
    {SECOND(ENOMEM), SANDBOX_FAILED},
    {{"prctl", 0, ALL_BITS, PR_SET_NO_NEW_PRIVS}, EINVAL, SANDBOX_NOT_HERE},
};
static const struct row *row; /* for the child */

static int enter(enum sandbox_result wanted, int error)
{
    struct reason why;
    if (sandbox_enter(&why) != wanted)
        return 1;
    if (wanted != SANDBOX_ON)
        return strcmp(why.text, strerror(error)) != 0;
    return unshare(CLONE_NEWUSER) == 0 || errno != EPERM;
}

static int refuse(void)
{
    struct syscall_filter filter;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    syscall_filter_begin(&filter, no_names, SECCOMP_RET_ALLOW);
    syscall_filter_add(&filter, &row->refused, SECCOMP_RET_ERRNO | (unsigned)row->error);
    return syscall_filter_load(&filter, SECCOMP_RET_ALLOW, 0);
}

static int enter_where_it_is_refused(void)
{
    return refuse() == 0 ? enter(row->result, row->error) : 2;
}

/* False where the tests run in a program that traces them. */
static bool has_filters(void)
{
    row = rows;
    return in_child(refuse) == 0;
}

static void kernels_that_refuse(void **state)
{
    (void)state;
    if (!has_filters())
        return;
    for (row = rows; row < rows + COUNT(rows); row++) {
        int code = in_child(enter_where_it_is_refused);
        expect(code == 0, "row %td: %d", row - rows, code);
    }
}

static void *filter_myself(void *ready)
{
    struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    const struct sock_fprog program = {1, &allow};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    pthread_barrier_wait(ready);
    pause();
    return NULL;
}

static int enter_without_a_thread(void)
{
    pthread_barrier_t ready;
    pthread_t thread;
    pthread_barrier_init(&ready, NULL, 2);
    if (pthread_create(&thread, NULL, filter_myself, &ready) != 0)
        return 2;
    pthread_barrier_wait(&ready);
    return enter(SANDBOX_FAILED, ECANCELED);
}

static void threads_that_cannot_follow(void **state)
{
    (void)state;
    assert_true(!has_filters() || in_child(enter_without_a_thread) == 0);
}

/* Of calls with two names, as some processors have them. */
static void numbers_count_once(void **state)
{
    static const char *const once[] = {"read", "write", "close", NULL};
    static const char *const twice[] = {"close", "read", "close", "write", "read", NULL};
    struct syscall_filter one, two;
    (void)state;
    syscall_filter_begin(&one, once, SECCOMP_RET_ALLOW);
    syscall_filter_begin(&two, twice, SECCOMP_RET_ALLOW);
    assert_int_equal(one.length, two.length);
    assert_memory_equal(one.code, two.code, one.length * sizeof *one.code);
}

static void filters_have_an_end(void **state)
{
    const struct syscall_rule rule = {"ioctl", 1, ALL_BITS, 1};
    struct syscall_filter filter;
    (void)state;
    syscall_filter_begin(&filter, no_names, SECCOMP_RET_ALLOW);
    for (int i = 0; i < SYSCALL_FILTER_CODE; i++) /* more than fit */
        syscall_filter_add(&filter, &rule, SECCOMP_RET_ALLOW);
    assert_in_range(filter.length, SYSCALL_FILTER_CODE / 2, SYSCALL_FILTER_CODE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_that_refuse),
        cmocka_unit_test(threads_that_cannot_follow),
        cmocka_unit_test(numbers_count_once),
        cmocka_unit_test(filters_have_an_end),
    };
    return cmocka_run_group_tests_name("sandbox_lacking", tests, NULL, NULL);
}

#else

static void builds_without_it_say_so(void **state)
{
    struct reason why = {""};
    (void)state;
    assert_int_equal(sandbox_enter(&why), SANDBOX_NOT_HERE);
    assert_true(why.text[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(builds_without_it_say_so)};
    return cmocka_run_group_tests_name("sandbox_lacking", tests, NULL, NULL);
}

#endif
