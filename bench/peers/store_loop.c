/* SPDX-License-Identifier: MIT
 *
 * store_loop CONFIGURATION PLUGIN-FOLDER THREADS SECONDS ID...
 *
 * Asks the first store of a configuration for the ids in turn, from so many threads, for
 * so long: what a look-up costs without a responder around it.  Prints: members found,
 * microseconds it took, microseconds of CPU, other answers.
 */
#include "clocks.h"
#include "base/clock.h"
#include "settings/settings.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct store *store;
static char **ids;
static size_t id_count;
static atomic_long good, bad;
static atomic_bool over;

static void *ask_often(void *start)
{
    struct member member = {0};
    struct store_report report;
    for (size_t i = (size_t)start; !atomic_load(&over); i++) {
        const struct store_question question = {
            .id = span_of(ids[i % id_count]),
            .deadline = clock_monotonic_ms() + 10000,
        };
        enum memberchat_outcome outcome = store_lookup(store, &question, &member, &report);
        atomic_fetch_add(outcome == MEMBERCHAT_FOUND ? &good : &bad, 1);
    }
    member_free(&member);
    return NULL;
}

int main(int argc, char **argv)
{
    struct config_report mistakes = {0};
    struct store_report report;
    if (argc < 6) {
        fprintf(stderr, "usage: store_loop CONFIGURATION PLUGIN-FOLDER THREADS SECONDS ID...\n");
        return 64;
    }
    struct settings *settings = settings_read(argv[1], argv[2], NULL, &mistakes);
    if (!settings || !store_open(settings->stores[0].store, false, &report)) {
        fprintf(stderr, "%s%s\n", bytes_string(&mistakes.text), settings ? report.reason : "");
        return 1;
    }
    size_t count = strtoul(argv[3], NULL, 10);
    const struct timespec length = {.tv_sec = atoi(argv[4])};
    pthread_t *threads = calloc(count, sizeof *threads);
    store = settings->stores[0].store;
    ids = argv + 5;
    id_count = (size_t)argc - 5;
    long start = now_us(), cpu = cpu_us();
    for (size_t i = 0; threads && i < count; i++)
        pthread_create(&threads[i], NULL, ask_often, (void *)(i * id_count / count));
    nanosleep(&length, NULL);
    atomic_store(&over, true);
    for (size_t i = 0; threads && i < count; i++)
        pthread_join(threads[i], NULL);
    printf("%ld %ld %ld %ld\n", atomic_load(&good), now_us() - start, cpu_us() - cpu,
           atomic_load(&bad));
    free(threads);
    settings_free(settings);
    config_report_free(&mistakes);
    return 0;
}
