/* SPDX-License-Identifier: MIT
 * Look-ups that get no connection or no answer in their time. */
#include "fake_network.h"
#include "fake_services.h"
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct memberchat_store_plugin *plugin;
static struct fake_services fake;
static void *settings, *store;
static int mute[2]; /* servers that take connections and say nothing */
static char uris[2][64];

static int start(void **state)
{
    static const char *const both[] = {uris[0], uris[1]};
    struct fake_result result;
    (void)state;
    plugin = memberchat_store_plugin();
    fake_services_start(&fake);
    fake_network_start();
    settings = fake_settings_new(plugin);
    for (size_t i = 0; i < 2; i++)
        mute[i] = fake_network_listen(uris[i]);
    *(struct memberchat_list *)fake_settings_at(plugin, settings, "uri") =
        (struct memberchat_list){both, 2};
    *(const char **)fake_settings_at(plugin, settings, "base") = "dc=example,dc=com";
    *(int64_t *)fake_settings_at(plugin, settings, "connections") = 2;
    if (!plugin->check(settings, &fake.table, fake_result_start(&result)))
        fail_msg("%s", result.reason);
    store = plugin->open(settings, &fake.table, 0, fake_result_start(&result));
    return store ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    plugin->close(store);
    free(settings);
    fake_services_stop(&fake);
    return close(mute[0]) | close(mute[1]);
}

static void expect_unavailable(int64_t ms, const char *words)
{
    struct fake_result result;
    assert_int_equal(plugin->lookup(store, "m1", 2, within(ms), fake_result_start(&result)),
                     MEMBERCHAT_UNAVAILABLE);
    expect(strstr(result.reason, words), "%s", result.reason);
}

static void *look_up_for_long(void *nothing)
{
    expect_unavailable(5000, "search: ");
    return nothing;
}

/* Begins a look-up in a thread of its own; its connection to a server. */
static int begin(pthread_t *thread_r, void *(*look_up)(void *), int server)
{
    assert_int_equal(pthread_create(thread_r, NULL, look_up, NULL), 0);
    return accept(server, NULL, NULL);
}

static void every_connection_is_in_use(void **state)
{
    pthread_t threads[2];
    (void)state;
    int first = begin(&threads[0], look_up_for_long, mute[0]);
    int second = begin(&threads[1], look_up_for_long, mute[0]);
    expect_unavailable(100, "every connection is in use (connections = 2)");
    close(first);
    close(accept(mute[1], NULL, NULL)); /* where it looks next */
    pthread_join(threads[0], NULL);
    close(second);
    pthread_join(threads[1], NULL);
}

static void *look_up_nobody(void *nothing)
{
    struct fake_result result;
    assert_int_equal(plugin->lookup(store, "m1", 2, within(5000), fake_result_start(&result)),
                     MEMBERCHAT_NOT_FOUND);
    return nothing;
}

static void server_that_failed_is_left_on_all_connections(void **state)
{
    static const char nobody[] = {0x30, 12, 2, 1, 1, 0x65, 7, /* RFC 4511: SearchResultDone */
                                  0x0a, 1,  0, 4, 0, 4,    0};
    pthread_t threads[2];
    char request[1000];
    (void)state;
    int first = begin(&threads[0], look_up_nobody, mute[0]);
    int second = begin(&threads[1], look_up_for_long, mute[0]);
    assert_true(read(first, request, sizeof request) > 0);
    assert_int_equal(write(first, nobody, sizeof nobody), sizeof nobody);
    pthread_join(threads[0], NULL);
    atomic_store(&forward_ms, 1000); /* it is looked at before it is used again */
    close(second);
    close(accept(mute[1], NULL, NULL));
    pthread_join(threads[1], NULL);
    assert_int_equal(read(first, request, sizeof request), 7); /* a good-bye, and no question */
    close(first);
}

/* A server is not to blame for a question that came just before the deadline. */
static void too_little_time(void **state)
{
    (void)state;
    expect_unavailable(50, "");
    assert_int_equal(fake_services_count(&fake, "other servers are asked"), 0);
    expect_unavailable(1000, "search: no answer in time");
    assert_int_equal(fake_services_count(&fake, "other servers are asked"), 1);
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_connection_is_in_use),
        TEST(server_that_failed_is_left_on_all_connections),
        TEST(too_little_time),
    };
    return cmocka_run_group_tests_name("ldap_search", tests, NULL, NULL);
}
