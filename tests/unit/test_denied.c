/* SPDX-License-Identifier: MIT
 * The list of ids that get no token. */
#include "members/denied.h"

#include "host/log.h"
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- Lines ---- */

static void lines(void **state)
{
    static const struct {
        const char *text, *id; /* "": nobody */
        int64_t until;
        const char *comment;
        bool faulty;
    } rows[] = {
        {"", "", DENIED_FOREVER, "", false},
        {"  \t\r", "", DENIED_FOREVER, "", false},
        {"# 4711", "", DENIED_FOREVER, "", false},
        {"  # x", "", DENIED_FOREVER, "", false},
        {"4711", "4711", DENIED_FOREVER, "", false},
        {"\t4711 \r", "4711", DENIED_FOREVER, "", false},
        {"4711 # spam", "4711", DENIED_FOREVER, "# spam", false},
        {"4711#1", "4711#1", DENIED_FOREVER, "", false},
        {"4711 2026-11-25", "4711", 1795564800 + 86400, "", false},
        {"4711\t2026-11-25T08:30Z # x", "4711", 1795595400, "# x", false},
        {"\"John Smith\"", "John Smith", DENIED_FOREVER, "", false},
        {"\"a \\\"b\\\\\" 2026-11-25", "a \"b\\", 1795564800 + 86400, "", false},
        {"\"#1\" # x", "#1", DENIED_FOREVER, "# x", false},
        {"a\\b", "a\\b", DENIED_FOREVER, "", false},
        {"zo\xc3\xab", "zo\xc3\xab", DENIED_FOREVER, "", false},
        /* the id is denied for good where the rest cannot be read */
        {"4711 tomorrow", "4711", DENIED_FOREVER, "", true},
        {"4711 2026-02-30", "4711", DENIED_FOREVER, "", true},
        {"4711 2026-11-25 x", "4711", 1795564800 + 86400, "", true},
        {"\"a\"2026-02-30", "a", DENIED_FOREVER, "", true},
        /* no ids */
        {"\"\"", "", DENIED_FOREVER, "", true},
        {"\"open", "", DENIED_FOREVER, "", true},
        {"\"open\\\"", "", DENIED_FOREVER, "", true},
        {"a\x01", "", DENIED_FOREVER, "", true},
        {"\xff", "", DENIED_FOREVER, "", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct denied_line line;
        struct span text = span_of(rows[i].text);
        char *copy = exact_copy(text);
        denied_read_line((struct span){copy, text.length}, &line);
        expect(span_equal((struct span){line.id, line.id_length}, span_of(rows[i].id)), "%s: %.*s",
               rows[i].text, (int)line.id_length, line.id);
        expect(line.until == rows[i].until, "%s: until", rows[i].text);
        expect(span_equal(line.comment, span_of(rows[i].comment)), "%s: comment", rows[i].text);
        expect((line.fault != NULL) == rows[i].faulty, "%s: %s", rows[i].text,
               line.fault ? line.fault : "no fault");
        free(copy);
    }
}

static void longest_id(void **state)
{
    (void)state;
    for (size_t length = DENIED_ID_MAX; length <= DENIED_ID_MAX + 1; length++) {
        char *id = repeated('x', length);
        struct denied_line line;
        denied_read_line(span_of(id), &line);
        assert_int_equal(line.id_length, length > DENIED_ID_MAX ? 0 : length);
        struct bytes quoted = {0};
        bytes_addf(&quoted, "\"%s\"", id);
        denied_read_line(bytes_span(&quoted), &line);
        assert_int_equal(line.id_length, length > DENIED_ID_MAX ? 0 : length);
        bytes_free(&quoted);
        free(id);
    }
}

static void what_is_written_is_read(void **state)
{
    static const char *const ids[] = {
        "4711", "a b", "#x", "\"", "a\\", "a \\\"b", "\xc3\xa9", "\xef\xbb\xbfx", "\xef\xbf\xbdx"};
    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct bytes text = {0};
        struct denied_line line;
        denied_add_line(&text, span_of(ids[i]), 1795595400, SPAN("# why"));
        struct span rest = bytes_span(&text), one;
        denied_skip_mark(&rest);
        assert_true(span_next_line(&rest, &one));
        denied_read_line(one, &line);
        expect(span_equal((struct span){line.id, line.id_length}, span_of(ids[i])), "%s", ids[i]);
        assert_null(line.fault);
        assert_int_equal(line.until, 1795595400);
        expect_span(line.comment, "# why");
        bytes_free(&text);
    }
}

/* ---- Lists ---- */

static unsigned told_lines[8], told_count;

static void tell(void *context, unsigned line, const char *fault)
{
    (void)context;
    (void)fault;
    told_lines[told_count++ % COUNT(told_lines)] = line;
}

static struct denied *open_list(const char *text)
{
    struct reason why = {0};
    told_count = 0;
    const char *path = scratch_write("denied.txt", span_of(text));
    struct denied *denied = denied_open(path, "demo", tell, NULL, &why);
    expect(denied != NULL, "%s", why.text);
    return denied;
}

static bool has(struct denied *denied, const char *id)
{
    return denied_has(denied, span_of(id));
}

static void who_is_denied(void **state)
{
    (void)state;
    struct denied *denied = open_list("\xef\xbb\xbf"
                                      "4711\r\nAnn 2999-01-01\n\nBob 2001-01-01\n"
                                      "Cleo 2001-01-01\ncleo\nDan\nDan 2001-01-01\nlast");
    assert_true(has(denied, "4711"));
    assert_true(has(denied, "aNN"));
    assert_false(has(denied, "Bob"));
    assert_true(has(denied, "CLEO"));
    assert_true(has(denied, "Dan"));
    assert_true(has(denied, "last"));
    assert_false(has(denied, "471"));
    assert_false(has(denied, "47111"));
    assert_false(has(denied, ""));
    assert_false(denied_has(NULL, SPAN("4711")));
    assert_int_equal(told_count, 0);
    denied_free(denied);
}

static void bad_lines_are_told(void **state)
{
    (void)state;
    struct denied *denied = open_list("a\nb tomorrow\n\n\"c\n");
    assert_int_equal(told_count, 2);
    assert_int_equal(told_lines[0], 2);
    assert_int_equal(told_lines[1], 4);
    assert_true(has(denied, "b"));
    denied_free(denied);
}

static void a_large_list(void **state)
{
    (void)state;
    struct bytes text = {0};
    for (int i = 0; i < 100000; i++)
        bytes_addf(&text, "member-%d\n", 3 * i);
    struct denied *denied = open_list(bytes_string(&text));
    for (int i = 0; i < 1000; i++) {
        char id[32];
        snprintf(id, sizeof id, "MEMBER-%d", 299 * i);
        expect(has(denied, id) == (299 * i % 3 == 0), "%s", id);
    }
    denied_free(denied);
    bytes_free(&text);
}

static void what_cannot_be_read(void **state)
{
    struct reason why = {0};
    (void)state;
    assert_null(denied_open(scratch_path("none.txt"), "demo", tell, NULL, &why));
    expect_contains(why.text, "No such file");
    const char *path = scratch_write_mode("open.txt", SPAN("4711\n"), 0666);
    assert_null(denied_open(path, "demo", tell, NULL, &why));
    expect_contains(why.text, "any user");
}

/* Within a second, whatever the file was before. */
static bool becomes(struct denied *denied, const char *id, bool wanted)
{
    for (int i = 0; i < 500 && has(denied, id) != wanted; i++)
        pause_ms(20);
    return has(denied, id) == wanted;
}

static void changes_count(void **state)
{
    (void)state;
    struct denied *denied = open_list("a\n");
    assert_false(has(denied, "b"));
    scratch_write("denied.txt", SPAN("a\nb\n"));
    assert_true(becomes(denied, "b", true));
    assert_true(has(denied, "a"));
    scratch_write("denied.txt", SPAN("b\n"));
    assert_true(becomes(denied, "a", false));
    assert_true(has(denied, "b"));
    denied_free(denied);
}

static void many_bad_lines(void **state)
{
    (void)state;
    struct bytes text = {0};
    for (int i = 0; i < 100; i++)
        bytes_addf(&text, "m%d tomorrow\n", i);
    stderr_catch();
    struct denied *denied = open_list("a\n");
    scratch_write("denied.txt", bytes_span(&text));
    assert_true(becomes(denied, "m99", true));
    char *far = repeated('x', DENIED_ID_MAX + 1);
    assert_false(has(denied, far));
    free(far);
    denied_free(denied);
    bytes_free(&text);
    const char *log = stderr_caught(); /* not a word for each */
    expect_contains(log, "denied.txt:2: what follows the id is not a date");
    expect_lacks(log, "denied.txt:99: ");
    expect_contains(log, " more lines with something wrong");
}

/* A request that comes long after the change sees it at once. */
static void a_change_while_nobody_asks(void **state)
{
    (void)state;
    struct denied *denied = open_list("a\n");
    scratch_write("denied.txt", SPAN("b\n"));
    pause_ms(700);
    assert_false(has(denied, "a"));
    assert_true(has(denied, "b"));
    denied_free(denied);
}

/* The list stays as it was while the file is lost, or anybody could have written it. */
static void a_lost_file_ends_no_ban(void **state)
{
    (void)state;
    stderr_catch();
    struct denied *denied = open_list("a\n");
    const char *path = scratch_path("denied.txt");
    unlink(path);
    pause_ms(300);
    assert_true(has(denied, "a"));
    scratch_write_mode("denied.txt", SPAN("\n"), 0666);
    pause_ms(600);
    assert_true(has(denied, "a"));
    assert_true(has(denied, "a"));
    scratch_write_mode("denied.txt", SPAN("b\n"), 0640);
    assert_true(becomes(denied, "a", false));
    assert_true(has(denied, "b"));
    denied_free(denied);
    const char *log = stderr_caught();
    expect_contains(log, "the last list stays in force");
    expect_contains(log, "No such file");
    expect_contains(log, "any user of this machine can write");
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A list that an editor has cut short and is about to write again. */
static void half_written(void **state)
{
    (void)state;
    struct denied *denied = open_list("a\n");
    pause_ms(600); /* it is at rest */
    assert_true(has(denied, "a"));
    bool in_time = true; /* on a machine that stalls, the cut file is at rest */
    for (int i = 0; i < 4 && in_time; i++) {
        int64_t began = now_ms();
        scratch_write("denied.txt", SPAN(""));
        pause_ms(210);
        bool still = has(denied, "a");
        in_time = now_ms() - began < 450;
        expect(still || !in_time, "round %d", i);
    }
    scratch_write("denied.txt", SPAN("a\nb\n"));
    assert_true(becomes(denied, "b", true));
    assert_true(has(denied, "a"));
    denied_free(denied);
}

struct asker {
    struct denied *denied;
    atomic_bool stop;
    atomic_uint wrong;
};

static void *keep_asking(void *argument)
{
    struct asker *asker = argument;
    while (!atomic_load(&asker->stop))
        if (!has(asker->denied, "always") || has(asker->denied, "never"))
            atomic_fetch_add(&asker->wrong, 1);
    return NULL;
}

static void many_threads(void **state)
{
    struct asker asker = {.denied = open_list("always\n")};
    pthread_t threads[3];
    (void)state;
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_create(&threads[i], NULL, keep_asking, &asker);
    for (int i = 0; i < 6; i++) {
        char text[64];
        snprintf(text, sizeof text, "%d\nalways\n", i);
        scratch_write("denied.txt.new", span_of(text));
        rename(scratch_path("denied.txt.new"), scratch_path("denied.txt"));
        pause_ms(120);
    }
    asker.stop = true;
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(asker.wrong, 0);
    denied_free(asker.denied);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(longest_id),
        cmocka_unit_test(what_is_written_is_read),
        SCRATCH_TEST(who_is_denied),
        SCRATCH_TEST(bad_lines_are_told),
        SCRATCH_TEST(many_bad_lines),
        SCRATCH_TEST(a_large_list),
        SCRATCH_TEST(what_cannot_be_read),
        SCRATCH_TEST(changes_count),
        SCRATCH_TEST(a_change_while_nobody_asks),
        SCRATCH_TEST(a_lost_file_ends_no_ban),
        SCRATCH_TEST(half_written),
        SCRATCH_TEST(many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
