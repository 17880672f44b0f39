/* SPDX-License-Identifier: MIT
 * Sockets of the network, and addresses that are none. */
#include "server/listen.h"

#include "support.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int free_port(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof any;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &length), 0);
    close(fd);
    return ntohs(any.sin_port);
}

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
