/* SPDX-License-Identifier: MIT
 * Connections whose other end a test holds. */
#ifndef PEER_H
#define PEER_H

#include "server/conn.h"
#include "support.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static inline struct conn *connect_one(int *peer_r)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    *peer_r = ends[0];
    struct conn *made = conn_new(ends[1], 100);
    assert_non_null(made);
    return made;
}

static inline void tell(int fd, struct span bytes)
{
    assert_true(send(fd, bytes.data, bytes.length, MSG_NOSIGNAL) == (ssize_t)bytes.length);
}

static inline bool is_closed(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

#endif
