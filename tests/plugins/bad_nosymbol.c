/* SPDX-License-Identifier: MIT
 *
 * bad_nosymbol.c: a shared object that is no store at all.
 */
int memberchat_store_plugins(void);

int memberchat_store_plugins(void)
{
    return 1;
}
