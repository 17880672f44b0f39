/* SPDX-License-Identifier: MIT
 * KSUID: 27 characters of base 62 that sort by the second they were made in:
 * 32 bits of seconds since 2014-05-13T16:53:20Z and 128 random bits. */
#ifndef KSUID_H
#define KSUID_H

#include <stdbool.h>
#include <stdint.h>

#define KSUID_LENGTH 27

/* Writes KSUID_LENGTH characters, no NUL, from a time and 16 random bytes. */
void ksuid_format(char out[KSUID_LENGTH], int64_t unix_seconds, const unsigned char payload[16]);

/* The same for now and fresh random bytes.  False: there are no random numbers, or no clock. */
bool ksuid_new(char out[KSUID_LENGTH]);

#endif
