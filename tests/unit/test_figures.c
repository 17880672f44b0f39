/* SPDX-License-Identifier: MIT
 * The file of figures: processes share it, and whatever happens to it costs no more than figures.
 */
#include "figures/read.h"

#include "figures_fixture.h"
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CROWD  200
#define TOKENS 50

static uint64_t tokens(const char *app)
{
    struct figures *figures = figures_in_use();
    return figures->apps[figures_place_of(figures, FIGURES_OF_APPS, span_of(app))]
        .counted.tokens[FIGURES_GUEST];
}

static off_t size_of(const char *file)
{
    struct stat st;
    return stat(file, &st) == 0 ? st.st_size : -1;
}

static void use(void)
{
    figures_use(path, FIGURES_RESIDENT);
    assert_non_null(figures_in_use());
}

/* What all processes see, by a look of its own. */
static uint64_t tokens_in_file(const char *app)
{
    int fd = open(path, O_RDONLY);
    struct figures *figures = mmap(NULL, FIGURES_SIZE, PROT_READ, MAP_SHARED, fd, 0);
    assert_true(figures != MAP_FAILED);
    uint64_t count = 0;
    for (unsigned i = 0; i < FIGURES_APPS; i++) {
        char text[FIGURES_NAME_MAX];
        size_t length = figures_name_get(&figures->apps[i].name, text);
        if (span_equal((struct span){text, length}, span_of(app)))
            count += figures->apps[i].counted.tokens[FIGURES_GUEST];
    }
    munmap(figures, FIGURES_SIZE);
    close(fd);
    return count;
}

/* ---- Many processes ---- */

/* A process that counts, as plain CGI does: all begin at once, when the pipe ends. */
static pid_t start_counter(const int gate[2])
{
    pid_t child = fork();
    char byte;
    if (child != 0)
        return child;
    close(gate[1]);
    if (read(gate[0], &byte, 1) != 0)
        _exit(1);
    figures_use(path, FIGURES_ONCE);
    figures_request_begins();
    for (int i = 0; i < TOKENS; i++)
        figures_count_token("demo", FIGURES_GUEST);
    _exit(figures_in_use_fd() >= 0 ? 0 : 1);
}

static void two_hundred_make_one_file_while_one_is_killed(void **state)
{
    (void)state;
    int gate[2], good = 0;
    pid_t children[CROWD], victim;
    assert_int_equal(pipe(gate), 0);
    for (int i = 0; i < CROWD; i++)
        children[i] = start_counter(gate);
    victim = children[CROWD / 2];
    close(gate[0]);
    close(gate[1]);
    kill(victim, SIGKILL);
    for (int i = 0; i < CROWD; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        if (children[i] != victim) {
            assert_true(WIFEXITED(status));
            good += WEXITSTATUS(status) == 0;
        }
    }
    assert_int_equal(good, CROWD - 1);
    uint64_t counted = tokens_in_file("demo");
    expect(counted >= (CROWD - 1) * TOKENS && counted <= CROWD * TOKENS, "%ju tokens",
           (uintmax_t)counted);
    for (unsigned i = 0; i < FIGURES_PROCESSES; i++) /* those that ended are in flight nowhere */
        assert_false(figures_place_lives(open(path, O_RDWR | O_CLOEXEC), i));
}

static void a_place_is_free_again_when_its_process_is_killed(void **state)
{
    (void)state;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        figures_use(path, FIGURES_RESIDENT);
        figures_request_begins();
        if (write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    use();
    unsigned place = (unsigned)child % FIGURES_PROCESSES;
    struct figures_process *process = &figures_in_use()->processes[place];
    assert_int_equal(process->pid, child);
    assert_int_equal(process->in_flight, 1);
    assert_true(figures_place_lives(figures_in_use_fd(), place));
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_false(figures_place_lives(figures_in_use_fd(), place));
    close(ready[0]);
    close(ready[1]);
}

/* ---- Broken files ---- */

static void a_file_cut_short_while_mapped_is_survived_and_replaced(void **state)
{
    (void)state;
    static const off_t sizes[] = {0, 4, 4096, 700000};
    stderr_catch();
    for (size_t i = 0; i < COUNT(sizes); i++) {
        use();
        figures_count_token("demo", FIGURES_GUEST);
        uint64_t before = tokens("demo");
        void *address = figures_in_use();
        assert_int_equal(truncate(path, sizes[i]), 0);
        for (int n = 0; n < 3; n++)
            figures_count_token("demo", FIGURES_GUEST);
        figures_count_request("guest", 200, 100);
        assert_true(tokens("demo") <= before + 3);
        use();
        assert_ptr_equal(figures_in_use(), address);
        assert_int_equal(size_of(path), FIGURES_SIZE);
        figures_count_token("demo", FIGURES_GUEST);
        assert_int_equal(tokens_in_file("demo"), 1);
    }
    expect_contains(stderr_caught(), "was removed, replaced or cut short");
}

static void a_file_that_was_removed_is_made_again(void **state)
{
    (void)state;
    stderr_catch();
    use();
    figures_count_token("demo", FIGURES_GUEST);
    assert_int_equal(unlink(path), 0);
    figures_count_token("demo", FIGURES_GUEST);
    use();
    figures_count_token("demo", FIGURES_GUEST);
    assert_int_equal(tokens_in_file("demo"), 1);
    stderr_caught();
}

static void write_header(uint32_t version, uint32_t size, off_t length)
{
    struct figures_header header = {.magic = FIGURES_MAGIC, .version = version, .size = size};
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, &header, sizeof header), sizeof header);
    assert_int_equal(ftruncate(fd, length), 0);
    close(fd);
}

static void broken_files_and_those_of_old_versions_are_replaced(void **state)
{
    (void)state;
    static const struct {
        uint32_t version;
        long more; /* bytes than there should be */
    } rows[] = {
        {FIGURES_VERSION - 1, 0}, {FIGURES_VERSION, -1}, {FIGURES_VERSION, 4096}, {0, -100}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_header(rows[i].version, (uint32_t)FIGURES_SIZE, (off_t)FIGURES_SIZE + rows[i].more);
        use();
        assert_true(figures_in_use_fd() >= 0);
        assert_int_equal(size_of(path), FIGURES_SIZE);
        assert_int_equal(tokens("demo"), 0);
        figures_close();
    }
    char *garbage = repeated('x', FIGURES_SIZE);
    scratch_write("figures", (struct span){garbage, FIGURES_SIZE});
    free(garbage);
    use();
    assert_true(figures_in_use_fd() >= 0);
}

static void a_newer_version_is_left_alone(void **state)
{
    (void)state;
    stderr_catch();
    write_header(FIGURES_VERSION + 1, 1000, 1000);
    for (int i = 0; i < 3; i++)
        use();
    assert_int_equal(figures_in_use_fd(), -1);
    figures_count_token("demo", FIGURES_GUEST);
    assert_int_equal(tokens("demo"), 1);
    assert_int_equal(size_of(path), 1000);
    const char *log = stderr_caught();
    expect_contains(log, "newer version");
    assert_null(strstr(strstr(log, "newer version") + 1, "newer version")); /* said once */
}

/* Who writes to it could let himself off, or lock others out. */
static void a_file_that_anyone_can_write_to_is_not_used(void **state)
{
    (void)state;
    stderr_catch();
    use();
    figures_close();
    assert_int_equal(chmod(path, 0666), 0);
    use();
    assert_int_equal(figures_in_use_fd(), -1);
    expect_contains(stderr_caught(), "any user can write to it");
    figures_close();
    assert_int_equal(chmod(path, 0640), 0);
    use();
    assert_true(figures_in_use_fd() >= 0);
}

static void a_file_of_somebody_else_is_kept_beside(void **state)
{
    (void)state;
    stderr_catch();
    scratch_write("figures", SPAN("appUserId,appUserName\n1,Ann\n"));
    use();
    assert_true(figures_in_use_fd() >= 0);
    assert_string_equal(scratch_read(scratch_path("figures.broken")),
                        "appUserId,appUserName\n1,Ann\n");
    figures_close();
    scratch_write("figures", SPAN("another"));
    use(); /* there is one beside already */
    assert_int_equal(figures_in_use_fd(), -1);
    assert_string_equal(scratch_read(path), "another");
    expect_contains(stderr_caught(), "status.file: ");
}

static void what_cannot_be_made_costs_the_figures_only(void **state)
{
    (void)state;
    const struct rlimit before = {RLIM_INFINITY, RLIM_INFINITY};
    struct rlimit limit;
    stderr_catch();
    path = scratch_path("nowhere/figures");
    use();
    assert_int_equal(figures_in_use_fd(), -1);
    figures_close();
    assert_int_equal(mkdir(scratch_path("folder"), 0700), 0);
    path = scratch_path("folder");
    use();
    assert_int_equal(figures_in_use_fd(), -1);
    figures_close();

    /* as a full disk: no room for all of it, and nothing is left behind */
    path = scratch_path("figures");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = FIGURES_SIZE / 2;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    use();
    figures_count_token("demo", FIGURES_GUEST);
    assert_int_equal(tokens("demo"), 1);
    assert_int_equal(figures_in_use_fd(), -1);
    assert_int_equal(size_of(path), -1);
    limit.rlim_cur = before.rlim_cur < limit.rlim_max ? before.rlim_cur : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    use(); /* there is room again */
    assert_true(figures_in_use_fd() >= 0);
    const char *log = stderr_caught();
    expect_contains(log, "nowhere/figures cannot be");
    expect_contains(log, "folder cannot be");
}

/* ---- Names ---- */

static void a_full_table_counts_under_other(void **state)
{
    (void)state;
    char name[40], *longest = repeated('n', FIGURES_NAME_MAX + 1);
    use();
    for (int i = 0; i < FIGURES_APPS + 10; i++) {
        snprintf(name, sizeof name, "app-%d", i);
        figures_count_token(name, FIGURES_MEMBER);
        figures_count_token(name, FIGURES_MEMBER);
    }
    struct figures *figures = figures_in_use();
    for (int i = 0; i < FIGURES_APPS; i++)
        assert_int_equal(figures->apps[i].counted.tokens[FIGURES_MEMBER], 2);
    assert_int_equal(figures->apps[FIGURES_APPS].counted.tokens[FIGURES_MEMBER], 20);
    figures_count_token(longest, FIGURES_MEMBER);
    assert_int_equal(figures->apps[FIGURES_APPS].counted.tokens[FIGURES_MEMBER], 21);
    free(longest);
}

static void a_name_is_finished_by_the_next_process(void **state)
{
    (void)state;
    char text[FIGURES_NAME_MAX];
    use();
    struct figures *figures = figures_in_use();
    unsigned place = figures_place_of(figures, FIGURES_OF_APPS, SPAN("demo"));
    figures->apps[place].name.length = 0; /* it died in between */
    assert_int_equal(figures_place_of(figures, FIGURES_OF_APPS, SPAN("demo")), place);
    assert_int_equal(figures_name_get(&figures->apps[place].name, text), 4);
    assert_memory_equal(text, "demo", 4);
}

/* The clock went back by days, or forth: what another hour has left in the place goes, and each
 * token is counted in one hour. */
static void hours_survive_a_clock_that_jumps(void **state)
{
    (void)state;
    uint64_t hour = (uint64_t)time(NULL) / 3600;
    use();
    figures_count_token("demo", FIGURES_GUEST);
    struct figures *figures = figures_in_use();
    unsigned place = figures_place_of(figures, FIGURES_OF_APPS, SPAN("demo"));
    struct figures_app *app = &figures->apps[place].counted;
    for (int jump = -1; jump <= 1; jump++) {
        for (uint64_t i = hour; i <= hour + 1; i++) /* should the hour end meanwhile */
            app->hours[FIGURES_GUEST][i % FIGURES_HOURS] =
                (i + (uint64_t)(jump * FIGURES_HOURS)) << 40 | 7;
        figures_count_token("demo", FIGURES_GUEST);
        figures_count_token("demo", FIGURES_GUEST);
        uint64_t seen = 0;
        for (uint64_t i = hour; i <= hour + 1; i++)
            seen += figures_of_hour(app, FIGURES_GUEST, i);
        assert_int_equal(seen, jump == 0 ? 2 * 7 + 2 : 2);
    }
    assert_int_equal(app->tokens[FIGURES_GUEST], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(two_hundred_make_one_file_while_one_is_killed),
        CASE(a_place_is_free_again_when_its_process_is_killed),
        CASE(a_file_cut_short_while_mapped_is_survived_and_replaced),
        CASE(a_file_that_was_removed_is_made_again),
        CASE(broken_files_and_those_of_old_versions_are_replaced),
        CASE(a_newer_version_is_left_alone),
        CASE(a_file_that_anyone_can_write_to_is_not_used),
        CASE(a_file_of_somebody_else_is_kept_beside),
        CASE(what_cannot_be_made_costs_the_figures_only),
        CASE(a_full_table_counts_under_other),
        CASE(a_name_is_finished_by_the_next_process),
        CASE(hours_survive_a_clock_that_jumps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
