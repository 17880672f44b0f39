/* SPDX-License-Identifier: MIT
 * Kernels that have no getrandom(), are interrupted, or give little or nothing. */
#include "base/random.h"

#include "support.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the system calls do first: return this, or fail with an error; then they do what they
 * should. */
static struct trick {
    bool armed;
    ssize_t result;
    int error;
} random_trick, read_trick;

static bool play(struct trick *trick, ssize_t *result_r)
{
    bool armed = trick->armed;
    trick->armed = false;
    *result_r = trick->result;
    if (armed)
        errno = trick->error;
    return armed;
}

ssize_t getrandom(void *out, size_t length, unsigned flags)
{
    ssize_t result;
    if (play(&random_trick, &result)) {
        if (result > 0)
            memset(out, 1, (size_t)result);
        return result;
    }
    return syscall(SYS_getrandom, out, length, flags);
}

ssize_t read(int fd, void *out, size_t length)
{
    ssize_t result;
    return play(&read_trick, &result) ? result : syscall(SYS_read, fd, out, length);
}

static void what_the_kernel_does(void **state)
{
    static const struct {
        struct trick random, read;
        bool no_device, good;
    } rows[] = {
        {.good = true},
        {.random = {true, -1, EINTR}, .good = true},
        {.random = {true, 3, 0}, .good = true},
        {.random = {true, -1, EAGAIN}},
        {.random = {true, 0, 0}},
        {.random = {true, -1, ENOSYS}, .good = true},
        {.random = {true, -1, EPERM}, .good = true},
        {.random = {true, -1, ENOSYS}, .no_device = true},
        {.random = {true, -1, ENOSYS}, .read = {true, -1, EINTR}, .good = true},
        {.random = {true, -1, ENOSYS}, .read = {true, -1, EIO}},
        {.random = {true, -1, ENOSYS}, .read = {true, 0, 0}},
    };
    static const uint8_t zeros[32];
    struct rlimit files;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    const struct rlimit none = {0, files.rlim_max};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t out[32] = {0};
        random_trick = rows[i].random;
        read_trick = rows[i].read;
        setrlimit(RLIMIT_NOFILE, rows[i].no_device ? &none : &files);
        bool good = random_seed(out, sizeof out);
        setrlimit(RLIMIT_NOFILE, &files);
        expect(good == rows[i].good, "row %zu", i);
        expect(!good || memcmp(out + 16, zeros, 16) != 0, "row %zu: half is missing", i);
    }
}

static void a_stock_is_whole_or_not_there(void **state)
{
    uint8_t out[16];
    (void)state;
    random_trick = (struct trick){true, -1, EIO};
    assert_false(random_fill(out, sizeof out));
    assert_true(random_fill(out, sizeof out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_kernel_does),
        cmocka_unit_test(a_stock_is_whole_or_not_there),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
