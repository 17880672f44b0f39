/* SPDX-License-Identifier: MIT
 *
 * delay_proxy LISTEN-PORT TARGET-HOST TARGET-PORT DELAY-MS
 *
 * A TCP proxy on 127.0.0.1 that hands everything on, and what comes back from the
 * target so much later: a network with that round trip.  Connecting takes no time.
 * With LISTEN-PORT 0 it chooses one; it prints the port when it is ready.
 */
#include "clocks.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define CHUNK_BYTES 16384
#define EVENTS      64

/* Bytes on their way back; without any: the end. */
struct chunk {
    struct chunk *next;
    struct pair *pair;
    long due_us;
    size_t length;
    char bytes[];
};

struct side {
    struct pair *pair; /* NULL: the listener, or the timer */
    int fd;
};

struct pair {
    struct side client, target;
    struct pair *next_dead;
    int chunks; /* on their way */
    int closed;
};

static struct addrinfo *target;
static struct side listener, timer;
static struct chunk *first, **last = &first; /* in the order in which they are due */
static struct pair *dead;                    /* closed while their events may be under way */
static long delay_us;
static int epoll;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(struct side *side)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = side};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, side->fd, &event) != 0)
        fail("epoll_ctl");
}

static void set_timer(void)
{
    struct itimerspec at = {0};
    if (first)
        at.it_value = (struct timespec){first->due_us / 1000000, first->due_us % 1000000 * 1000};
    timerfd_settime(timer.fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void close_pair(struct pair *pair)
{
    if (pair->closed)
        return;
    pair->closed = 1;
    close(pair->client.fd);
    close(pair->target.fd);
    pair->next_dead = dead;
    dead = pair;
}

/* After a batch of events: nobody can mention them any more, but for chunks. */
static void bury(void)
{
    for (struct pair **at = &dead; *at;) {
        struct pair *pair = *at;
        if (pair->chunks == 0) {
            *at = pair->next_dead;
            free(pair);
        } else {
            at = &pair->next_dead;
        }
    }
}

/* The sockets block for writing: a peer that does not read stops all, which is fine here. */
static int send_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return 0;
        bytes += sent;
        length -= (size_t)sent;
    }
    return 1;
}

static void send_due(void)
{
    while (first && first->due_us <= now_us()) {
        struct chunk *chunk = first;
        struct pair *pair = chunk->pair;
        first = chunk->next;
        if (!first)
            last = &first;
        pair->chunks--;
        if (!pair->closed &&
            (chunk->length == 0 || !send_all(pair->client.fd, chunk->bytes, chunk->length)))
            close_pair(pair);
        free(chunk);
    }
    set_timer();
}

static void delay(struct pair *pair, const char *bytes, size_t length)
{
    struct chunk *chunk = malloc(sizeof *chunk + length);
    if (!chunk)
        fail("malloc");
    *chunk = (struct chunk){.pair = pair, .due_us = now_us() + delay_us, .length = length};
    memcpy(chunk->bytes, bytes, length);
    *last = chunk;
    last = &chunk->next;
    pair->chunks++;
    if (first == chunk)
        set_timer();
}

static void hand_on(struct side *side)
{
    struct pair *pair = side->pair;
    char bytes[CHUNK_BYTES];
    ssize_t got = recv(side->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (side == &pair->client) {
        if (got <= 0 || !send_all(pair->target.fd, bytes, (size_t)got))
            close_pair(pair);
        return;
    }
    if (got <= 0)
        epoll_ctl(epoll, EPOLL_CTL_DEL, side->fd, NULL);
    delay(pair, bytes, got > 0 ? (size_t)got : 0);
}

static void accept_one(void)
{
    const int on = 1;
    struct pair *pair = calloc(1, sizeof *pair);
    int client = accept(listener.fd, NULL, NULL);
    int other = socket(target->ai_family, SOCK_STREAM, 0);
    if (!pair || client < 0 || other < 0)
        fail("accept");
    if (connect(other, target->ai_addr, target->ai_addrlen) != 0) {
        close(client);
        close(other);
        free(pair);
        return;
    }
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(other, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    pair->client = (struct side){pair, client};
    pair->target = (struct side){pair, other};
    watch(&pair->client);
    watch(&pair->target);
}

static void start_listening(unsigned short port)
{
    const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener.fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener.fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener.fd, 511) != 0 ||
        getsockname(listener.fd, (struct sockaddr *)&address, &length) != 0)
        fail("listen");
    timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    watch(&listener);
    watch(&timer);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct epoll_event events[EVENTS];
    if (argc != 5 || getaddrinfo(argv[2], argv[3], &hints, &target) != 0) {
        fprintf(stderr, "usage: delay_proxy LISTEN-PORT TARGET-HOST TARGET-PORT DELAY-MS\n");
        return 64;
    }
    delay_us = strtol(argv[4], NULL, 10) * 1000;
    epoll = epoll_create1(0);
    start_listening((unsigned short)strtoul(argv[1], NULL, 10));
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct side *side = events[i].data.ptr;
            unsigned long ticks;
            if (side == &listener)
                accept_one();
            else if (side == &timer && read(timer.fd, &ticks, sizeof ticks) < 0)
                continue;
            else if (side != &timer && !side->pair->closed)
                hand_on(side);
        }
        send_due();
        bury();
    }
}
