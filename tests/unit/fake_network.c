/* SPDX-License-Identifier: MIT
 * A clock and a resolver that do as they are told, in the place of the system's. */
#include "fake_network.h"

#include "support.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

atomic_int resolver_delay_ms, resolver_failure, resolver_questions, resolver_addresses = 1;

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict result)
{
    static const char numeric[] = "0123456789.";
    struct answer {
        struct addrinfo info;
        struct sockaddr_in address;
    } * answer;
    size_t count = (size_t)atomic_load(&resolver_addresses);
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
    answer = calloc(count, sizeof *answer);
    if (answer == NULL)
        return EAI_MEMORY;
    for (size_t i = 0; i < count; i++) {
        answer[i].address.sin_family = AF_INET;
        answer[i].address.sin_port = htons((uint16_t)strtoul(service, NULL, 10));
        inet_pton(AF_INET, literal ? node : "127.0.0.9", &answer[i].address.sin_addr);
        answer[i].info.ai_addr = (struct sockaddr *)&answer[i].address;
        answer[i].info.ai_addrlen = sizeof answer->address;
        answer[i].info.ai_next = i + 1 < count ? &answer[i + 1].info : NULL;
    }
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
    atomic_store(&resolver_addresses, 1);
}

int64_t within(int64_t ms)
{
    return clock_monotonic_ms() + ms;
}

int fake_network_listen(char uri_r[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 50), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(uri_r, 64, "ldap://127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}
