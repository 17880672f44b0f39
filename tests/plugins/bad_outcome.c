/* SPDX-License-Identifier: MIT
 *
 * bad_outcome.c: outcomes that are none: 0 for the id "zero", 99 for "ninety-nine".
 */
#include "test_store.h"

static enum memberchat_outcome bad_lookup(void *handle, const char *id, size_t id_length,
                                          int64_t deadline, struct memberchat_result *result)
{
    if (test_id_is(id, id_length, "zero"))
        return (enum memberchat_outcome)0;
    if (test_id_is(id, id_length, "ninety-nine"))
        return (enum memberchat_outcome)99;
    return test_store_lookup(handle, id, id_length, deadline, result);
}

static const struct memberchat_store_plugin plugin = {
    .abi = MEMBERCHAT_STORE_ABI,
    .size = sizeof(struct memberchat_store_plugin),
    .name = "bad_outcome",
    .version = "1",
    .summary = "for tests",
    .flags = MEMBERCHAT_STORE_THREAD_SAFE | MEMBERCHAT_STORE_LOCAL,
    .settings_size = sizeof(int64_t),
    .open = test_store_open,
    .lookup = bad_lookup,
    .close = test_store_close,
};

const struct memberchat_store_plugin *memberchat_store_plugin(void)
{
    return &plugin;
}
