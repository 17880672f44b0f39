/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "base/hash.h"

#include <endian.h>

/* The values are those of CPython 3.11, which hashes bytes so with a key of zero. */
static void hash_is_siphash(void **state)
{
    static const uint64_t key[2] = {0, 0}, other[2] = {0, 1};

    (void)state;
    if (htole64(1) != 1)
        skip();
    assert_int_equal((int64_t)hash_keyed(key, "a", 1), INT64_C(4644417185603328019));
    assert_int_equal((int64_t)hash_keyed(key, "abcdefgh", 8), INT64_C(4574395652268504554));
    assert_int_equal((int64_t)hash_keyed(key, "abcdefghi", 9), INT64_C(-532774252720507163));
    assert_int_equal((int64_t)hash_keyed(key, "0123456789abcdef012", 19),
                     INT64_C(3135089790171027842));
    assert_int_not_equal(hash_keyed(other, "a", 1), hash_keyed(key, "a", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_is_siphash),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
