/* SPDX-License-Identifier: MIT
 * In place of the C library's mathematics, which SQLite has as functions for queries: it chooses
 * among several forms of each for the processor, at every start, and costs a guest more than the
 * whole store. */
#include "absent.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* The ordinary program can compute; a wrong number is never answered. */
static double compute_elsewhere(void)
{
    absent_hand_over();
    _exit(EXIT_FAILURE);
}

#define OF_ONE(NAME)                                                                               \
    double NAME(double x)                                                                          \
    {                                                                                              \
        (void)x;                                                                                   \
        return compute_elsewhere();                                                                \
    }
#define OF_TWO(NAME)                                                                               \
    double NAME(double x, double y)                                                                \
    {                                                                                              \
        (void)x, (void)y;                                                                          \
        return compute_elsewhere();                                                                \
    }

OF_ONE(acos)
OF_ONE(acosh)
OF_ONE(asin)
OF_ONE(asinh)
OF_ONE(atan)
OF_ONE(atanh)
OF_ONE(cos)
OF_ONE(cosh)
OF_ONE(exp)
OF_ONE(log)
OF_ONE(sin)
OF_ONE(sinh)
OF_ONE(sqrt)
OF_ONE(tan)
OF_ONE(tanh)
OF_ONE(trunc)
OF_TWO(atan2)
OF_TWO(fmod)
OF_TWO(pow)
