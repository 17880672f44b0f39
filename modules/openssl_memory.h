/* SPDX-License-Identifier: MIT
 * Memory of libcrypto: a pool for its start, which crashes where an allocation fails in it; locked
 * memory for private numbers; and nothing that is freed keeps its content. */
#ifndef OPENSSL_MEMORY_H
#define OPENSSL_MEMORY_H

#include <stdbool.h>

/* Starts libcrypto, once, on memory that the module has from the beginning.  Where something else
 * in this process has started it before, it frees as it is used to: it wipes private numbers.
 * `lock`: private numbers lie in locked memory. */
void openssl_start(bool lock);

#endif
