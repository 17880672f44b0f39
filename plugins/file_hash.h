/* SPDX-License-Identifier: MIT
 *
 * file_hash.h: a keyed hash: who does not know the key cannot choose ids that collide.
 */
#ifndef MEMBERCHAT_FILE_HASH_H
#define MEMBERCHAT_FILE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash-1-3, with words in the byte order of the machine: not for storage. */
uint64_t file_hash(const uint64_t key[2], const char *bytes, size_t length);

#endif
