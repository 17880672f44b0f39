/* SPDX-License-Identifier: MIT
 * Memory for keys: never written to swap space, left out of core dumps, and wiped when it is
 * given back.  Memory beyond what the system lets this process lock (RLIMIT_MEMLOCK) is not
 * locked; the rest still holds. */
#ifndef VAULT_H
#define VAULT_H

#include <stdbool.h>
#include <stddef.h>

#define VAULT_SLOT 704 /* bytes at most */

/* For a process that ends with its request: from now on keys lie in ordinary memory, and are only
 * wiped.  Before the first vault_take(). */
void vault_skip_locks(void);

/* Whether this process is one that locks keys. */
bool vault_locks(void);

void *vault_take(size_t size); /* NULL: no memory, or more than VAULT_SLOT */
void vault_give(void *memory); /* may be NULL */

#endif
