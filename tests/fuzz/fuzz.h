/* SPDX-License-Identifier: MIT
 * One harness an input from outside.  A harness aborts when what a header promises
 * does not hold; overruns are the sanitizers' to find. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

extern const char fuzz_corpus[]; /* the folder with seeds for this harness */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* For what only looks at results: a fuzzer need not learn its ways. */
#ifdef __clang__
#define UNTRACED __attribute__((no_sanitize("coverage")))
#else
#define UNTRACED
#endif

#define must(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
