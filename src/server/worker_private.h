/* SPDX-License-Identifier: MIT
 * The threads of the server, and how each serves a connection. */
#ifndef WORKER_PRIVATE_H
#define WORKER_PRIVATE_H

#include "api/http.h"
#include "crew.h"
#include "members/gate.h"
#include "park.h"
#include "snapshot.h"

/* Acceptors or readers, of which some may wait for a directory that is near. */
struct borrowers {
    unsigned most;
    atomic_uint waiting;
};

struct worker {
    struct server *server;
    struct crew *crew;           /* NULL: it accepts */
    struct borrowers *borrowers; /* that it is one of; NULL: it is an asker */
    struct gate gate;
    unsigned number;
    pthread_t thread;
    atomic_bool accepting;     /* it waits for a connection */
    atomic_llong asking_since; /* an acceptor, for itself; 0: it does not, or RELIEVED */
    bool relieved;             /* an asker accepts in its place: it becomes an asker itself */
    struct http_response response;
    struct bytes text; /* of the response */
};

enum {
    RELIEVED = -1,
    RELIEF_MS = 10 /* how long an acceptor may wait for a directory before it is relieved */
};

struct server {
    int listen_fd;
    struct park *park;
    struct snapshots *snapshots;
    atomic_bool stopping;    /* accept only what has come already, */
    int64_t sweep_end;       /* until then; set before `stopping` is */
    atomic_uint acceptors;   /* that have not ended */
    atomic_bool all_may_ask; /* there are no askers, or not yet */
    struct borrowers accepting, reading;
    atomic_bool borrowed;  /* an acceptor has asked since the polling thread looked */
    atomic_uint relieved;  /* acceptors that were relieved, and still wait */
    struct crew readers;   /* serve kept connections; do not wait */
    struct crew askers;    /* serve what has to wait for a directory */
    atomic_llong poll_end; /* when the polling thread looks again at the askers' queue, and at
                            * acceptors that ask */
    unsigned count;        /* workers that run; the one behind them is the polling thread */
    struct worker workers[];
};

/* Makes a worker that may wait for nothing until it is given a crew. */
void worker_init(struct worker *worker, struct server *server, unsigned number);
void worker_free(struct worker *worker);

/* Serves a connection as long as it has something to do; then it is parked, freed, or with
 * the askers. */
void worker_serve(struct worker *worker, struct conn *conn);

#endif
