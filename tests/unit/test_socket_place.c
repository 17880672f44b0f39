/* SPDX-License-Identifier: MIT
 * Texts that name a socket, and sockets that cannot be made what they say. */
#include "server/socket_place.h"

#include "support.h"

#include <stdlib.h>
#include <string.h>

static struct socket_place place;
static struct reason why;

static void texts(void **state)
{
    (void)state;
    assert_true(socket_place_parse("/s", &place, &why));
    assert_int_equal(place.mode, SOCKET_MODE);
    assert_false(place.has_group);
    assert_true(socket_place_parse("/s,group=12345,mode=0600", &place, &why));
    assert_string_equal(place.path, "/s");
    assert_int_equal(place.mode, 0600);
    assert_int_equal(place.group, 12345);
    assert_false(socket_place_parse("/s,group=99999999999999999999", &place, &why));
    expect_contains(why.text, "no such group");
}

static void long_texts(void **state)
{
    static const struct {
        char byte;
        size_t count;
        const char *words;
    } rows[] = {{'s', sizeof place.path, "s is too long for a socket's path"},
                {'s', sizeof place.path - 1, NULL},
                {',', 1023, "\"\" is not an option of a socket"},
                {',', 1024, "what follows /s is too long for the options of a socket"}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[2048] = "/s", *far = repeated(rows[i].byte, rows[i].count);
        strcpy(rows[i].byte == ',' ? text + 2 : text, far);
        expect(socket_place_parse(text, &place, &why) == !rows[i].words, "row %zu", i);
        if (rows[i].words)
            expect_contains(why.text, rows[i].words);
        free(far);
    }
}

static void sockets_that_are_gone(void **state)
{
    (void)state;
    place = (struct socket_place){.mode = SOCKET_MODE};
    assert_false(socket_place_apply(&place, "/no/such", &why));
    assert_string_equal(why.text, "/no/such: cannot set mode 0660: No such file or directory");
    assert_true(socket_place_parse("/no/such,group=0", &place, &why));
    assert_false(socket_place_apply(&place, "/no/such", &why));
    assert_string_equal(why.text,
                        "group=0: cannot give the socket to this group: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(sockets_that_are_gone),
    };
    return cmocka_run_group_tests_name("socket_place", tests, NULL, NULL);
}
