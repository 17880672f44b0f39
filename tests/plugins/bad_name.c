/* SPDX-License-Identifier: MIT
 *
 * bad_name.c: a store with another name than its file.
 */
#include "test_store.h"

static const struct memberchat_store_plugin plugin = {
    .abi = MEMBERCHAT_STORE_ABI,
    .size = sizeof(struct memberchat_store_plugin),
    .name = "good_name",
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
