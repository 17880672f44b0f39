/* SPDX-License-Identifier: MIT
 * Where the kit is, and how its programs are started.  What is found depends on the file that runs,
 * so copies of this program do the finding; $KIT_ROLE says what a copy is to do. */
#include "host/kit.h"

#include "support.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- In a copy ---- */

static void print_variable(const char *name)
{
    const char *value = getenv(name);
    printf("%s=%s\n", name, value ? value : "");
}

static int find(void)
{
    kit_find();
    bool good = kit_offer_paths();
    printf("program=%s\n", kit_program_name());
    print_variable("MEMBERCHAT_HOME");
    print_variable("MEMBERCHAT_CONF");
    print_variable("MEMBERCHAT_PLUGIN_DIR");
    return good ? 0 : 1;
}

static int start(char **argv)
{
    struct reason why = {0};
    kit_find();
    kit_exec("memberchat.fcgi", argv, &why);
    printf("%s\n", why.text);
    return 1;
}

static int tell(void)
{
    kit_find();
    kit_keep_errors();
    fputs("a line of the log\n", stderr);
    return 0;
}

static int act(const char *role, char **argv)
{
    const char *error = getenv("KIT_NO_LINKS"); /* as where /proc is not mounted */
    if (error && !forbid_call(SYS_readlink, 0, 0, atoi(error)))
        return 1;
    if (getenv("KIT_USER") && setuid((uid_t)atoi(getenv("KIT_USER"))) != 0)
        return 1;
    return strcmp(role, "find") == 0 ? find() : strcmp(role, "start") == 0 ? start(argv) : tell();
}

/* ---- Copies ---- */

static void make_folder(const char *name)
{
    assert_int_equal(mkdir(scratch_path(name), 0755), 0);
}

/* A copy of the running program in the scratch folder. */
static void make_program(const char *name)
{
    char block[65536];
    const char *path = scratch_path(name);
    FILE *in = fopen("/proc/self/exe", "rb"), *out = fopen(path, "wb");
    assert_non_null(in);
    assert_non_null(out);
    for (size_t length; (length = fread(block, 1, sizeof block, in)) > 0;)
        assert_int_equal(fwrite(block, 1, length, out), length);
    fclose(in);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(path, 0755), 0);
}

/* What a copy prints, with assignments of the shell in front. */
static const char *run(const char *role, const char *variables, const char *name,
                       const char *arguments)
{
    static char output[8192];
    char line[16384];
    snprintf(line, sizeof line, "unset MEMBERCHAT_HOME; KIT_ROLE=%s %s '%s' %s 2>&1", role,
             variables, scratch_path(name), arguments);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    size_t length = fread(output, 1, sizeof output - 1, pipe);
    output[length] = '\0';
    pclose(pipe);
    return output;
}

static void expect_home(const char *output, const char *name)
{
    char line[4096];
    snprintf(line, sizeof line, "MEMBERCHAT_HOME=%s\n", name ? scratch_path(name) : "");
    expect_contains(output, line);
    snprintf(line, sizeof line, "MEMBERCHAT_CONF=%s%s\n", name ? scratch_path(name) : "",
             name ? "/memberchat.conf" : "");
    expect_contains(output, line);
}

/* A kit beside the folder of the web server, as it is unpacked. */
static void make_site(void)
{
    make_folder("memberchat");
    make_folder("memberchat/lib");
    make_folder("memberchat/log");
    make_folder("www");
    make_folder("www/chat-api");
    scratch_write("memberchat/memberchat.conf", SPAN(""));
    make_program("www/chat-api/memberchat.cgi");
}

/* ---- Cases ---- */

static void upwards(void **state)
{
    (void)state;
    make_site();
    const char *output = run("find", "", "www/chat-api/memberchat.cgi", "");
    expect_home(output, "memberchat");
    expect_contains(output, "program=memberchat.cgi\n");
    make_folder("www/memberchat"); /* no kit, but nearer */
    expect_home(run("find", "", "www/chat-api/memberchat.cgi", ""), "memberchat");
    scratch_write("www/memberchat/memberchat.conf", SPAN(""));
    expect_home(run("find", "", "www/chat-api/memberchat.cgi", ""), "www/memberchat");
}

static void of_another_user(void **state)
{
    (void)state;
    if (geteuid() != 0)
        return;
    make_site();
    assert_int_equal(chown(scratch_path("www/chat-api/memberchat.cgi"), 12345, 12345), 0);
    expect_home(run("find", "", "www/chat-api/memberchat.cgi", ""), "memberchat"); /* root's */
    assert_int_equal(chown(scratch_path("memberchat"), 12346, 12346), 0);
    expect_home(run("find", "", "www/chat-api/memberchat.cgi", ""), NULL);
    assert_int_equal(chown(scratch_path("memberchat"), 12345, 12345), 0);
    expect_home(run("find", "", "www/chat-api/memberchat.cgi", ""), "memberchat");
}

static void named_by_a_file(void **state)
{
    (void)state;
    make_site();
    make_folder("elsewhere");
    scratch_write("www/chat-api/memberchat.home", SPAN("../../elsewhere\r\nignored\n"));
    expect_home(run("find", "", "www/chat-api/memberchat.cgi", ""), "elsewhere");
    char absolute[4096];
    int length = snprintf(absolute, sizeof absolute, "%s", scratch_path("elsewhere"));
    scratch_write("www/chat-api/memberchat.home", (struct span){absolute, (size_t)length});
    expect_home(run("find", "", "www/chat-api/memberchat.cgi", ""), "elsewhere");
    /* a file that leads nowhere is no kit; the search goes on */
    scratch_write("www/chat-api/memberchat.home", SPAN("../nowhere\n"));
    expect_home(run("find", "", "www/chat-api/memberchat.cgi", ""), "memberchat");
    scratch_write("www/chat-api/memberchat.home", SPAN("\n"));
    expect_home(run("find", "", "www/chat-api/memberchat.cgi", ""), "memberchat");
    char *far = repeated('x', 5000);
    scratch_write("www/chat-api/memberchat.home", span_of(far));
    expect_home(run("find", "", "www/chat-api/memberchat.cgi", ""), "memberchat");
    scratch_write("www/chat-api/memberchat.home", (struct span){far, PATH_MAX - 2});
    expect_home(run("find", "", "www/chat-api/memberchat.cgi", ""), "memberchat");
    free(far);
    assert_int_equal(unlink(scratch_path("www/chat-api/memberchat.home")), 0);
    make_folder("www/chat-api/memberchat.home");
    expect_home(run("find", "", "www/chat-api/memberchat.cgi", ""), "memberchat");
}

static void named_by_the_environment(void **state)
{
    char variables[4096];
    (void)state;
    make_site();
    make_folder("other");
    snprintf(variables, sizeof variables, "MEMBERCHAT_HOME='%s'", scratch_path("other"));
    expect_home(run("find", variables, "www/chat-api/memberchat.cgi", ""), "other");
    snprintf(variables, sizeof variables, "MEMBERCHAT_HOME='%s' MEMBERCHAT_CONF=/etc/x.conf",
             scratch_path("other"));
    expect_contains(run("find", variables, "www/chat-api/memberchat.cgi", ""),
                    "MEMBERCHAT_CONF=/etc/x.conf\n");
    expect_home(run("find", "MEMBERCHAT_HOME=", "www/chat-api/memberchat.cgi", ""), "memberchat");
}

/* The kernel tells the path, too, which may be one that cannot be followed. */
static void without_proc(void **state)
{
    char variables[64];
    (void)state;
    make_site();
    snprintf(variables, sizeof variables, "KIT_NO_LINKS=%d", EINVAL);
    const char *output = run("find", variables, "www/chat-api/memberchat.cgi", "");
    expect_home(output, "memberchat");
    expect_contains(output, "program=memberchat.cgi\n");
    snprintf(variables, sizeof variables, "KIT_NO_LINKS=%d", ENOENT);
    output = run("find", variables, "www/chat-api/memberchat.cgi", "");
    expect_home(output, NULL);
    expect_contains(output, "program=\n");
}

static void starts_with_the_loader(void **state)
{
    char wanted[4096], arguments[4096] = "one 'two words'";
    (void)state;
    make_site();
    scratch_write_mode("memberchat/lib/ld-linux-x86-64.so.2",
                       SPAN("#!/bin/sh\nprintf '<%s>' \"$@\" \"$GCONV_PATH\"\n"), 0644);
    /* an upload has lost the x bit */
    const char *output = run("start", "", "www/chat-api/memberchat.cgi", arguments);
    snprintf(wanted, sizeof wanted,
             "<--library-path><%s/lib><%s/lib/memberchat.fcgi><one><two words><%s/lib/gconv>",
             scratch_path("memberchat"), scratch_path("memberchat"), scratch_path("memberchat"));
    expect_contains(output, wanted);
    for (int i = 0; i < 100; i++) /* as many as fit, and no more */
        strcat(arguments, " x");
    output = run("start", "", "www/chat-api/memberchat.cgi", arguments);
    expect_contains(output, "<x><x><x><x><x>");
}

static void cannot_start(void **state)
{
    (void)state;
    make_site();
    expect_contains(run("start", "", "www/chat-api/memberchat.cgi", ""),
                    "memberchat/lib/ld-linux-x86-64.so.2 cannot be started: No such file");
    assert_int_equal(unlink(scratch_path("memberchat/memberchat.conf")), 0);
    expect_contains(run("start", "", "www/chat-api/memberchat.cgi", ""),
                    "/no-such/memberchat.fcgi cannot be started: No such file");
}

/* As another user, who cannot give the loader its x bit back. */
static void cannot_start_what_is_not_executable(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    make_site();
    assert_int_equal(chmod(scratch_path("."), 0755), 0);
    scratch_write_mode("memberchat/lib/ld-linux-x86-64.so.2", SPAN("#!/bin/sh\n"), 0644);
    expect_contains(run("start", "KIT_USER=12345", "www/chat-api/memberchat.cgi", ""),
                    "memberchat/lib/ld-linux-x86-64.so.2 cannot be started: ");
}

/* A folder whose path has so many bytes; its name, as scratch_path() takes it. */
static const char *make_deep(size_t length)
{
    static char path[PATH_MAX];
    size_t front = strlen(scratch_path("")), at = (size_t)sprintf(path, "%s", scratch_path("d"));
    assert_int_equal(mkdir(path, 0755), 0);
    while (at < length) {
        size_t part = length - at - 1 < 202 ? length - at - 1 : 200;
        path[at++] = '/';
        memset(path + at, 'x', part);
        at += part;
        path[at] = '\0';
        assert_int_equal(mkdir(path, 0755), 0);
    }
    return path + front;
}

/* Makes room for another one; a longer name would be too long to be removed. */
static void put_away(void)
{
    static char name[] = "1";
    assert_int_equal(rename(scratch_path("d"), scratch_path(name)), 0);
    ++*name;
}

/* A path that would be longer than the kernel takes leads nowhere. */
static void far_down(void **state)
{
    static const struct {
        size_t length;
        const char *role, *lacks;
    } rows[] = {{PATH_MAX - 11, "find", "memberchat.conf\n"},
                {PATH_MAX - 11, "start", "No such file"},
                {PATH_MAX - 23, "start", "No such file"}};
    char variables[PATH_MAX + 64], program[PATH_MAX + 8];
    (void)state;
    make_site();
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(variables, sizeof variables, "MEMBERCHAT_HOME='%s'",
                 scratch_path(make_deep(rows[i].length)));
        const char *output = run(rows[i].role, variables, "www/chat-api/memberchat.cgi", "");
        expect_contains(output, "/xxx");
        expect_lacks(output, rows[i].lacks);
        put_away();
    }
    assert_string_equal(run("tell", variables, "www/chat-api/memberchat.cgi", ""),
                        "a line of the log\n");
    for (size_t length = PATH_MAX - 16; length <= PATH_MAX - 6; length += 10) {
        snprintf(program, sizeof program, "%s/p", make_deep(length));
        make_program(program);
        expect_home(run("find", "", program, ""), "memberchat");
        put_away();
    }
}

static void keeps_errors(void **state)
{
    (void)state;
    make_site();
    assert_string_equal(run("tell", "", "www/chat-api/memberchat.cgi", ""), "");
    assert_string_equal(scratch_read(scratch_path("memberchat/log/memberchat.log")),
                        "a line of the log\n");
    assert_int_equal(unlink(scratch_path("memberchat/log/memberchat.log")), 0);
    assert_int_equal(rmdir(scratch_path("memberchat/log")), 0);
    expect_contains(run("tell", "", "www/chat-api/memberchat.cgi", ""), "a line of the log\n");
    assert_int_equal(unlink(scratch_path("memberchat/memberchat.conf")), 0);
    expect_contains(run("tell", "", "www/chat-api/memberchat.cgi", ""), "a line of the log\n");
}

int main(int argc, char **argv)
{
    const char *role = getenv("KIT_ROLE");
    if (argc > 0 && role)
        return act(role, argv);
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(upwards),         SCRATCH_TEST(of_another_user),
        SCRATCH_TEST(named_by_a_file), SCRATCH_TEST(named_by_the_environment),
        SCRATCH_TEST(without_proc),    SCRATCH_TEST(starts_with_the_loader),
        SCRATCH_TEST(cannot_start),    SCRATCH_TEST(cannot_start_what_is_not_executable),
        SCRATCH_TEST(far_down),        SCRATCH_TEST(keeps_errors),
    };
    return cmocka_run_group_tests_name("kit", tests, NULL, NULL);
}
