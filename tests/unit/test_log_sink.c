/* SPDX-License-Identifier: MIT
 * Nobody waits for the log: targets that nobody reads, that are full, that change. */
#include "host/log.h"
#include "host/log_sink.h"

#include "base/clock.h"
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MANY = 6000 }; /* lines; more than a pipe and the queue hold */

static int start(void **state)
{
    signal(SIGPIPE, SIG_IGN);
    return scratch_start(state);
}

static int stop(void **state)
{
    log_configure("/dev/null", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    log_info("for what was lost to be told");
    int rc = log_flush(1000) ? scratch_stop(state) : -1;
    log_configure("stderr", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    return rc;
}

/* What can be read from a pipe or FIFO now.  From malloc. */
static char *drain(int fd)
{
    char *text = calloc(1, 4 << 20);
    size_t length = 0;
    ssize_t count;
    while (length < (4 << 20) - 1 && (count = read(fd, text + length, 65536)) > 0)
        length += (size_t)count;
    return text;
}

static void log_many(void)
{
    int64_t start = clock_monotonic_ms();
    for (int i = 0; i < MANY; i++)
        log_info("line %d: some words that make it as long as lines usually are", i);
    expect(clock_monotonic_ms() - start < 5000, "the log was waited for");
}

/* Every line is either read or told of as lost. */
static void expect_all_accounted(const char *text)
{
    unsigned lost = 0, sum = 0;
    for (const char *at = text; (at = strstr(at, "warning: ")); at++)
        if (sscanf(at, "warning: %u line", &lost) == 1)
            sum += lost;
    assert_true(sum > 0);
    assert_int_equal(count_of(text, "usually are\n") + sum, MANY);
}

/* What comes as the writer finds room. */
static struct bytes drain_all(int fd)
{
    struct bytes all = {0};
    for (int i = 0; i < 50; i++) {
        char *part = drain(fd);
        bytes_add_string(&all, part);
        free(part);
        log_flush(0);
    }
    return all;
}

static void a_fifo_that_nobody_reads(void **state)
{
    (void)state;
    const char *path = scratch_path("fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_true(log_configure(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    log_many();
    log_reopen();
    assert_false(log_flush(0));
    assert_false(log_flush(30));
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct bytes all = drain_all(fd);
    assert_true(log_flush(0));
    expect_all_accounted(bytes_string(&all));
    bytes_free(&all);
    close(fd);
}

static void a_pipe_as_standard_error(void **state)
{
    int ends[2];
    (void)state;
    int saved = dup(STDERR_FILENO);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    dup2(ends[1], STDERR_FILENO);
    assert_true(log_configure("stderr", LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    log_many();
    assert_int_equal(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0); /* others have it, too */
    struct bytes all = drain_all(ends[0]);
    dup2(saved, STDERR_FILENO);
    close(saved);
    expect_all_accounted(bytes_string(&all));
    bytes_free(&all);
    close(ends[0]);
    close(ends[1]);
}

static void a_full_disk_loses_lines_only(void **state)
{
    (void)state;
    const char *path = scratch_path("log");
    assert_true(log_configure("/dev/full", LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    for (int i = 0; i < 7; i++)
        log_info("lost");
    assert_true(log_configure(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    log_info("written");
    const char *text = scratch_read(path);
    expect_lacks(text, "info: lost");
    expect_contains(text, "info: written\n");
    expect_contains(text, "warning: 7 lines of the log could not be written and are lost\n");
    log_info("again");
    assert_int_equal(count_of(scratch_read(path), "lost\n"), 1);
}

/* logrotate's copytruncate. */
static void a_file_that_is_truncated(void **state)
{
    (void)state;
    const char *path = scratch_path("log");
    assert_true(log_configure(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    log_info("one");
    assert_int_equal(truncate(path, 0), 0);
    log_info("two");
    const char *text = scratch_read(path);
    assert_int_equal(text[0], '2'); /* of the year: no hole */
    expect_contains(text, "info: two\n");
}

static void a_file_that_cannot_be_opened_again(void **state)
{
    (void)state;
    assert_int_equal(mkdir(scratch_path("folder"), 0700), 0);
    assert_true(log_configure(scratch_path("folder/log"), LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    assert_int_equal(rename(scratch_path("folder"), scratch_path("moved")), 0);
    log_reopen();
    log_info("still written");
    const char *text = scratch_read(scratch_path("moved/log"));
    expect_contains(text, "error: the log file cannot be opened again: No such file");
    expect_contains(text, "info: still written\n");
}

static int bind_syslog(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void syslog_gets_a_datagram_a_line(void **state)
{
    char line[1024];
    (void)state;
    const char *path = scratch_path("syslog");
    assert_true(sink_use_syslog(&sink_log, path)); /* it will come */
    log_info("lost");
    int fd = bind_syslog(path);
    log_set_request("r-1");
    log_warning("careful\nwith lines");
    log_set_request(NULL);
    ssize_t length = recv(fd, line, sizeof line - 1, 0);
    assert_true(length > 0);
    line[length] = '\0';
    assert_memory_equal(line, "<28>", 4);
    expect_contains(line, "]: [r-1] careful\\x0awith lines");
    assert_int_equal(line[length - 1], 's');
    length = recv(fd, line, sizeof line - 1, 0);
    assert_true(length > 0);
    line[length] = '\0';
    expect_contains(line, "1 line of the log could not be written and is lost");
    close(fd); /* a daemon that is started again */
    assert_int_equal(unlink(path), 0);
    fd = bind_syslog(path);
    log_error("back");
    length = recv(fd, line, sizeof line - 1, 0);
    assert_true(length > 0);
    line[length] = '\0';
    expect_contains(line, "]: back");
    for (int i = 0; i < MANY; i++) /* nobody reads any more */
        log_info("more");
    close(fd);
}

/* Every line begins with the year. */
static void expect_whole_lines(const char *text)
{
    for (const char *at = text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        expect(strncmp(at, "20", 2) == 0, "a part of a line: %.60s", at);
}

static void a_line_is_not_cut_in_two(void **state)
{
    int ends[2];
    (void)state;
    const char *path = scratch_path("log");
    int saved = dup(STDERR_FILENO);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &(int){20000}, sizeof(int));
    dup2(ends[1], STDERR_FILENO);
    assert_true(log_configure("stderr", LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    log_many();
    free(drain(ends[0]));
    assert_false(log_flush(20)); /* there is room for a part of the queue */
    assert_true(log_configure(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    assert_true(log_flush(1000));
    dup2(saved, STDERR_FILENO);
    close(saved);
    expect_whole_lines(scratch_read(path));
    close(ends[0]);
    close(ends[1]);
}

/* A line of which there was room for a part only gets its end when there is room again. */
static void a_full_disk_in_the_middle_of_a_line(void **state)
{
    struct rlimit limit, before;
    (void)state;
    const char *path = scratch_path("log");
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 100;
    assert_true(log_configure(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 3; i++)
        log_info("a line that is longer than half of it");
    setrlimit(RLIMIT_FSIZE, &before);
    log_info("there is room");
    const char *text = scratch_read(path);
    expect_whole_lines(text);
    expect_contains(text, "info: there is room\n");
    expect_contains(text, "warning: 2 lines of the log could not be written and are lost\n");
}

static void lines_longer_than_a_pipe_takes_at_once(void **state)
{
    enum { LENGTH = 2000 };
    char *line = repeated('\xff', LENGTH);
    (void)state;
    const char *path = scratch_path("fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_true(log_configure(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    log_info("%s", line);
    char *text = drain(fd);
    assert_int_equal(count_of(text, "\\xff"), LENGTH);
    assert_string_equal(text + strlen(text) - 5, "\\xff\n");
    free(text);
    free(line);
    close(fd);
}

static void lines_that_are_none_are_lost(void **state)
{
    char *far = repeated('x', 65536);
    struct bytes failed = {.failed = true}, too_long = {0};
    (void)state;
    const char *path = scratch_path("log");
    assert_true(log_configure(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    bytes_add_string(&too_long, far);
    log_access(&failed);
    log_access(&too_long);
    log_info("after");
    const char *text = scratch_read(path);
    assert_int_equal(count_of(text, "warning: 1 line of the log could not be written"), 2);
    expect_whole_lines(text);
    expect_contains(text, "info: after\n");
    bytes_free(&too_long);
    free(far);
}

static void tell_too_much(struct bytes *line, unsigned lost)
{
    for (unsigned i = 0; i < 1000; i++)
        bytes_addf(line, "%u lost\n", lost);
}

/* What cannot be told now is told later. */
static void telling_that_fails(void **state)
{
    struct bytes failed = {.failed = true};
    (void)state;
    const char *path = scratch_path("log");
    assert_true(log_configure(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    sink_add(&sink_log, &failed, tell_too_much);
    assert_string_equal(scratch_read(path), "");
    log_info("one");
    expect_contains(scratch_read(path), "warning: 1 line of the log could not be written");
}

static void an_access_log_that_nobody_reads(void **state)
{
    struct bytes line = {0};
    (void)state;
    const char *path = scratch_path("fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_true(log_configure_access(path));
    bytes_add_string(&line, "a line of the access log as long as they usually are");
    for (int i = 0; i < MANY; i++)
        log_access(&line);
    assert_false(log_flush(0));
    assert_true(log_configure_access("/dev/null"));
    assert_true(log_flush(1000) && log_configure_access(NULL));
    bytes_free(&line);
}

static int without_descriptors(void)
{
    descriptors_end();
    bool taken = sink_use_syslog(&sink_log, "/dev/log") || sink_use_file(&sink_log, "/dev/null");
    descriptors_begin();
    return taken;
}

static void descriptors_run_out(void **state)
{
    (void)state;
    assert_int_equal(in_child(without_descriptors), 0);
}

static void *log_some(void *nothing)
{
    for (int i = 0; i < 500; i++)
        log_info("line");
    return nothing;
}

static void the_target_changes_meanwhile(void **state)
{
    pthread_t threads[4];
    (void)state;
    const char *paths[] = {scratch_path("a"), scratch_path("b")};
    assert_true(log_configure(paths[0], LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_create(&threads[i], NULL, log_some, NULL);
    for (size_t i = 1; i < 200; i++)
        assert_true(log_configure(paths[i % 2], LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_true(log_flush(1000));
    assert_int_equal(count_of(scratch_read(paths[0]), "info: line\n") +
                         count_of(scratch_read(paths[1]), "info: line\n"),
                     2000);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_fifo_that_nobody_reads),
        TEST(a_pipe_as_standard_error),
        TEST(a_full_disk_loses_lines_only),
        TEST(a_file_that_is_truncated),
        TEST(a_file_that_cannot_be_opened_again),
        TEST(syslog_gets_a_datagram_a_line),
        TEST(the_target_changes_meanwhile),
        TEST(a_line_is_not_cut_in_two),
        TEST(a_full_disk_in_the_middle_of_a_line),
        TEST(lines_longer_than_a_pipe_takes_at_once),
        TEST(lines_that_are_none_are_lost),
        TEST(telling_that_fails),
        TEST(an_access_log_that_nobody_reads),
        TEST(descriptors_run_out),
    };
    return cmocka_run_group_tests_name("log sink", tests, NULL, NULL);
}
