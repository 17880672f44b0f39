/* SPDX-License-Identifier: MIT
 *
 * slow_http PORT MILLISECONDS
 *
 * A member service on 127.0.0.1 that thinks: GET .../ID is answered so much later, with
 * the member ID.  Any number of connections, one request at a time on each, no bodies.
 */
#include "clocks.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 4096
#define HEAD        4096

struct connection {
    size_t length;
    long due; /* 0: nothing was asked */
    char head[HEAD + 1];
};

static struct connection *connections[CONNECTIONS];
static int waiting[CONNECTIONS]; /* a ring, in the order of their turns */
static size_t first, count;

static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((unsigned short)port)};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1024) != 0) {
        perror("slow_http");
        exit(1);
    }
    return fd;
}

static void take_connections(int listener, int events)
{
    const int on = 1;
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (fd >= CONNECTIONS || !(connections[fd] = calloc(1, sizeof **connections))) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_ctl(events, EPOLL_CTL_ADD, fd, &event);
    }
}

static void drop(int fd)
{
    close(fd);
    free(connections[fd]);
    connections[fd] = NULL;
}

static void take_bytes(int events, int fd, long delay_us)
{
    struct connection *connection = connections[fd];
    ssize_t got = read(fd, connection->head + connection->length, HEAD - connection->length);
    if (got <= 0 && connection->due) { /* its turn will come, and go: no one else gets the number */
        shutdown(fd, SHUT_RDWR);
        epoll_ctl(events, EPOLL_CTL_DEL, fd, NULL);
        return;
    }
    if (got <= 0) {
        drop(fd);
        return;
    }
    connection->length += (size_t)got;
    connection->head[connection->length] = '\0';
    if (!connection->due && strstr(connection->head, "\r\n\r\n")) {
        connection->due = now_us() + delay_us;
        waiting[(first + count++) % CONNECTIONS] = fd;
    }
}

static void answer(int fd)
{
    struct connection *connection = connections[fd];
    char body[512], text[1024];
    char *end = strstr(connection->head, " HTTP/");
    char *id = end ? end : connection->head;
    while (id > connection->head && id[-1] != '/')
        id--;
    int length =
        snprintf(body, sizeof body,
                 "{\"appUserId\":\"%.*s\",\"appUserName\":\"member\",\"state\":\"ACTIVE\"}",
                 end ? (int)(end - id) : 0, id);
    int size = snprintf(text, sizeof text,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                        "Content-Length: %d\r\n\r\n%s",
                        length, body);
    connection->length = 0;
    connection->due = 0;
    if (send(fd, text, (size_t)size, MSG_NOSIGNAL) != size)
        drop(fd);
}

/* Answers those whose time has come; the microseconds until the next one. */
static long answer_due(void)
{
    for (long now = now_us(); count; first = (first + 1) % CONNECTIONS, count--) {
        int fd = waiting[first];
        long due = connections[fd]->due;
        if (due > now)
            return due - now;
        answer(fd);
    }
    return 1000000;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: slow_http PORT MILLISECONDS\n");
        return 64;
    }
    int listener = listen_on(atoi(argv[1])), events = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, ready[256];
    epoll_ctl(events, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        long pause = answer_due();
        const struct timespec patience = {.tv_sec = pause / 1000000,
                                          .tv_nsec = pause % 1000000 * 1000};
        int got = epoll_pwait2(events, ready, 256, &patience, NULL);
        for (int i = 0; i < got; i++) {
            if (ready[i].data.fd == listener)
                take_connections(listener, events);
            else
                take_bytes(events, ready[i].data.fd, atol(argv[2]) * 1000);
        }
    }
}
