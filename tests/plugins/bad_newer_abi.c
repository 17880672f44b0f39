/* SPDX-License-Identifier: MIT
 *
 * bad_newer_abi.c: a store for a memberchat that is yet to come.
 */
#include "test_store.h"

static const struct memberchat_store_plugin plugin = {
    .abi = MEMBERCHAT_STORE_ABI + 1,
    .size = sizeof(struct memberchat_store_plugin),
    .name = "bad_newer_abi",
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
