/* SPDX-License-Identifier: MIT
 * A members file that changes while it is read. */
#include "file_fixture.h"

#include <dlfcn.h>

/* What happens to the file before it is next read; only once. */
static const char *written_next;

/* In the place of libc's. */
ssize_t read(int fd, void *to, size_t size)
{
    static ssize_t (*original)(int, void *, size_t);
    const char *text = written_next;
    if (!original)
        *(void **)&original = dlsym(RTLD_NEXT, "read");
    written_next = NULL;
    if (text)
        put(path, text);
    return original(fd, to, size);
}

static void is_read_again_at_a_start(void **state)
{
    static const char *const texts[] = {HEADER "1,Bob\n", HEADER "1,Bo\n", HEADER "1,Barbara\n"};
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        put(path, HEADER "1,Ann\n");
        written_next = texts[i];
        assert_true(open_store(0));
        assert_int_equal(lookup("1"), MEMBERCHAT_FOUND);
        assert_memory_equal(result.fields[MEMBERCHAT_NAME], "B", 1);
        plugin->close(store);
        store = NULL;
    }
}

static void leaves_the_old_content_until_it_rests(void **state)
{
    (void)state;
    open_with(HEADER "1,Ann\n");
    replace(HEADER "1,Bob\n");
    written_next = HEADER "1,Cid\n";
    tick(1000);
    assert_name("1", "Ann");
    assert_int_equal(fake_services_count(&fake, "it changed while it was read; the old content"),
                     1);
    tick(1000);
    tick(1000);
    assert_name("1", "Cid");
    assert_int_equal(fake_services_count(&fake, "good again"), 1);
}

/* A file of the kernel has more bytes than it says, each time. */
static void never_rests(void **state)
{
    (void)state;
    assert_int_equal(symlink("/proc/self/status", path), 0);
    assert_false(open_store(0));
    assert_non_null(strstr(result.reason, "members.csv: it changed while it was read"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(is_read_again_at_a_start),
        TEST(leaves_the_old_content_until_it_rests),
        TEST(never_rests),
    };
    return cmocka_run_group_tests_name("store_file_changing", tests, NULL, NULL);
}
