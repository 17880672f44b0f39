/* SPDX-License-Identifier: MIT
 * A module for signatures of another version: $MEMBERCHAT_TEST_SIGN has its ABI and its size. */
#include "src/token/sign_module.h"

#include <stdio.h>
#include <stdlib.h>

const struct sign_module *memberchat_sign_module(void);

const struct sign_module *memberchat_sign_module(void)
{
    static struct sign_module other;
    const char *text = getenv("MEMBERCHAT_TEST_SIGN");
    if (!text || sscanf(text, "%u %u", &other.abi, &other.size) != 2)
        abort();
    return &other;
}
