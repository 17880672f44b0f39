/* SPDX-License-Identifier: MIT
 * Members whose tokens are made while each allocation fails in turn: all of what the store and the
 * mapping say, or an error. */
#include "api/handler.h"
#include "base/clock.h"
#include "members/cache.h"
#include "members/denied.h"
#include "short_memory.h"
#include "support.h"

#include <string.h>

static const struct config_texts texts = {
    .store = "cache = { size = 10; ttl = \"1m\" };"
             " member = { name = [ \"{first} {last}\", \"{name}\" ]; avatar = \"https://x/{id}\";"
             " roles = ( { field = \"dept\"; is = \"IT\"; role = \"host\" } ) }",
    .token = "claims = \"claims.json\"",
};

static struct settings *load(void)
{
    struct config_report report = {0};
    scratch_write_basics();
    scratch_write("members.csv", SPAN("appUserId,appUserName,first,last,dept\n1,A,Ann,Lee,IT\n"));
    scratch_write("claims.json", SPAN("{\"dept\":\"{attr.dept}\"}"));
    const char *path = scratch_write("memberchat.conf", span_of(config_text(&texts)));
    struct settings *settings = settings_read(path, plugins, NULL, &report);
    expect(settings && settings_open(settings, NULL, false, &report), "%s",
           bytes_string(&report.text));
    config_report_free(&report);
    return settings;
}

static int serve(const struct settings *settings, struct http_response *response)
{
    const struct http_request asked = {
        .method = SPAN("POST"),
        .uri = SPAN("/v2/apps/me/members/1/chat-tokens"),
        .authorizations = {SPAN("Basic ZGVtby1rZXk6ZGVtby1zZWNyZXQtZGVtbw==")},
        .remote_addr = SPAN("192.0.2.7"),
        .deadline = clock_monotonic_ms() + 5000};
    assert_true(handler_serve(settings, &asked, response));
    return response->body.failed || response->headers.failed ? 500 : response->status;
}

static void expect_whole(struct http_response *response, size_t granted)
{
    const char *body = bytes_string(&response->body);
    expect(strstr(body, "\"userId\":\"1\",\"userName\":\"Ann Lee\",") &&
               strstr(body, "\"avatarProfileUrl\":\"https://x/1\""),
           "after %zu: %s", granted, body);
}

static void members(void **state)
{
    (void)state;
    stderr_catch();
    for (int lasting = 0; lasting < 2; lasting++)
        for (int cached = 0; cached < 2; cached++) {
            bool failed = true;
            for (size_t granted = 0; failed; granted++) {
                struct settings *settings = load(); /* whose cache is empty */
                struct http_response response = {0};
                if (cached)
                    assert_int_equal(serve(settings, &response), 200);
                http_response_free(&response);
                short_memory_start(granted, lasting);
                int status = serve(settings, &response);
                failed = short_memory_stop();
                expect(status == 200 || (failed && (status == 500 || status == 503)),
                       "after %zu: %d", granted, status);
                if (status == 200)
                    expect_whole(&response, granted);
                http_response_free(&response);
                settings_free(settings);
            }
        }
    stderr_caught();
}

/* What cannot be remembered, or not be handed out, is as if it were not there. */
static void caches(void **state)
{
    struct member member = {0};
    int64_t retry_after, now = clock_monotonic_ms();
    bool failed = true;
    const char *what;
    (void)state;
    const struct cache_settings minute = {100, 60000, 60000, 60000};
    struct cache *cache = cache_new(&minute);
    struct member found = {0};
    assert_non_null(cache);
    member_set(&member, MEMBERCHAT_ID, SPAN("a"), &what);
    member_add_attribute(&member, SPAN("dept"), SPAN("IT"), &what);
    for (size_t granted = 0; failed; granted++) {
        assert_int_equal(cache_join(cache, SPAN("a"), now + 60000, &found, &retry_after), 0);
        short_memory_start(granted, true);
        cache_finish(cache, SPAN("a"), MEMBERCHAT_FOUND, &member, 0);
        failed = short_memory_stop();
        enum memberchat_outcome kept = cache_find(cache, SPAN("a"), now, &found);
        assert_true(kept == MEMBERCHAT_FOUND || (kept == 0 && failed));
    }
    for (int stale = 0; stale < 2; stale++) {
        failed = true;
        for (size_t granted = 0; failed; granted++) {
            member_free(&found);
            short_memory_start(granted, true);
            bool got = stale ? cache_find_stale(cache, SPAN("a"), now + 60000 + 1, &found)
                             : cache_find(cache, SPAN("a"), now, &found) == MEMBERCHAT_FOUND;
            failed = short_memory_stop();
            assert_true(got || failed);
            if (got)
                expect_span(member_attribute(&found, SPAN("dept")), "IT");
        }
    }
    member_free(&member);
    member_free(&found);
    cache_free(cache);
}

static void lists_of_the_denied(void **state)
{
    struct bytes list = {0};
    bool failed = true;
    (void)state;
    for (int i = 0; i < 200; i++)
        bytes_addf(&list, "%d\n", i);
    const char *path = scratch_write("denied.txt", bytes_span(&list));
    bytes_free(&list);
    for (size_t granted = 0; failed; granted++) {
        struct reason why = {0};
        short_memory_start(granted, true);
        struct denied *denied = denied_open(path, "demo", NULL, NULL, &why);
        failed = short_memory_stop();
        assert_true(denied || (failed && why.text[0]));
        if (denied)
            assert_true(denied_has(denied, SPAN("0")) && denied_has(denied, SPAN("199")));
        denied_free(denied);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {SCRATCH_TEST(members), cmocka_unit_test(caches),
                                       SCRATCH_TEST(lists_of_the_denied)};
    return cmocka_run_group_tests_name("members_memory", tests, NULL, NULL);
}
