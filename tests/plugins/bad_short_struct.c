/* SPDX-License-Identifier: MIT
 *
 * bad_short_struct.c: a store that says that it has no close().
 */
#include "test_store.h"

static const struct memberchat_store_plugin plugin = {
    .abi = MEMBERCHAT_STORE_ABI,
    .size = offsetof(struct memberchat_store_plugin, close),
    .name = "bad_short_struct",
    .version = "1",
    .summary = "for tests",
    .flags = MEMBERCHAT_STORE_THREAD_SAFE | MEMBERCHAT_STORE_LOCAL,
    .settings_size = sizeof(int64_t),
    .open = test_store_open,
    .lookup = test_store_lookup,
    .close = test_store_close,
};

const struct memberchat_store_plugin *memberchat_store_plugin(void)
{
    return &plugin;
}
