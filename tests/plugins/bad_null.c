/* SPDX-License-Identifier: MIT
 *
 * bad_null.c: the symbol is there, and returns nothing.
 */
#include "memberchat_store.h"

const struct memberchat_store_plugin *memberchat_store_plugin(void)
{
    return NULL;
}
