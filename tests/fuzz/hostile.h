/* SPDX-License-Identifier: MIT
 * Figures that somebody else has written over, for harnesses.  An input is patches: where (three
 * bytes, in words), how many words are repeated (one byte), and the word; what is left over is a
 * name that is counted. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "fuzz.h"

#include "figures/read.h"

/* The figures of this process as such an input leaves them.  They were empty before. */
struct figures_view hostile_figures(const uint8_t *data, size_t size);

#endif
