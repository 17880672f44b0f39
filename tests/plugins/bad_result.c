/* SPDX-License-Identifier: MIT
 *
 * bad_result.c: members that no host may believe; the id looked up chooses which.
 *
 *   no-id          found, but nobody
 *   huge-id        an id of 1 MiB
 *   bad-utf8       an id that is not UTF-8
 *   someone-else   another person's id
 *   control-name   a name with control characters
 *   many           more attributes than a member may have
 */
#include "test_store.h"

enum { MEGABYTE = 1 << 20 };

static char huge[MEGABYTE];

static void tell_many(const struct memberchat_services *services, struct memberchat_result *result)
{
    char name[] = "a00";
    int i;

    for (i = 0; i < 100; i++) {
        name[1] = (char)('0' + i / 10);
        name[2] = (char)('0' + i % 10);
        services->set_attribute(result, name, 3, huge, sizeof huge);
    }
}

/* Does not look at what set() answers, as a careless author would not. */
static enum memberchat_outcome bad_lookup(void *handle, const char *id, size_t id_length,
                                          int64_t deadline, struct memberchat_result *result)
{
    const struct memberchat_services *services = ((struct test_store *)handle)->services;

    if (test_id_is(id, id_length, "no-id"))
        return MEMBERCHAT_FOUND;
    memset(huge, 'x', sizeof huge);
    if (test_id_is(id, id_length, "huge-id"))
        services->set(result, MEMBERCHAT_ID, huge, sizeof huge);
    else if (test_id_is(id, id_length, "bad-utf8"))
        services->set(result, MEMBERCHAT_ID, "bad\xff", 4);
    else if (test_id_is(id, id_length, "someone-else"))
        services->set(result, MEMBERCHAT_ID, "admin", 5);
    else
        test_store_lookup(handle, id, id_length, deadline, result);
    if (test_id_is(id, id_length, "control-name"))
        services->set(result, MEMBERCHAT_NAME, "A\r\nSet-Cookie: x\0y", 18);
    if (test_id_is(id, id_length, "many"))
        tell_many(services, result);
    return MEMBERCHAT_FOUND;
}

static const struct memberchat_store_plugin plugin = {
    .abi = MEMBERCHAT_STORE_ABI,
    .size = sizeof(struct memberchat_store_plugin),
    .name = "bad_result",
    .version = "1",
    .summary = "for tests",
    .flags = 0,
    .settings_size = sizeof(int64_t),
    .open = test_store_open,
    .lookup = bad_lookup,
    .close = test_store_close,
};

const struct memberchat_store_plugin *memberchat_store_plugin(void)
{
    return &plugin;
}
