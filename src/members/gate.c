/* SPDX-License-Identifier: MIT */
#include "gate.h"

#include <stdatomic.h>

static atomic_int inside;
static atomic_int most = 1;

void gate_set_limit(int limit)
{
    atomic_store(&most, limit);
}

bool gate_enter(void)
{
    if (atomic_fetch_add(&inside, 1) < atomic_load(&most))
        return true;
    atomic_fetch_sub(&inside, 1);
    return false;
}

void gate_leave(void)
{
    atomic_fetch_sub(&inside, 1);
}

bool gate_has_room(void)
{
    return atomic_load(&inside) < atomic_load(&most);
}
