/* SPDX-License-Identifier: MIT
 * A keyed hash: texts that collide cannot be chosen without the key. */
#ifndef HASH_H
#define HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SipHash-1-3 with words in the byte order of the machine: not for storage. */
uint64_t hash_keyed(const uint64_t key[2], const char *bytes, size_t length);

bool hash_seed(uint64_t key_r[2]); /* false: no random numbers */

#endif
