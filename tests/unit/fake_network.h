/* SPDX-License-Identifier: MIT
 * A clock that can be put forward, and a resolver that answers what a test wants.  Only a
 * program that links this has them. */
#ifndef FAKE_NETWORK_H
#define FAKE_NETWORK_H

#include <stdatomic.h>
#include <stdint.h>

extern atomic_llong forward_ms; /* how far the clock is ahead */

/* How long an answer takes, the EAI_ error that it is, and how often a name was asked for. */
extern atomic_int resolver_delay_ms, resolver_failure, resolver_questions;

/* How many times an answer has its address. */
extern atomic_int resolver_addresses;

/* Sets all of these to 0, and the last to 1. */
void fake_network_start(void);

/* A descriptor that takes connections on the loopback and says nothing, and the URI of the LDAP
 * server that it is taken for. */
int fake_network_listen(char uri_r[64]);

/* A deadline. */
int64_t within(int64_t ms);

#endif
