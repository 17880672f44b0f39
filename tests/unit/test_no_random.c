/* SPDX-License-Identifier: MIT
 * Where the kernel has no random numbers: nothing is issued, and what needs none goes on. */
#include "api/handler.h"
#include "api/throttle_table.h"
#include "base/clock.h"
#include "base/random.h"
#include "figures/figures.h"
#include "members/cache.h"
#include "members/denied.h"
#include "support.h"
#include "token/ksuid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local bool dry;

ssize_t getrandom(void *out, size_t length, unsigned flags)
{
    if (dry)
        errno = EIO;
    return dry ? -1 : syscall(SYS_getrandom, out, length, flags);
}

/* Uses up what this thread holds. */
static void drain(void)
{
    char byte;
    dry = true;
    while (random_fill(&byte, 1))
        continue;
}

static int stop(void **state)
{
    dry = false;
    return scratch_stop(state);
}

static void no_tokens(void **state)
{
    static const char *const uris[] = {"/v2/apps/me/members/guest-chat-tokens",
                                       "/v2/apps/me/members/1/chat-tokens"};
    struct settings *settings = settings_from(&(struct config_texts){0});
    struct http_response response = {0};
    (void)state;
    drain();
    for (size_t i = 0; i < COUNT(uris); i++) {
        const struct http_request asked = {
            .method = SPAN("POST"),
            .uri = span_of(uris[i]),
            .authorizations = {SPAN("Basic ZGVtby1rZXk6ZGVtby1zZWNyZXQtZGVtbw==")},
            .body = SPAN("{}"),
            .remote_addr = SPAN("192.0.2.7"),
            .deadline = clock_monotonic_ms() + 5000};
        assert_true(handler_serve(settings, &asked, &response));
        assert_int_equal(response.status, 500);
        expect_contains(bytes_string(&response.headers),
                        "X-Request-Id: 00000000000000000000000000000000\r\n");
    }
    http_response_free(&response);
    settings_free(settings);
}

static void no_ids_and_secrets(void **state)
{
    char id[KSUID_LENGTH];
    struct reason why = {0};
    struct bytes secret = {0};
    (void)state;
    drain();
    assert_false(ksuid_new(id));
    assert_null(key_generate(ALGORITHM_HS256, "k", plugins, &secret, &why));
    expect_contains(why.text, "there are no random numbers");
    bytes_free(&secret);
}

/* Their tables would have no seed. */
static void no_tables(void **state)
{
    static const struct cache_settings settings = {100, 60000, 60000, 0};
    struct reason why = {0};
    (void)state;
    const char *path = scratch_write("denied.txt", SPAN("4711\n"));
    drain();
    assert_null(cache_new(&settings));
    assert_null(denied_open(path, "demo", NULL, NULL, &why));
    expect_contains(why.text, "no random numbers");
}

/* Neither would those of members. */
static void no_members(void **state)
{
    struct config_report report = {0};
    (void)state;
    scratch_write_basics();
    const char *path =
        scratch_write("memberchat.conf", span_of(config_text(&(struct config_texts){0})));
    struct settings *settings = settings_read(path, plugins, NULL, &report);
    assert_non_null(settings);
    drain();
    assert_false(settings_open(settings, NULL, false, &report));
    expect_contains(bytes_string(&report.text), "there are no random numbers");
    config_report_free(&report);
    settings_free(settings);
}

static void nothing_is_counted(void **state)
{
    static const struct throttle_limit one = {1, 60000};
    struct throttle_table *table = calloc(1, FIGURES_THROTTLE_SIZE);
    struct throttle_left left;
    (void)state;
    assert_non_null(table);
    drain();
    uint64_t hash = throttle_table_hash(table, 'c', SPAN("192.0.2.7"));
    assert_int_equal(hash, 0);
    for (int i = 0; i < 3; i++) {
        assert_true(throttle_table_take(table, hash, &one, 1000, true, &left));
        throttle_table_fail(table, hash, &one, 1000);
        assert_int_equal(throttle_table_delay(table, hash, 1000), 0);
    }
    free(table);
}

/* Entries are kept as usual; they may expire at the same moment. */
static void caches_go_on(void **state)
{
    static const struct cache_settings settings = {100, 60000, 60000, 0};
    struct cache *cache = cache_new(&settings);
    struct member member = {0};
    int64_t retry_after, now = clock_monotonic_ms();
    (void)state;
    assert_non_null(cache);
    drain();
    assert_int_equal(cache_join(cache, SPAN("a"), now + 1000, &member, &retry_after), 0);
    cache_finish(cache, SPAN("a"), MEMBERCHAT_NOT_FOUND, &member, 0);
    assert_int_equal(cache_find(cache, SPAN("a"), now + 59999, &member), MEMBERCHAT_NOT_FOUND);
    cache_free(cache);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_start, stop)
    const struct CMUnitTest tests[] = {
        TEST(no_tokens),  TEST(no_ids_and_secrets), TEST(no_tables),
        TEST(no_members), TEST(nothing_is_counted), TEST(caches_go_on),
    };
    return cmocka_run_group_tests_name("no_random", tests, NULL, NULL);
}
