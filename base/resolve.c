/* SPDX-License-Identifier: MIT */
#include "resolve.h"

#include "clock.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_MS   30000
#define STACK_SIZE (256 * 1024)

struct resolver {
    char host[256], port[6];
    struct addresses literal; /* count 0: the host is a name */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t done;
    int holders;            /* the owner, and a thread that is under way */
    bool asking;            /* there is such a thread */
    struct addresses known; /* count 0: none yet */
    int64_t asked_at;       /* when `known` or `error` came, on CLOCK_MONOTONIC */
    int error;              /* of getaddrinfo(); 0: the last answer was good */
};

/* Asks the system; the error of getaddrinfo(). */
static int ask_system(const char *host, const char *port, int flags, struct addresses *addresses_r)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    struct addrinfo *list;
    int error = getaddrinfo(host, port, &hints, &list);
    addresses_r->count = 0;
    if (error != 0)
        return error;
    for (const struct addrinfo *item = list; item && addresses_r->count < ADDRESSES_MAX;
         item = item->ai_next) {
        memcpy(&addresses_r->items[addresses_r->count], item->ai_addr, item->ai_addrlen);
        addresses_r->lengths[addresses_r->count++] = item->ai_addrlen;
    }
    freeaddrinfo(list);
    return addresses_r->count > 0 ? 0 : EAI_NONAME;
}

struct resolver *resolver_new(const char *host, const char *port)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    if (!resolver)
        return NULL;
    snprintf(resolver->host, sizeof resolver->host, "%s", host);
    snprintf(resolver->port, sizeof resolver->port, "%s", port);
    ask_system(host, port, AI_NUMERICHOST, &resolver->literal);
    resolver->holders = 1;
    pthread_mutex_init(&resolver->lock, NULL);
    clock_cond_init(&resolver->done);
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;
    pthread_mutex_lock(&resolver->lock);
    bool last = --resolver->holders == 0;
    pthread_mutex_unlock(&resolver->lock);
    if (!last)
        return;
    pthread_cond_destroy(&resolver->done);
    pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}

static void *ask_in_thread(void *argument)
{
    struct resolver *resolver = argument;
    struct addresses found;
    int error = ask_system(resolver->host, resolver->port, AI_ADDRCONFIG, &found);
    pthread_mutex_lock(&resolver->lock);
    if (error == 0)
        resolver->known = found;
    resolver->error = error;
    resolver->asked_at = clock_monotonic_ms();
    resolver->asking = false;
    pthread_cond_broadcast(&resolver->done);
    pthread_mutex_unlock(&resolver->lock);
    resolver_free(resolver);
    return NULL;
}

/* The caller holds the lock.  False: there can be no thread. */
static bool start_asking(struct resolver *resolver)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, &attributes, ask_in_thread, resolver);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error != 0)
        return false;
    resolver->holders++;
    resolver->asking = true;
    return true;
}

/* Waits until an answer is there; the caller holds the lock.  With old addresses to fall
 * back on, half of the time has to do. */
static void await_answer(struct resolver *resolver, int64_t deadline)
{
    if (resolver->known.count > 0)
        deadline = clock_earlier(deadline, clock_left_ms(deadline) / 2);
    const struct timespec until = clock_deadline(deadline);
    while (resolver->asking &&
           pthread_cond_timedwait(&resolver->done, &resolver->lock, &until) != ETIMEDOUT)
        continue;
}

enum resolved resolver_get(struct resolver *resolver, int64_t deadline,
                           struct addresses *addresses_r, struct reason *why)
{
    enum resolved result = RESOLVED_GOOD;
    if (resolver->literal.count > 0) {
        *addresses_r = resolver->literal;
        return result;
    }
    pthread_mutex_lock(&resolver->lock);
    bool fresh = resolver->known.count > 0 && resolver->error == 0 &&
                 clock_monotonic_ms() - resolver->asked_at < FRESH_MS;
    if (!fresh && !resolver->asking && !start_asking(resolver))
        resolver->error = EAI_MEMORY;
    if (!fresh)
        await_answer(resolver, deadline);
    if (resolver->known.count > 0) {
        *addresses_r = resolver->known;
    } else if (resolver->asking) {
        result = RESOLVED_LATE;
        reason_set(why, "no answer to the question for the address of %s", resolver->host);
    } else {
        result = RESOLVED_FAILED;
        reason_set(why, "no address of %s: %s", resolver->host, gai_strerror(resolver->error));
    }
    pthread_mutex_unlock(&resolver->lock);
    return result;
}
