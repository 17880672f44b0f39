/* SPDX-License-Identifier: MIT
 * The slow store of the tests: a directory that hangs and goes down on demand.  It
 * knows everybody whose id does not begin with "no". */
#include "contract.h"

#include "support.h"

static bool make_slow(void)
{
    scratch_write("state", SPAN("up"));
    return true;
}

static void hang(void)
{
    scratch_write("state", SPAN("hang"));
}

static void go_down(void)
{
    scratch_write("state", SPAN("down"));
}

const struct contract_fixture contract_slow = {
    .name = "slow",
    .folder = &test_plugins,
    .plugin = "slow",
    .keys = "delay = \"2ms\"; state_path = \"state\"",
    .make = make_slow,
    .hang = hang,
    .stop = go_down,
};
