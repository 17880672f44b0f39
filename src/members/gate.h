/* SPDX-License-Identifier: MIT
 * Which threads may wait for a network: a gate is asked before and told behind. */
#ifndef GATE_H
#define GATE_H

#include <stdbool.h>

struct gate {
    /* Does not wait.  `near`: answers from there come at once, or did so a moment ago.
     * False: a thread that may wait has to ask. */
    bool (*enter)(struct gate *gate, bool near);
    void (*leave)(struct gate *gate); /* after enter() was true */
};

#endif
