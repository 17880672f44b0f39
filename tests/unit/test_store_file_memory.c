/* SPDX-License-Identifier: MIT
 * The file store when memory runs out: each allocation fails in turn, once or from then on. */
#include "file_fixture.h"

#include "short_memory.h"

#include <fcntl.h>
#include <sys/resource.h>

#define OLD HEADER "1,Ann\n2,Bob\n2,Bob\nbad,\"\n"
#define NEW HEADER "bad,\"\n1,Eve\n2,Bob\n2,Bob\n"

/* The log of the host needs no memory. */
static void log_nothing(const struct memberchat_services *services, enum memberchat_level level,
                        const char *format, ...)
{
    (void)services;
    (void)level;
    (void)format;
}

/* Whole answers only, of the old content or of the new one. */
static void assert_right_answers(const char *name, bool memory)
{
    static const struct {
        const char *id;
        enum memberchat_outcome outcome;
    } questions[] = {{"1", MEMBERCHAT_FOUND},
                     {"2", MEMBERCHAT_MISCONFIGURED},
                     {"bad", MEMBERCHAT_MISCONFIGURED},
                     {"3", MEMBERCHAT_NOT_FOUND}};
    for (size_t i = 0; i < COUNT(questions); i++) {
        enum memberchat_outcome outcome = lookup(questions[i].id);
        if (!memory && outcome == MEMBERCHAT_UNAVAILABLE)
            continue;
        assert_int_equal(outcome, questions[i].outcome);
        if (outcome == MEMBERCHAT_FOUND)
            assert_string_equal(result.fields[MEMBERCHAT_NAME], name);
    }
}

static void put_content(bool compiled, const char *text)
{
    if (compiled)
        set_text("path", compile(text));
    else
        replace(text);
}

static void opening(bool compiled, bool forever)
{
    bool over = false;
    put_content(compiled, OLD);
    for (size_t after = 0; !over; after++) {
        assert_true(after < 1000);
        short_memory_start(after, forever);
        bool open = open_store(0);
        over = !short_memory_stop();
        if (!open)
            assert_true(result.reason[0]);
        else
            assert_right_answers("Ann", true);
        assert_true(open || !over);
        if (open)
            plugin->close(store);
        store = NULL;
    }
}

static void reloading(bool compiled, bool forever)
{
    bool over = false;
    for (size_t after = 0; !over; after++) {
        assert_true(after < 1000);
        put_content(compiled, OLD);
        assert_true(open_store(0));
        put_content(compiled, NEW);
        short_memory_start(after, forever);
        plugin->reload(store, after % 2);
        over = !short_memory_stop();
        lookup("1");
        bool old = strcmp(result.fields[MEMBERCHAT_NAME], "Ann") == 0;
        assert_right_answers(old ? "Ann" : "Eve", true);
        assert_true(!old || !over);
        tick(5000); /* memory is back: nothing else has to change */
        tick(5000);
        assert_right_answers("Eve", true);
        plugin->close(store);
        store = NULL;
    }
}

static void asking(bool compiled, bool forever)
{
    bool over = false;
    put_content(compiled, OLD);
    assert_true(open_store(0));
    for (size_t after = 0; !over; after++) {
        short_memory_start(after, forever);
        assert_right_answers("Ann", false);
        over = !short_memory_stop();
    }
    assert_right_answers("Ann", true);
}

static void checking(bool compiled, bool forever)
{
    bool over = false;
    put_content(compiled, OLD);
    for (size_t after = 0; !over; after++) {
        short_memory_start(after, forever);
        bool good = plugin->check(settings, &fake.table, fake_result_start(&result));
        over = !short_memory_stop();
        assert_true(good || (!over && result.reason[0]));
    }
}

static void each_way(void (*part)(bool compiled, bool forever))
{
    static const char *const encodings[] = {"UTF-8", "windows-1252", "ISO-2022-JP"};
    for (int way = 0; way < 12; way += way < 4 ? 1 : 2) {
        set_text("encoding", encodings[way / 4]);
        part(way % 2 && way < 4, way & 2);
        if (store)
            plugin->close(store);
        store = NULL;
        remove_compiled();
        set_text("path", path);
    }
}

static void store_opens_whole_or_not_at_all(void **state)
{
    (void)state;
    fake.table.log = log_nothing;
    each_way(opening);
}

static void check_finds_it_good_or_says_why_not(void **state)
{
    (void)state;
    fake.table.log = log_nothing;
    each_way(checking);
}

static void reload_keeps_the_old_content_and_tries_again(void **state)
{
    (void)state;
    fake.table.log = log_nothing;
    each_way(reloading);
}

static void question_is_answered_right_or_not_at_all(void **state)
{
    (void)state;
    fake.table.log = log_nothing;
    each_way(asking);
}

static void index_is_in_place_whole_or_not_at_all(void **state)
{
    (void)state;
    fake.table.log = log_nothing;
    for (int forever = 0; forever < 2; forever++) {
        bool over = false;
        for (size_t after = 0; !over; after++) {
            short_memory_start(after, forever);
            const char *compiled = compile(OLD);
            over = !short_memory_stop();
            assert_true(compiled || !over);
            char name[140];
            snprintf(name, sizeof name, "%s/members.cdb", folder);
            assert_int_equal(access(name, F_OK) == 0, compiled != NULL);
            if (compiled) {
                set_text("path", compiled);
                assert_true(open_store(0));
                assert_right_answers("Ann", true);
                plugin->close(store);
                store = NULL;
            }
            remove_compiled();
        }
    }
}

/* How much memory this process has mapped. */
static rlim_t mapped(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%llu", &pages), 1);
    fclose(file);
    return pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* It may be good: it is tried again. */
static void compiled_file_that_cannot_be_mapped(void **state)
{
    char large[140];
    struct rlimit limit, less;
    (void)state;
    snprintf(large, sizeof large, "%s/members.cdb", folder);
    int fd = open(large, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(ftruncate(fd, INT64_C(0xfffff000)), 0); /* without a byte on the disk */
    close(fd);
    set_text("path", large);
    assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
    less = (struct rlimit){mapped() + ((rlim_t)1 << 30), limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_AS, &less), 0);
    bool open = open_store(0);
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
    assert_false(open);
    assert_non_null(strstr(result.reason, "members.cdb: Cannot allocate memory"));
    assert_false(open_store(0));
    assert_non_null(strstr(result.reason, "not a compiled members file"));
    remove_compiled();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(store_opens_whole_or_not_at_all),
        TEST(check_finds_it_good_or_says_why_not),
        TEST(reload_keeps_the_old_content_and_tries_again),
        TEST(question_is_answered_right_or_not_at_all),
        TEST(index_is_in_place_whole_or_not_at_all),
        TEST(compiled_file_that_cannot_be_mapped),
    };
    return cmocka_run_group_tests_name("store_file_memory", tests, NULL, NULL);
}
