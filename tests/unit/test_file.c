/* SPDX-License-Identifier: MIT
 * Files of secrets and of PEM, where links lead, and what to do about a file that cannot be
 * written. */
#include "base/file.h"

#include "support.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void line_ends(void **state)
{
    (void)state;
    assert_int_equal(file_line_length(SPAN("")), 0);
    assert_int_equal(file_line_length(SPAN("\n")), 0);
    assert_int_equal(file_line_length(SPAN("\r\n")), 0);
    assert_int_equal(file_line_length(SPAN("a\r\n")), 1);
    assert_int_equal(file_line_length(SPAN("a\n\n")), 2);
    assert_int_equal(file_line_length(SPAN("a\r")), 2);
}

static void folders(void **state)
{
    (void)state;
    expect_span(file_folder("/a/b"), "/a");
    expect_span(file_folder("/a"), "/");
    expect_span(file_folder("a"), ".");
}

static void secrets_have_a_limit_and_a_mode(void **state)
{
    struct bytes out = {0};
    struct reason why;
    bool exposed;
    (void)state;
    const char *path = scratch_write_mode("secret", SPAN("12345"), 0600);
    assert_true(file_read_secret(path, 5, &out, &exposed, &why));
    assert_false(exposed);
    expect_span(bytes_span(&out), "12345");
    bytes_reset(&out);
    assert_false(file_read_secret(path, 4, &out, &exposed, &why));
    expect_contains(why.text, "is larger than 4 bytes");
    assert_int_equal(chmod(path, 0644), 0);
    bytes_reset(&out);
    assert_true(file_read_secret(path, 5, &out, &exposed, &why));
    assert_true(exposed);
    assert_int_equal(chmod(path, 0646), 0);
    assert_false(file_read_secret(path, 5, &out, &exposed, &why));
    expect_contains(why.text, "(mode 0646): make a new one");
    assert_false(file_read_secret(scratch_path(""), 5, &out, &exposed, &why));
    expect_contains(why.text, "is not a file");
    bytes_free(&out);
}

static void lines_of_secrets(void **state)
{
    static const struct {
        struct span text;
        const char *line, *reason; /* NULL: none */
    } rows[] = {
        {LITERAL("1234"), "1234", NULL},
        {LITERAL("1234\n"), "1234", NULL},
        {LITERAL("1234\r\n"), "1234", NULL},
        {LITERAL("123\r"), "123\r", NULL},
        {LITERAL(" \xff"), " \xff", NULL},
        {LITERAL(""), NULL, "secret is empty"},
        {LITERAL("\r\n"), NULL, "secret is empty"},
        {LITERAL("12345"), NULL, "secret is larger than 4 bytes"},
        {LITERAL("12345\n"), NULL, "secret is larger than 4 bytes"},
        {LITERAL("1234567"), NULL, "secret is larger than 6 bytes"},
        {LITERAL("1\n2\n"), NULL, "secret must be one line of text; byte 2 is not"},
        {LITERAL("123\n\n"), NULL, "secret must be one line of text; byte 4 is not"},
        {LITERAL("1\0"), NULL, "secret must be one line of text; byte 2 is not"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes out = {0};
        struct reason why = {""};
        bool exposed;
        const char *path = scratch_write_mode("secret", rows[i].text, 0604);
        bool good = file_read_line(path, 4, &out, &exposed, &why);
        expect(good == !rows[i].reason, "row %zu: %s", i, why.text);
        expect(good ? exposed && span_equal(bytes_span(&out), span_of(rows[i].line))
                    : strstr(why.text, rows[i].reason) != NULL,
               "row %zu: %s", i, why.text);
        bytes_free(&out);
    }
}

static void whether_an_error_passes(void **state)
{
    struct bytes out = {0};
    struct reason why;
    bool exposed;
    const char *path = scratch_write_mode("secret", SPAN("1234"), 0600);
    (void)state;
    descriptors_end();
    bool good = file_read_line(path, 4, &out, &exposed, &why);
    int error = errno;
    descriptors_begin();
    assert_true(!good && file_error_passes(error));
    assert_false(file_read_line(path, 3, &out, &exposed, &why) || file_error_passes(errno));
    assert_false(file_read_line(scratch_path(""), 4, &out, &exposed, &why) ||
                 file_error_passes(errno));
    assert_int_equal(unlink(path), 0);
    assert_false(file_read_line(path, 4, &out, &exposed, &why) || file_error_passes(errno));
    bytes_free(&out);
}

static void what_is_pem(void **state)
{
    static const struct {
        struct span text;
        enum file_pem wanted;
        bool good;
    } rows[] = {
        {LITERAL("-----BEGIN CERTIFICATE-----\n"), FILE_CERTIFICATE, true},
        {LITERAL("text\n-----BEGIN CERTIFICATE----- \t\r\nMII"), FILE_CERTIFICATE, true},
        {LITERAL("-----BEGIN TRUSTED CERTIFICATE-----"), FILE_CERTIFICATE, true},
        {LITERAL("-----BEGIN EC PRIVATE KEY-----\n"), FILE_PRIVATE_KEY, true},
        {LITERAL("-----BEGIN PRIVATE KEY-----\n"), FILE_CERTIFICATE, false},
        {LITERAL(" -----BEGIN CERTIFICATE-----\n"), FILE_CERTIFICATE, false},
        {LITERAL("-----BEGIN CERTIFICATE\n-----\n"), FILE_CERTIFICATE, false},
        {LITERAL("CERTIFICATE-----\n \n\t\n\n"), FILE_CERTIFICATE, false},
        {LITERAL(""), FILE_CERTIFICATE, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reason why = {""};
        bool exposed;
        const char *path = scratch_write_mode("pem", rows[i].text, 0600);
        expect(file_check_pem(path, rows[i].wanted, &exposed, &why) == rows[i].good, "row %zu: %s",
               i, why.text);
        expect(rows[i].good || strstr(why.text, " in PEM"), "row %zu: %s", i, why.text);
    }
}

static void link_to(const char *name, const char *to)
{
    const char *path = scratch_path(name);
    unlink(path);
    assert_int_equal(symlink(to, path), 0);
}

static void links_are_followed(void **state)
{
    char to[PATH_MAX], *longest = repeated('x', 4095), *longer = repeated('x', PATH_MAX);
    (void)state;
    assert_true(file_destination("nowhere", to));
    assert_string_equal(to, "nowhere");
    link_to("one", "two");
    link_to("two", scratch_path("three"));
    assert_true(file_destination(scratch_path("one"), to));
    assert_string_equal(to, scratch_path("three"));
    assert_int_equal(chdir(scratch_path("")), 0);
    assert_true(file_destination("one", to));
    assert_string_equal(to, scratch_path("three"));
    assert_int_equal(chdir("/"), 0);

    link_to("round", "round");
    assert_false(file_destination(scratch_path("round"), to));
    assert_int_equal(errno, ELOOP);
    assert_false(file_destination(longer, to));
    assert_int_equal(errno, ENAMETOOLONG);
    link_to("long", longest);
    assert_false(file_destination(scratch_path("long"), to));
    assert_int_equal(errno, ENAMETOOLONG);
    free(longest);
    free(longer);
}

static void what_to_do_is_told(void **state)
{
    char *deep = repeated('d', 1000), path[1100];
    const struct {
        const char *path;
        int error;
        const char *told;
    } rows[] = {
        {"/nowhere/a/file", ENOENT, "make its folder, and give it to the web server's user: mkdir"},
        {"/nowhere/a/file", EACCES, "enter each folder above it"},
        {"/tmp/nothing-here", EACCES, "give its folder to the user that memberchat runs as: chown"},
        {"/tmp", EACCES, "give it to the user that memberchat runs as: chown"},
        {"/tmp/nothing-here", ENOENT, "name a file in a folder that the web server's user"},
        {"/tmp/nothing-here", EROFS, "name a file in a folder"},
        {"/tmp/nothing-here", ENXIO, "name a file in a folder"},
        {"/tmp/nothing-here", ENOTSUP, "name a file in a folder"},
        {"/tmp/nothing-here", EISDIR, "name a file in a folder"},
        {"/tmp/nothing-here", ENOTDIR, "name a file in a folder"},
        {"/tmp/nothing-here", ENOSPC, "make room for it"},
        {"/tmp/nothing-here", EDQUOT, "make room for it"},
        {"/tmp/nothing-here", ELOOP, "it is a symbolic link that is not followed"},
        {"/tmp/nothing-here", EIO, "Input/output error"},
        {path, ENOENT, "make its folder, and give it to the web server's user"},
    };
    (void)state;
    snprintf(path, sizeof path, "/nowhere/%s/file", deep);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reason why;
        file_explain_unwritable(rows[i].path, rows[i].error, &why);
        expect(strstr(why.text, rows[i].told), "row %zu: %s", i, why.text);
        expect(rows[i].path != path || !strstr(why.text, "mkdir"), "a command that is cut");
    }
    free(deep);
}

static void where_a_link_leads_is_told(void **state)
{
    struct reason why;
    (void)state;
    link_to("one", "/nowhere/file");
    file_explain_unwritable(scratch_path("one"), ENOENT, &why);
    expect_contains(why.text, "it is a link to /nowhere/file: ");
    expect_contains(why.text, "mkdir -p /nowhere; chown ");
    link_to("round", "round");
    file_explain_unwritable(scratch_path("round"), ELOOP, &why);
    expect_contains(why.text, "name the file itself");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_ends),
        cmocka_unit_test(folders),
        SCRATCH_TEST(secrets_have_a_limit_and_a_mode),
        SCRATCH_TEST(lines_of_secrets),
        SCRATCH_TEST(whether_an_error_passes),
        SCRATCH_TEST(what_is_pem),
        SCRATCH_TEST(links_are_followed),
        cmocka_unit_test(what_to_do_is_told),
        SCRATCH_TEST(where_a_link_leads_is_told),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
