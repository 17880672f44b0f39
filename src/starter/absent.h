/* SPDX-License-Identifier: MIT
 * What the static program lacks, and the libraries in it ask for. */
#ifndef ABSENT_H
#define ABSENT_H

/* Lets the ordinary program take over; returns only when that fails.  Set before the first request.
 */
extern void (*absent_hand_over)(void);

#endif
