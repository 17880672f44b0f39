/* SPDX-License-Identifier: MIT
 * Passwords, tokens and certificates in files that change; and whose they may be. */
#include "base/networks.h"
#include "plugins/rest/client.h"
#include "plugins/rest/credentials.h"

#include "fake_services.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct fake_services services;
static struct reason reason;
static struct rest_settings settings;
static struct rest_credentials *credentials;
static char folder[64], path[96];

static int start(void **state)
{
    (void)state;
    fake_services_start(&services);
    settings = (struct rest_settings){0};
    credentials = NULL;
    strcpy(folder, "/tmp/mc-rest-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/secret", folder);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rest_credentials_free(credentials);
    fake_services_stop(&services);
    unlink(path);
    return rmdir(folder);
}

/* Renamed into its place: another file each time. */
static void write_secret(const char *content, mode_t mode)
{
    char fresh[128];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *file = fopen(fresh, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
    assert_int_equal(chmod(fresh, mode), 0);
    assert_int_equal(rename(fresh, path), 0);
}

static void open_credentials(void)
{
    rest_credentials_free(credentials);
    credentials = rest_credentials_new(&settings, &services.table, NULL, true, &reason);
}

static void expect_proof(enum rest_scheme scheme, const char *secret)
{
    struct rest_proof proof;
    assert_int_equal(rest_credentials_take(credentials, INT64_MAX, &proof, &reason),
                     MEMBERCHAT_FOUND);
    assert_int_equal(proof.scheme, scheme);
    assert_string_equal(bytes_string(&proof.secret), secret);
    rest_proof_free(&proof);
}

static void passwords_may_have_blanks(void **state)
{
    (void)state;
    settings.username = "Aladdin";
    settings.password_file = path;
    write_secret("open sesame\n", 0600);
    open_credentials();
    assert_non_null(credentials);
    expect_proof(REST_BASIC, "open sesame");
}

static void ends_of_lines(void **state)
{
    static const char *const contents[] = {"t0ken", "t0ken\n", "t0ken\r\n"};
    (void)state;
    settings.bearer_token_file = path;
    for (size_t i = 0; i < COUNT(contents); i++) {
        write_secret(contents[i], 0600);
        open_credentials();
        assert_non_null(credentials);
        expect_proof(REST_BEARER, "t0ken");
    }
}

static void what_is_refused(void **state)
{
    char *large = calloc(3, 9000);
    const size_t most = 8192;
    const struct {
        const char *content, *complaint;
        mode_t mode;
    } rows[] = {
        {"", "is empty", 0600},
        {"\n", "is empty", 0600},
        {"a\nb", "byte 2", 0600},
        {"a\n\n", "byte 2", 0600},
        {"a b", "byte 2", 0600},
        {"a\tb", "byte 2", 0600},
        {"t\xc3\xb6ken", "byte 2", 0600},
        {"a\r\nX: y", "byte 3", 0600},
        {"token", "any user of this machine can write", 0602},
        {"toke\x7f", "byte 5", 0600},
        {memset(large, 'x', 8999), "larger than", 0600},
        {memset(large + 9000, 'x', most + 1), "larger than", 0600},
        {memset(large + 18000, 'x', most + 2), "larger than", 0600},
    };
    (void)state;
    settings.bearer_token_file = path;
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_secret(rows[i].content, rows[i].mode);
        open_credentials();
        if (credentials || !strstr(reason.text, rows[i].complaint))
            fail_msg("row %zu: %s", i, reason.text);
        assert_null(strstr(reason.text, "xxx"));
    }
    unlink(path);
    open_credentials();
    assert_null(credentials);
    assert_non_null(strstr(reason.text, "No such file"));
    assert_int_equal(mkdir(path, 0700), 0);
    open_credentials();
    assert_null(credentials);
    assert_non_null(strstr(reason.text, "is not a file"));
    rmdir(path);
    assert_int_equal(mkfifo(path, 0600), 0); /* nobody writes, and we do not wait */
    open_credentials();
    assert_null(credentials);
    free(large);
}

static void changes(void **state)
{
    (void)state;
    settings.bearer_token_file = path;
    write_secret("one", 0600);
    open_credentials();
    struct rest_proof first;
    rest_credentials_take(credentials, INT64_MAX, &first, &reason);
    assert_false(rest_credentials_renew(credentials, &first));
    write_secret("two", 0600);
    assert_true(rest_credentials_renew(credentials, &first));
    assert_true(rest_credentials_renew(credentials, &first)); /* another thread's view */
    rest_proof_free(&first);
    expect_proof(REST_BEARER, "two");
    write_secret("", 0600);
    for (int i = 0; i < 3; i++)
        rest_credentials_refresh(credentials);
    expect_proof(REST_BEARER, "two");
    unlink(path);
    for (int i = 0; i < 3; i++)
        rest_credentials_refresh(credentials);
    expect_proof(REST_BEARER, "two");
    assert_int_equal(fake_services_count(&services, "the old one stays in use"), 2);
    write_secret("three", 0604);
    rest_credentials_refresh(credentials);
    expect_proof(REST_BEARER, "three");
    assert_int_equal(fake_services_count(&services, "chmod o-rwx"), 1);
    assert_int_equal(fake_services_count(&services, "three"), 0);
}

/* As cp -p and rsync -t write it: other content, and neither size nor time tells. */
static void changes_that_keep_size_and_time(void **state)
{
    struct stat before;
    (void)state;
    settings.bearer_token_file = path;
    write_secret("one", 0600);
    open_credentials();
    assert_int_equal(stat(path, &before), 0);
    const struct timespec pause = {.tv_nsec = 20000000}; /* the clock of files is coarse */
    nanosleep(&pause, NULL);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fputs("two", file);
    fclose(file);
    const struct timespec times[] = {before.st_atim, before.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    rest_credentials_refresh(credentials);
    expect_proof(REST_BEARER, "two");
}

static void none(void **state)
{
    (void)state;
    open_credentials();
    expect_proof(REST_ANONYMOUS, "");
    assert_false(rest_credentials_renew(credentials, &(struct rest_proof){0}));
    assert_false(rest_credentials_tls_changed(credentials));
    assert_false(rest_proof_is_in(&(struct rest_proof){0}, &settings, span_of("text")));
}

static void secrets_in_a_text(void **state)
{
    static const char *const headers[] = {"X-Key:  hidden-key", "X-Short: ab"};
    (void)state;
    settings.headers = (struct memberchat_list){headers, 2};
    settings.username = "Aladdin";
    settings.password_file = path;
    write_secret("open sesame", 0600);
    open_credentials();
    struct rest_proof proof;
    rest_credentials_take(credentials, INT64_MAX, &proof, &reason);
    write_secret("another", 0600); /* what was sent counts */
    rest_credentials_refresh(credentials);
    static const char *const leaks[] = {"open sesame", "<p>open sesame</p>",
                                        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "x hidden-key x"},
                             *const fine[] = {"", "open sesam", "Aladdin", "ab", "hidden"};
    for (size_t i = 0; i < COUNT(leaks); i++)
        assert_true(rest_proof_is_in(&proof, &settings, span_of(leaks[i])));
    for (size_t i = 0; i < COUNT(fine); i++)
        assert_false(rest_proof_is_in(&proof, &settings, span_of(fine[i])));
    rest_proof_free(&proof);
}

static void certificates(void **state)
{
    (void)state;
    settings.ca_file = path;
    write_secret("no certificate", 0644);
    open_credentials();
    assert_null(credentials);
    assert_non_null(strstr(reason.text, "holds no certificate in PEM"));
    write_secret("-----BEGIN CERTIFICATE-----\n", 0644);
    open_credentials();
    assert_non_null(credentials);
    assert_false(rest_credentials_tls_changed(credentials));
    write_secret("-----BEGIN CERTIFICATE----- \n", 0644);
    assert_true(rest_credentials_tls_changed(credentials));
    assert_false(rest_credentials_tls_changed(credentials));
    settings.cert_file = path;
    open_credentials();
    assert_null(credentials);
    assert_non_null(strstr(reason.text, "holds no private key in PEM"));
    write_secret("-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n", 0640);
    open_credentials();
    assert_non_null(credentials);
}

/* ---- Where they may go ---- */

static void same_places(void **state)
{
    static const struct {
        const char *from, *to;
        bool same;
    } rows[] = {
        {"http://a/x", "http://a/y", true},
        {"http://a/x", "http://A:80/y?z", true},
        {"https://a/", "https://a:443/", true},
        {"http://a/", "https://a/", true},
        {"http://a:8080/", "https://a:8443/", true},
        {"https://a/", "http://a/", false},
        {"https://a/", "https://a:444/", false},
        {"http://a:1/", "http://a:2/", false},
        {"http://a/", "http://b/", false},
        {"http://a/", "http://a.b/", false},
        {"http://a/", "http://a@b/", false},
        {"http://a/", "http://b@a/", false},
        {"http://a/", "http://a.", false},
        {"http://a/", "ftp://a/", false},
        {"http://a/", "file://a/", false},
        {"http://a/", "file:///etc/passwd", false},
        {"http://a/", "gopher://a:80/", false},
        {"http://a/", "//a/", false},
        {"http://a/", "/x", false},
        {"http://a/", "", false},
        {"http://a/", "http://", false},
        {"http://127.0.0.1/", "http://127.0.0.2/", false},
        {"http://[::1]/", "http://[::1]/x", true},
        {"http://[::1]/", "http://[::2]/x", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rest_place from, to;
        assert_int_equal(rest_place_read(rows[i].from, &from), REST_URL_GOOD);
        bool same =
            rest_place_read(rows[i].to, &to) == REST_URL_GOOD && rest_place_may_lead_to(&from, &to);
        if (same != rows[i].same)
            fail_msg("%s and %s", rows[i].from, rows[i].to);
    }
}

static void loopback(void **state)
{
    static const struct {
        const char *url;
        bool loopback;
    } rows[] = {
        {"http://localhost/", true},
        {"http://LOCALHOST:1/", true},
        {"http://127.0.0.1/", true},
        {"http://127.8.9.10:80/x", true},
        {"http://[::1]/", true},
        {"http://localhost.example.com/", false},
        {"http://127.0.0.1.nip.io/", false},
        {"http://127.example.com/", false},
        {"http://128.0.0.1/", false},
        {"http://[::2]/", false},
        {"http://0.0.0.0/", false},
        {"http://127.0.0.1@example.com/", false},
    };
    (void)state;
    struct rest_place place;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rest_place_read(rows[i].url, &place) != REST_URL_GOOD || rest_place_is_https(&place) ||
            network_is_loopback(place.host) != rows[i].loopback)
            fail_msg("%s", rows[i].url);
    assert_int_equal(rest_place_read("https://u:p@a/", &place), REST_URL_GOOD);
    assert_true(rest_place_is_https(&place) && place.credentials);
    assert_int_equal(rest_place_read("a/b", &place), REST_URL_BAD);
    assert_int_equal(rest_place_read("", &place), REST_URL_BAD);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(passwords_may_have_blanks),
        CASE(ends_of_lines),
        CASE(what_is_refused),
        CASE(changes),
        CASE(changes_that_keep_size_and_time),
        CASE(none),
        CASE(secrets_in_a_text),
        CASE(certificates),
        CASE(same_places),
        CASE(loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
