/* SPDX-License-Identifier: MIT
 *
 * bad_openfails.c: open() always fails, with a reason.
 */
#include "test_store.h"

static void *bad_open(const void *settings, const struct memberchat_services *services,
                      uint32_t how, struct memberchat_result *result)
{
    (void)settings;
    (void)how;
    services->reason(result, "the directory of this store is %s", "a fiction");
    return NULL;
}

static const struct memberchat_store_plugin plugin = {
    .abi = MEMBERCHAT_STORE_ABI,
    .size = sizeof(struct memberchat_store_plugin),
    .name = "bad_openfails",
    .version = "1",
    .summary = "for tests",
    .flags = MEMBERCHAT_STORE_THREAD_SAFE | MEMBERCHAT_STORE_LOCAL,
    .settings_size = sizeof(int64_t),
    .open = bad_open,
    .lookup = test_store_lookup,
    .close = test_store_close,
};

const struct memberchat_store_plugin *memberchat_store_plugin(void)
{
    return &plugin;
}
