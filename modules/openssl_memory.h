/* SPDX-License-Identifier: MIT
 * Memory for the start of libcrypto, which crashes where an allocation fails in it. */
#ifndef OPENSSL_MEMORY_H
#define OPENSSL_MEMORY_H

/* Starts libcrypto, once, on memory that the module has from the beginning.  Where something else
 * in this process has started it before, nothing is left to do. */
void openssl_start(void);

#endif
