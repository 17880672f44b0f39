/* SPDX-License-Identifier: MIT */
#include "dumps.h"

#include "base/sanitized.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void dumps_forbid(void)
{
#ifndef IS_SANITIZED
    const struct rlimit none = {0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}
