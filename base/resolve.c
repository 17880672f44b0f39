/* SPDX-License-Identifier: MIT */
#include "resolve.h"

#include "clock.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_MS   30000
#define STACK_SIZE (256 * 1024)
#define ANSWER_MAX 65535

/* What a name stands for. */
union answer {
    struct addresses addresses;
    struct srv srv;
};

struct resolver {
    char name[SRV_HOST_MAX + 32], port[6]; /* no port: SRV records */
    struct addresses literal;              /* count 0: the name is no address */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t done;
    int holders;   /* the owner, and a thread that is under way */
    bool asking;   /* there is such a thread */
    bool is_known; /* ever */
    union answer known;
    int64_t fresh_until;
    int error; /* of the last question, as of getaddrinfo(); 0: it was answered */
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
    return 0;
}

/* The same for SRV records. */
static int ask_srv(const char *name, struct srv *srv_r)
{
    unsigned char *answer = malloc(ANSWER_MAX);
    int error = EAI_MEMORY;
    if (answer) {
        int length = res_query(name, ns_c_in, ns_t_srv, answer, ANSWER_MAX);
        if (length >= 0)
            error = length <= ANSWER_MAX && srv_parse(answer, (size_t)length, srv_r) ? 0 : EAI_FAIL;
        else
            error = h_errno == TRY_AGAIN ? EAI_AGAIN : EAI_NONAME;
    }
    free(answer);
    return error ? error : srv_r->count > 0 ? 0 : EAI_NONAME;
}

static struct resolver *new_resolver(const char *name)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    if (!resolver)
        return NULL;
    snprintf(resolver->name, sizeof resolver->name, "%s", name);
    resolver->holders = 1;
    pthread_mutex_init(&resolver->lock, NULL);
    clock_cond_init(&resolver->done);
    return resolver;
}

struct resolver *resolver_new(const char *host, const char *port)
{
    struct resolver *resolver = new_resolver(host);
    if (!resolver)
        return NULL;
    snprintf(resolver->port, sizeof resolver->port, "%s", port);
    ask_system(host, port, AI_NUMERICHOST, &resolver->literal);
    return resolver;
}

struct resolver *resolver_new_srv(const char *name)
{
    return new_resolver(name);
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
    int64_t life = FRESH_MS;
    union answer found;
    int error = *resolver->port
                    ? ask_system(resolver->name, resolver->port, AI_ADDRCONFIG, &found.addresses)
                    : ask_srv(resolver->name, &found.srv);
    if (!error && !*resolver->port)
        life = (int64_t)found.srv.life * 1000;
    pthread_mutex_lock(&resolver->lock);
    if (!error) {
        resolver->known = found;
        resolver->is_known = true;
        resolver->fresh_until = clock_monotonic_ms() + life;
    }
    resolver->error = error;
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

/* Waits until an answer is there; the caller holds the lock.  With an old one to fall back
 * on, half of the time has to do. */
static void await_answer(struct resolver *resolver, int64_t deadline)
{
    if (resolver->is_known)
        deadline = clock_earlier(deadline, clock_left_ms(deadline) / 2);
    const struct timespec until = clock_deadline(deadline);
    while (resolver->asking &&
           pthread_cond_timedwait(&resolver->done, &resolver->lock, &until) != ETIMEDOUT)
        continue;
}

/* What is known, or becomes known by the deadline. */
static enum resolved get(struct resolver *resolver, int64_t deadline, const char *what,
                         union answer *answer_r, struct reason *why)
{
    enum resolved result = RESOLVED_GOOD;
    pthread_mutex_lock(&resolver->lock);
    bool fresh =
        resolver->is_known && resolver->error == 0 && clock_monotonic_ms() < resolver->fresh_until;
    if (!fresh && !resolver->asking && !start_asking(resolver))
        resolver->error = EAI_MEMORY;
    if (!fresh)
        await_answer(resolver, deadline);
    if (resolver->is_known) {
        *answer_r = resolver->known;
    } else if (resolver->asking) {
        result = RESOLVED_LATE;
        reason_set(why, "no answer to the question for the %s of %s", what, resolver->name);
    } else {
        result = RESOLVED_FAILED;
        reason_set(why, "no %s of %s: %s", what, resolver->name, gai_strerror(resolver->error));
    }
    pthread_mutex_unlock(&resolver->lock);
    return result;
}

enum resolved resolver_get(struct resolver *resolver, int64_t deadline,
                           struct addresses *addresses_r, struct reason *why)
{
    union answer answer = {.addresses = resolver->literal};
    enum resolved result = RESOLVED_GOOD;
    if (!resolver->literal.count)
        result = get(resolver, deadline, "address", &answer, why);
    if (result == RESOLVED_GOOD)
        *addresses_r = answer.addresses;
    return result;
}

enum resolved resolver_get_srv(struct resolver *resolver, int64_t deadline, struct srv *srv_r,
                               struct reason *why)
{
    union answer answer;
    enum resolved result = get(resolver, deadline, "SRV record", &answer, why);
    if (result == RESOLVED_GOOD)
        *srv_r = answer.srv;
    return result;
}
