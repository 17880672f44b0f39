/* SPDX-License-Identifier: MIT
 * Names that resolve slowly, wrong or not at all. */
#include "base/resolve.h"

#include "base/clock.h"
#include "fake_network.h"
#include "support.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

static bool grants_no_thread;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *argument)
{
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return grants_no_thread ? EAGAIN : real(thread, attributes, run, argument);
}

static int start(void **state)
{
    (void)state;
    fake_network_start();
    return 0;
}

static enum resolved get(struct resolver *resolver, int64_t ms, struct reason *why)
{
    struct addresses addresses;
    enum resolved result = resolver_get(resolver, within(ms), &addresses, why);
    if (result == RESOLVED_GOOD) {
        assert_int_equal(addresses.count, 1);
        assert_int_equal(ntohs(((struct sockaddr_in *)&addresses.items[0])->sin_port), 389);
    }
    return result;
}

static void names_are_asked_for_once(void **state)
{
    struct resolver *resolver = resolver_new("ldap.example.com", "389");
    struct reason why;
    (void)state;
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(get(resolver, 2000, &why), RESOLVED_GOOD);
    assert_int_equal(atomic_load(&resolver_questions), 1);
    resolver_free(resolver);
}

static void addresses_are_not_asked_for(void **state)
{
    struct resolver *resolver = resolver_new("10.0.0.1", "389");
    struct reason why;
    (void)state;
    assert_int_equal(get(resolver, 0, &why), RESOLVED_GOOD);
    assert_int_equal(atomic_load(&resolver_questions), 0);
    resolver_free(resolver);
}

static void slow_resolver(void **state)
{
    struct resolver *resolver = resolver_new("ldap.example.com", "389");
    struct reason why;
    int64_t began = clock_monotonic_ms();
    (void)state;
    atomic_store(&resolver_delay_ms, 500);
    assert_int_equal(get(resolver, 50, &why), RESOLVED_LATE);
    assert_in_range(clock_monotonic_ms() - began, 45, limit_ms(300));
    assert_int_equal(get(resolver, 10, &why),
                     RESOLVED_LATE); /* the same question is still under way */
    assert_int_equal(atomic_load(&resolver_questions), 1);
    assert_int_equal(get(resolver, 3000, &why), RESOLVED_GOOD);
    resolver_free(resolver);
}

static void freed_while_it_asks(void **state)
{
    struct resolver *resolver = resolver_new("ldap.example.com", "389");
    struct reason why;
    (void)state;
    atomic_store(&resolver_delay_ms, 150);
    assert_int_equal(get(resolver, 10, &why), RESOLVED_LATE);
    resolver_free(resolver);
    pause_ms(300);
}

static void host_that_grants_no_thread(void **state)
{
    struct resolver *resolver = resolver_new("ldap.example.com", "389");
    struct reason why;
    (void)state;
    grants_no_thread = true;
    assert_int_equal(get(resolver, 2000, &why), RESOLVED_FAILED);
    grants_no_thread = false;
    expect_contains(why.text, "no address of ldap.example.com: ");
    assert_int_equal(get(resolver, 2000, &why), RESOLVED_GOOD);
    resolver_free(resolver);
}

static void unknown_name(void **state)
{
    struct resolver *resolver = resolver_new("nowhere.example.com", "389");
    struct reason why;
    (void)state;
    atomic_store(&resolver_failure, EAI_NONAME);
    assert_int_equal(get(resolver, 2000, &why), RESOLVED_FAILED);
    assert_non_null(strstr(why.text, "nowhere.example.com"));
    atomic_store(&resolver_failure, 0);
    assert_int_equal(get(resolver, 2000, &why), RESOLVED_GOOD); /* a failure is not remembered */
    resolver_free(resolver);
}

static void old_addresses_are_better_than_none(void **state)
{
    struct resolver *resolver = resolver_new("ldap.example.com", "389");
    struct reason why;
    (void)state;
    assert_int_equal(get(resolver, 2000, &why), RESOLVED_GOOD);
    atomic_store(&forward_ms, 60000);
    atomic_store(&resolver_failure, EAI_AGAIN);
    for (int i = 0; i < 2; i++) /* and each time it is asked again */
        assert_int_equal(get(resolver, 2000, &why), RESOLVED_GOOD);
    assert_int_equal(atomic_load(&resolver_questions), 3);
    resolver_free(resolver);
}

static void more_addresses_than_are_kept(void **state)
{
    struct resolver *resolver = resolver_new("ldap.example.com", "389");
    struct addresses addresses;
    struct reason why;
    (void)state;
    atomic_store(&resolver_addresses, ADDRESSES_MAX + 1);
    assert_int_equal(resolver_get(resolver, within(2000), &addresses, &why), RESOLVED_GOOD);
    assert_int_equal(addresses.count, ADDRESSES_MAX);
    resolver_free(resolver);
}

static atomic_int srv_length, srv_error;

/* An answer of zeros: it has no records. */
int res_query(const char *name, int class, int type, unsigned char *answer, int length)
{
    int found = atomic_load(&srv_length);
    (void)name;
    (void)class;
    (void)type;
    memset(answer, 0, (size_t)length);
    h_errno = atomic_load(&srv_error);
    return found;
}

static void what_is_no_srv_record(void **state)
{
    static const struct {
        int length, error; /* what res_query() returns, and what it says if that is -1 */
        int told;
    } rows[] = {{-1, HOST_NOT_FOUND, EAI_NONAME},
                {-1, TRY_AGAIN, EAI_AGAIN},
                {12, 0, EAI_NONAME},
                {11, 0, EAI_FAIL},
                {65536, 0, EAI_FAIL}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct resolver *resolver = resolver_new_srv("_ldap._tcp.example.com");
        struct reason why;
        struct srv srv;
        atomic_store(&srv_length, rows[i].length);
        atomic_store(&srv_error, rows[i].error);
        assert_int_equal(resolver_get_srv(resolver, within(2000), &srv, &why), RESOLVED_FAILED);
        expect_contains(why.text, "no SRV record of _ldap._tcp.example.com: ");
        expect_contains(why.text, gai_strerror(rows[i].told));
        resolver_free(resolver);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, NULL)
    const struct CMUnitTest tests[] = {
        TEST(names_are_asked_for_once),
        TEST(addresses_are_not_asked_for),
        TEST(slow_resolver),
        TEST(freed_while_it_asks),
        TEST(host_that_grants_no_thread),
        TEST(unknown_name),
        TEST(old_addresses_are_better_than_none),
        TEST(more_addresses_than_are_kept),
        TEST(what_is_no_srv_record),
    };
    return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
