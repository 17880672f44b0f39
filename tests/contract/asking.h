/* SPDX-License-Identifier: MIT
 * A store as a fixture has made it, and questions to it. */
#ifndef ASKING_H
#define ASKING_H

#include "contract.h"
#include "members/store.h"
#include "support.h"

extern const struct contract_fixture *fixture; /* of this case */
extern struct settings *settings;
extern struct store *store;

/* Around each case, whose state is its fixture: the store is open. */
int asking_start(void **state);
int asking_stop(void **state);

/* A configuration with the store of the fixture, and `more` in its group. */
struct settings *configure(const char *name, const char *more);

int64_t soon(int64_t ms); /* a deadline */

/* The id lies in memory of its own, and nothing is behind it. */
enum memberchat_outcome ask(struct span id, struct member *member_r, int64_t ms);
void expect_found(struct span id);
void expect_not_found(struct span id);

#endif
