/* SPDX-License-Identifier: MIT
 * Which figures are in use, and what is counted with and without them. */
#include "figures/read.h"

#include "figures_fixture.h"
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- Which are in use ---- */

static void a_link_in_its_place_ends_nothing(void **state)
{
    (void)state;
    stderr_catch();
    figures_use(path, FIGURES_RESIDENT);
    int fd = figures_in_use_fd();
    unlink(path);
    assert_int_equal(symlink("/dev/null", path), 0);
    figures_use(path, FIGURES_RESIDENT);
    assert_int_equal(figures_in_use_fd(), fd);
    expect_contains(stderr_caught(), "status.file: ");
}

static void from_a_file_to_another_and_to_memory(void **state)
{
    (void)state;
    stderr_catch();
    figures_use(path, FIGURES_RESIDENT);
    const void *address = figures_in_use();
    figures_use(scratch_path("other"), FIGURES_RESIDENT);
    assert_true(figures_in_use_fd() >= 0);
    for (int i = 0; i < 2; i++) {
        figures_use(NULL, FIGURES_RESIDENT);
        assert_int_equal(figures_in_use_fd(), -1);
    }
    figures_use(path, FIGURES_ONCE);
    assert_true(figures_in_use_fd() >= 0);
    figures_use(NULL, FIGURES_ONCE); /* it has figures already */
    assert_int_equal(figures_in_use_fd(), -1);
    assert_ptr_equal(figures_in_use(), address);
    expect_lacks(stderr_caught(), "status.file");
}

static void once_without_a_file_there_are_none(void **state)
{
    (void)state;
    stderr_catch();
    figures_use(NULL, FIGURES_ONCE);
    assert_null(figures_in_use());
    figures_use(scratch_path("nowhere/figures"), FIGURES_ONCE);
    assert_null(figures_in_use());
    figures_use(path, FIGURES_ONCE);
    assert_non_null(figures_in_use());
    const char *log = stderr_caught();
    expect_contains(log, "nowhere/figures cannot be");
    expect_lacks(log, "can be used now"); /* nothing was counted before */
}

static _Noreturn void end_with_7(int number)
{
    (void)number;
    _exit(7);
}

/* A page of a file that has none. */
static volatile char *map_missing_page(void)
{
    int fd = open(scratch_write("short", SPAN("")), O_RDWR | O_CLOEXEC);
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static int fault_before(void)
{
    volatile char *page = map_missing_page();
    signal(SIGBUS, end_with_7);
    figures_use(path, FIGURES_RESIDENT);
    *page = 'x';
    return 1;
}

static int fault_behind(void)
{
    signal(SIGBUS, end_with_7);
    figures_use(path, FIGURES_RESIDENT);
    *map_missing_page() = 'x';
    return 1;
}

static int fault_without_figures(void)
{
    signal(SIGBUS, end_with_7);
    figures_use(path, FIGURES_RESIDENT);
    figures_close();
    *map_missing_page() = 'x';
    return 1;
}

/* On either side of the figures. */
static void faults_elsewhere_are_those_of_others(void **state)
{
    static int (*const parts[])(void) = {fault_before, fault_behind, fault_without_figures};
    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++) {
        int code = in_child(parts[i]);
        expect(code == 7, "%zu: %d", i, code);
    }
}

/* ---- Counting ---- */

static void count_everything(void)
{
    const struct figures_refusal refusal = {
        .app = "demo", .code = "CODE", .request_id = "r", .id = SPAN_NONE};
    figures_count_request("guest", 200, 1);
    figures_count_token("demo", FIGURES_GUEST);
    figures_count_throttled("demo");
    figures_count_refusal(&refusal);
    figures_count_lookup("members", FIGURES_FOUND, 1);
    figures_count_cache("members", FIGURES_HIT);
    figures_note_store("members", FIGURES_FOUND);
    figures_note_members("members", 3);
    figures_note_breaker("members", true);
    figures_note_cache("members", 1);
    figures_note_threads(2);
    figures_note_reload(true);
}

static void without_figures_nothing_is_counted(void **state)
{
    (void)state;
    count_everything();
    assert_null(figures_in_use());
    assert_null(figures_throttle());
}

/* All places are those of other processes: what belongs to a process is not shown. */
static void without_a_place_the_rest_is_counted(void **state)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_start = (off_t)FIGURES_SIZE, .l_len = FIGURES_PROCESSES};
    (void)state;
    figures_use(path, FIGURES_RESIDENT);
    figures_close();
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
    figures_use(path, FIGURES_RESIDENT);
    assert_null(figures_own_process());
    count_everything();
    struct figures *figures = figures_in_use();
    unsigned place = figures_place_of(figures, FIGURES_OF_APPS, SPAN("demo"));
    assert_int_equal(figures->apps[place].counted.tokens[FIGURES_GUEST], 1);
    assert_int_equal(figures->apps[place].counted.throttled, 1);
    close(fd);
}

static void a_status_that_there_is_not(void **state)
{
    static const int statuses[] = {-1, 0, 99, 600, 1000};
    (void)state;
    figures_use(path, FIGURES_RESIDENT);
    for (size_t i = 0; i < COUNT(statuses); i++)
        figures_count_request("guest", statuses[i], 1);
    assert_true(figures_quantile(&figures_in_use()->durations, 1) == 0);
    figures_count_request("guest", 599, -1);
    assert_int_equal(figures_in_use()->durations.count[0], 1);
}

static void processes_are_summed_up(void **state)
{
    static const uint64_t times[] = {5, 3, 4};
    struct flock lock = {.l_type = F_WRLCK, .l_len = 1};
    struct figures_sum sum;
    (void)state;
    figures_use(path, FIGURES_RESIDENT);
    struct figures *figures = figures_in_use();
    int fd = open(path, O_RDWR | O_CLOEXEC);
    unsigned own = (unsigned)(figures_own_process() - figures->processes);
    figures_own_process()->started = 6;
    for (unsigned i = 0; i < COUNT(times) + 1; i++) {
        unsigned place = (own + 1 + i) % FIGURES_PROCESSES;
        struct figures_process *process = &figures->processes[place];
        lock.l_start = (off_t)(FIGURES_SIZE + place);
        assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
        process->pid = 1;
        process->in_flight = 1;
        process->resident = i < COUNT(times); /* the last one serves one request */
        process->started = process->breaker_since[0] = i < COUNT(times) ? times[i] : 7;
    }
    const struct figures_view view = figures_view_own();
    figures_sum_processes(&view, &sum);
    assert_int_equal(sum.started, 3);
    assert_int_equal(sum.breaker_since[0], 3);
    assert_int_equal(sum.in_flight, 4);
    close(fd);
}

/* ---- Refusals ---- */

static bool newest_is_readable(void)
{
    struct figures_past past;
    return figures_read_recent(figures_in_use(), 0, &past);
}

static void a_refusal_that_is_damaged_is_not_shown(void **state)
{
    (void)state;
    figures_use(path, FIGURES_RESIDENT);
    assert_false(newest_is_readable());
    count_everything();
    assert_true(newest_is_readable());
    struct figures_recent *recent = &figures_in_use()->recent[1];
    struct figures_name *const names[] = {&recent->app, &recent->code, &recent->request_id,
                                          &recent->id};
    for (size_t i = 0; i < COUNT(names); i++) {
        figures_name_set(names[i], SPAN("\xff"));
        assert_false(newest_is_readable());
        figures_name_set(names[i], SPAN("x"));
        assert_true(newest_is_readable());
    }
    recent->sequence = 3; /* it is being written */
    assert_false(newest_is_readable());
}

/* Who was killed while writing keeps the place for two rounds. */
static void a_place_that_is_being_written_to(void **state)
{
    char *text = repeated('n', FIGURES_NAME_MAX + 1);
    const struct figures_refusal refusal = {
        .app = "demo", .code = "CODE", .request_id = "r", .id = span_of(text)};
    (void)state;
    figures_use(path, FIGURES_RESIDENT);
    struct figures_recent *recent = &figures_in_use()->recent[1];
    recent->sequence = 3;
    for (int round = 0; round < 3; round++) {
        assert_int_equal(recent->sequence, 3);
        for (int i = 0; i < FIGURES_RECENT; i++)
            figures_count_refusal(&refusal);
    }
    assert_int_equal(recent->sequence, 2 * (1 + 2 * FIGURES_RECENT));
    assert_int_equal(recent->id.length, FIGURES_NAME_MAX + 1); /* cut */
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_link_in_its_place_ends_nothing),
        CASE(from_a_file_to_another_and_to_memory),
        CASE(once_without_a_file_there_are_none),
        CASE(faults_elsewhere_are_those_of_others),
        CASE(without_figures_nothing_is_counted),
        CASE(without_a_place_the_rest_is_counted),
        CASE(a_status_that_there_is_not),
        CASE(processes_are_summed_up),
        CASE(a_refusal_that_is_damaged_is_not_shown),
        CASE(a_place_that_is_being_written_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
