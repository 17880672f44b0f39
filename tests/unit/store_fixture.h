/* SPDX-License-Identifier: MIT
 * A store with a stub behind it, and the member and the report of the last look-up. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include "stub_store.h"
#include "support.h"

extern struct stub stub;
extern struct store *store;
extern struct member member;
extern struct store_report told;

/* Around each case; the stub answers "found". */
int store_start(void **state);
int store_stop(void **state);

/* Opens `store`, with the flags that the stub has now. */
void open_stub(void);
enum memberchat_outcome look_up(const char *id);

#endif
