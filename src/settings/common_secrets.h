/* SPDX-License-Identifier: MIT
 * Secrets that an attacker tries first, by the digests that a configuration holds. */
#ifndef COMMON_SECRETS_H
#define COMMON_SECRETS_H

#include "base/crypto.h"

struct common_secret {
    const char *text;
    uint64_t digest, line_digest;
};
extern const struct common_secret common_secrets[];
extern const size_t common_secret_count;

/* The secret whose digest this is, NULL: none of the common ones. */
const char *common_secret_find(const uint8_t digest[SHA256_LENGTH]);

#endif
