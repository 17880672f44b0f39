/* SPDX-License-Identifier: MIT
 *
 * bad_keys_outside.c: a key that begins inside of the settings and ends outside.
 */
#include "test_store.h"

static const struct memberchat_key keys[] = {
    {.name = "size", .help = "one byte too far", .type = MEMBERCHAT_INTEGER, .offset = 1},
};

static const struct memberchat_store_plugin plugin = {
    .abi = MEMBERCHAT_STORE_ABI,
    .size = sizeof(struct memberchat_store_plugin),
    .name = "bad_keys_outside",
    .version = "1",
    .summary = "for tests",
    .flags = MEMBERCHAT_STORE_THREAD_SAFE | MEMBERCHAT_STORE_LOCAL,
    .key_count = 1,
    .keys = keys,
    .settings_size = sizeof(int64_t),
    .open = test_store_open,
    .lookup = test_store_lookup,
    .close = test_store_close,
};

const struct memberchat_store_plugin *memberchat_store_plugin(void)
{
    return &plugin;
}
