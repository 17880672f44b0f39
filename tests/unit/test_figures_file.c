/* SPDX-License-Identifier: MIT
 * The file of figures where the file system, its owner or another process is not as usual. */
#include "figures/layout.h"

#include "base/reason.h"
#include "figures_fixture.h"
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool opens(const char *file, struct reason *why)
{
    int fd;
    bool good = figures_open_file(file, &fd, why);
    if (good)
        close(fd);
    return good;
}

/* ---- File systems that lack something ---- */

static bool forbid_nameless(int error)
{
    return forbid_call(SYS_openat, 2, __O_TMPFILE, error);
}

static struct stat status_of_figures(void)
{
    struct stat st = {0};
    (void)stat(path, &st);
    return st;
}

/* Whole, ours, and with nothing left beside it. */
static int is_made(void)
{
    struct reason why;
    struct stat st;
    if (!opens(path, &why))
        return 2;
    st = status_of_figures();
    return st.st_size == FIGURES_SIZE && st.st_nlink == 1 && (st.st_mode & 07777) == 0640 ? 0 : 3;
}

static int made_without_nameless(void)
{
    return forbid_nameless(EOPNOTSUPP) ? is_made() : 1;
}

static int made_on_an_old_kernel(void)
{
    return forbid_nameless(EISDIR) ? is_made() : 1;
}

static int made_without_proc(void)
{
    return forbid_call(SYS_linkat, 0, 0, ENOENT) ? is_made() : 1;
}

static int not_made_without_room(void)
{
    struct reason why;
    if (!forbid_nameless(ENOSPC) || opens(path, &why))
        return 1;
    return strstr(why.text, "figures cannot be made: No space left on device; it needs ") ? 0 : 2;
}

static int not_made_without_any_link(void)
{
    struct reason why;
    if (!forbid_nameless(EINVAL) || !forbid_call(SYS_linkat, 0, 0, EPERM))
        return 1;
#ifdef SYS_link
    if (!forbid_call(SYS_link, 0, 0, EPERM))
        return 1;
#endif
    return opens(path, &why) || status_of_figures().st_size ? 2 : 0;
}

/* As many as are waited for. */
static int not_made_where_others_are_always_first(void)
{
    struct reason why;
    if (!forbid_call(SYS_linkat, 0, 0, EEXIST))
        return 1;
    return opens(path, &why) || !strstr(why.text, "Device or resource busy") ? 2 : 0;
}

/* What fails, with a file that is not there, or has this content, and what is told then. */
static const struct {
    int number;
    uint32_t bits; /* of the third argument */
    int error;
    const char *content, *told;
} failing[] = {
    {SYS_fallocate, 0, ENOSPC, NULL, "cannot be made: No space left on device; it needs "},
    {SYS_openat, __O_TMPFILE, EDQUOT, NULL, "cannot be made: Disk quota exceeded; it needs "},
    {SYS_openat, __O_TMPFILE, EMFILE, NULL, "Too many open files"},
    {SYS_fchmod, 0, EROFS, NULL, "figures cannot be opened or made: "},
    {SYS_pread64, 0, EIO, "mchatfig", "cannot be read: Input/output error"},
#ifdef SYS_unlink
    {SYS_unlink, 0, EROFS, "mchatfig", "figures cannot be opened or made: "},
    {SYS_unlink, 0, EROFS, "a letter", "figures cannot be opened or made: "},
#endif
};

static size_t row;

static int call_fails(void)
{
    struct reason why = {0};
    if (!forbid_call(failing[row].number, 2, failing[row].bits, failing[row].error))
        return 1;
    return opens(path, &why) ? 2 : strstr(why.text, failing[row].told) ? 0 : 3;
}

static void calls_fail(void **state)
{
    (void)state;
    for (row = 0; row < COUNT(failing); row++) {
        unlink(path);
        if (failing[row].content)
            scratch_write("figures", span_of(failing[row].content));
        int code = in_child(call_fails);
        expect(code == 0, "row %zu: %d", row, code);
        if (failing[row].content)
            assert_string_equal(scratch_read(path), failing[row].content);
        else
            assert_int_equal(status_of_figures().st_size, 0);
        unlink(scratch_path("figures.broken"));
    }
}

static void file_systems_lack_things(void **state)
{
    static int (*const parts[])(void) = {
        made_without_nameless, made_on_an_old_kernel,     made_without_proc,
        not_made_without_room, not_made_without_any_link, not_made_where_others_are_always_first};
    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++) {
        int code = in_child(parts[i]);
        expect(code == 0, "%zu: %d", i, code);
        unlink(path);
    }
}

/* A path of almost PATH_MAX bytes leaves no room for another name beside it. */
static const char *long_path(void)
{
    static char text[PATH_MAX];
    size_t length = strlen(path) - strlen("figures");
    memcpy(text, path, length);
    while (length + 12 < sizeof text)
        length += (size_t)sprintf(text + length, "./");
    strcpy(text + length, "figures");
    return text;
}

static int not_made_with_a_long_name(void)
{
    struct reason why;
    if (!forbid_nameless(EOPNOTSUPP))
        return 1;
    return opens(long_path(), &why) || status_of_figures().st_size ? 2 : 0;
}

static void a_long_path_is_no_fault_unless_it_must_be_longer(void **state)
{
    struct reason why;
    (void)state;
    assert_int_equal(in_child(not_made_with_a_long_name), 0);
    assert_true(opens(long_path(), &why));
    scratch_write("figures", SPAN("something else"));
    assert_false(opens(long_path(), &why)); /* it could not be moved aside */
    assert_string_equal(scratch_read(path), "something else");
}

/* ---- What is there already ---- */

static void what_is_no_file_is_left_alone(void **state)
{
    struct reason why;
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(opens(path, &why));
    assert_false(figures_try(path, &why));
    unlink(path);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_false(opens(path, &why));
    unlink(path);
    assert_true(figures_try(path, &why));
    assert_false(figures_try(scratch_path("nowhere/figures"), &why));
    assert_true(opens(path, &why));
    assert_true(figures_try(path, &why));
    assert_int_equal(chmod(path, 0666), 0);
    assert_false(figures_try(path, &why));
    expect_contains(why.text, "any user can write to it");
}

static int is_exposed_to_another(void)
{
    struct reason why;
    if (setegid(12345) != 0 || seteuid(12345) != 0)
        return 1;
    return opens(path, &why) ? 2 : strstr(why.text, "belongs to another user") ? 0 : 3;
}

/* Root may keep it for us, and another user may not. */
static void whose_it_is_counts(void **state)
{
    static const struct {
        uid_t owner;
        int code;
    } rows[] = {{12346, 0}, {12345, 2}, {0, 2}};
    struct reason why;
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(scratch_path("."), 0755), 0);
    assert_true(opens(path, &why));
    assert_int_equal(chmod(path, 0660), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(chown(path, rows[i].owner, 12345), 0);
        int code = in_child(is_exposed_to_another);
        expect(code == rows[i].code, "%zu: %d", i, code);
        assert_true(opens(path, &why));
    }
}

/* One that does not come to an end with replacing it. */
static void another_process_replaces_it(void **state)
{
    struct flock lock = {.l_type = F_WRLCK, .l_start = (off_t)FIGURES_REPLACING, .l_len = 1};
    struct reason why;
    (void)state;
    int fd = open(scratch_write("figures", SPAN("mchatfig")), O_RDWR | O_CLOEXEC);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
    assert_false(opens(path, &why));
    expect_contains(why.text, "figures cannot be opened or made: ");
    close(fd);
    assert_true(opens(path, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(file_systems_lack_things),
        CASE(calls_fail),
        CASE(a_long_path_is_no_fault_unless_it_must_be_longer),
        CASE(what_is_no_file_is_left_alone),
        CASE(whose_it_is_counts),
        CASE(another_process_replaces_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
