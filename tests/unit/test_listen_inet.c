/* SPDX-License-Identifier: MIT
 * Sockets of the network, and addresses that are none. */
#include "server/listen.h"

#include "support.h"

#include <fcntl.h>
#include <unistd.h>

static void inet_addresses(void **state)
{
    struct listener listener, second;
    struct bytes address = {0};
    struct reason why;
    (void)state;
    bytes_addf(&address, "127.0.0.1:%d", free_port());
    expect(listen_open(bytes_string(&address), &listener, &why), "%s", why.text);
    expect(listen_take_place(&listener, &why), "%s", why.text);
    assert_false(fcntl(listener.fd, F_GETFL) & O_NONBLOCK);
    assert_string_equal(listener.address.sun_path, "");
    listen_remove_path(&listener);
    assert_false(listen_open(bytes_string(&address), &second, &why));
    expect_contains(why.text, "Address already in use");
    close(listener.fd);
    bytes_free(&address);
}

static void addresses_that_are_none(void **state)
{
    static const char *const texts[] = {"",
                                        "9000",
                                        ":9000",
                                        "localhost:9000",
                                        "127.0.0.1",
                                        "127.0.0.1:",
                                        "127.0.0.1:0",
                                        "127.0.0.1:65536",
                                        "127.0.0.1:x",
                                        "127.0.0.1:90x",
                                        "::1:9000",
                                        "[::1]",
                                        "[::1:9000",
                                        "[]:80",
                                        "[127.0.0.1]:80",
                                        "/run/sock",
                                        "unix",
                                        "unix:",
                                        "1111111111111111111111111111111111111111111111111:1"};
    struct listener listener;
    struct reason why;
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        expect(!listen_open(texts[i], &listener, &why), "%s was taken", texts[i]);
        expect_contains(why.text, "is not an address: write unix:/path/to/socket");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inet_addresses),
        cmocka_unit_test(addresses_that_are_none),
    };
    return cmocka_run_group_tests_name("listen_inet", tests, NULL, NULL);
}
