/* SPDX-License-Identifier: MIT
 *
 * bad_keys_twice.c: the same key twice.
 */
#include "test_store.h"

static const struct memberchat_key keys[] = {
    {.name = "size", .help = "a good key", .type = MEMBERCHAT_INTEGER},
    {.name = "size", .help = "the same key again", .type = MEMBERCHAT_STRING},
};

static const struct memberchat_store_plugin plugin = {
    .abi = MEMBERCHAT_STORE_ABI,
    .size = sizeof(struct memberchat_store_plugin),
    .name = "bad_keys_twice",
    .version = "1",
    .summary = "for tests",
    .flags = MEMBERCHAT_STORE_THREAD_SAFE | MEMBERCHAT_STORE_LOCAL,
    .key_count = 2,
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
