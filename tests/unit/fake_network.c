/* SPDX-License-Identifier: MIT
 * A clock and a resolver that do as they are told, in the place of the system's. */
#include "fake_network.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

atomic_llong forward_ms;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    long long ms = atomic_load(&forward_ms);
    int error = (int)syscall(SYS_clock_gettime, clock, now);
    now->tv_sec += (time_t)(ms / 1000);
    now->tv_nsec += (long)(ms % 1000 * 1000000);
    now->tv_sec += now->tv_nsec / 1000000000;
    now->tv_nsec %= 1000000000;
    return error;
}

atomic_int resolver_delay_ms, resolver_failure, resolver_questions;

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict result)
{
    static const char numeric[] = "0123456789.";
    struct answer {
        struct addrinfo info;
        struct sockaddr_in address;
    } * answer;
    int ms = atomic_load(&resolver_delay_ms);
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    bool literal = strspn(node, numeric) == strlen(node);

    if ((hints->ai_flags & AI_NUMERICHOST) != 0 && !literal)
        return EAI_NONAME;
    if (!literal) {
        atomic_fetch_add(&resolver_questions, 1);
        nanosleep(&pause, NULL);
        if (atomic_load(&resolver_failure) != 0)
            return atomic_load(&resolver_failure);
    }
    answer = calloc(1, sizeof *answer);
    if (answer == NULL)
        return EAI_MEMORY;
    answer->address.sin_family = AF_INET;
    answer->address.sin_port = htons((uint16_t)strtoul(service, NULL, 10));
    inet_pton(AF_INET, literal ? node : "127.0.0.9", &answer->address.sin_addr);
    answer->info.ai_addr = (struct sockaddr *)&answer->address;
    answer->info.ai_addrlen = sizeof answer->address;
    *result = &answer->info;
    return 0;
}

void freeaddrinfo(struct addrinfo *result)
{
    free(result);
}

void fake_network_start(void)
{
    atomic_store(&forward_ms, 0);
    atomic_store(&resolver_delay_ms, 0);
    atomic_store(&resolver_failure, 0);
    atomic_store(&resolver_questions, 0);
}

int64_t within(int64_t ms)
{
    return clock_monotonic_ms() + ms;
}
