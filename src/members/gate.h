/* SPDX-License-Identifier: MIT
 * How many look-ups that may wait for a network go on in this process.  There
 * are always more workers than that, so that a frozen directory never takes
 * the last of them. */
#ifndef GATE_H
#define GATE_H

#include <stdbool.h>

void gate_set_limit(int limit); /* before any thread looks something up; 1 until then */
bool gate_enter(void);          /* false: it is full.  Does not wait. */
void gate_leave(void);
bool gate_has_room(void);

#endif
