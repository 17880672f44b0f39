/* SPDX-License-Identifier: MIT */
#include "figures_fixture.h"

#include "figures/figures.h"
#include "support.h"

const char *path;

int fixture_start(void **state)
{
    int result = scratch_start(state);
    path = scratch_path("figures");
    return result;
}

int fixture_stop(void **state)
{
    figures_close();
    return scratch_stop(state);
}
