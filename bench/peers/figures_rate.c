/* SPDX-License-Identifier: MIT
 * What the figures of a guest's token cost, as the responder counts it.
 * usage: figures_rate FILE THREADS
 * Prints the nanoseconds that a request takes, of CPU time of a thread. */
#include "figures/figures.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define REQUESTS    2000000
#define THREADS_MAX 64

static double thread_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void *count(void *result)
{
    double began = thread_nanoseconds();
    for (int i = 0; i < REQUESTS; i++) {
        figures_thread_begins();
        figures_request_begins();
        figures_count_token("bench-0", FIGURES_GUEST);
        figures_count_request("guest", 200, i % 1000);
        figures_request_ends();
        figures_thread_ends();
    }
    *(double *)result = (thread_nanoseconds() - began) / REQUESTS;
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS_MAX];
    double taken[THREADS_MAX], sum = 0;
    int number = argc == 3 ? atoi(argv[2]) : 0;
    if (number < 1 || number > THREADS_MAX) {
        fputs("usage: figures_rate FILE THREADS\n", stderr);
        return 64;
    }
    figures_use(argv[1], FIGURES_RESIDENT);
    for (int i = 0; i < number; i++)
        if (pthread_create(&threads[i], NULL, count, &taken[i]) != 0) {
            perror("pthread_create");
            return EXIT_FAILURE;
        }
    for (int i = 0; i < number; i++) {
        pthread_join(threads[i], NULL);
        sum += taken[i];
    }
    printf("%.1f\n", sum / number);
    figures_close();
    return EXIT_SUCCESS;
}
