/* SPDX-License-Identifier: MIT */
#include "worker_private.h"

#include "api/handler.h"
#include "base/clock.h"
#include "figures/figures.h"
#include "record.h"

#include <stddef.h>

/* ---- Who may wait for a network ---- */

static struct worker *worker_of(struct gate *gate)
{
    return (struct worker *)((char *)gate - offsetof(struct worker, gate));
}

/* The polling thread watches how long an acceptor waits. */
static void begin_asking(struct worker *worker)
{
    struct server *server = worker->server;
    if (worker->borrowers != &server->accepting)
        return;
    int64_t now = clock_monotonic_ms();
    atomic_store(&worker->asking_since, now);
    if (!atomic_load(&server->borrowed))
        atomic_store(&server->borrowed, true);
    if (now + RELIEF_MS < atomic_load(&server->poll_end))
        park_wake(server->park);
}

/* Where the answer comes sooner than an asker would wake up, the thread waits for it in an
 * asker's place, unless too few would be left to read, or others there wait for long. */
static bool enter_gate(struct gate *gate, bool near)
{
    struct worker *worker = worker_of(gate);
    struct borrowers *borrowers = worker->borrowers;
    if (!near || worker->relieved || atomic_load(&worker->server->relieved))
        return false;
    if (atomic_fetch_add(&borrowers->waiting, 1) < borrowers->most &&
        crew_lend(&worker->server->askers)) {
        begin_asking(worker);
        return true;
    }
    atomic_fetch_sub(&borrowers->waiting, 1);
    return false;
}

static void leave_gate(struct gate *gate)
{
    struct worker *worker = worker_of(gate);
    struct server *server = worker->server;
    if (atomic_exchange(&worker->asking_since, 0) == RELIEVED) {
        worker->relieved = true;
        atomic_fetch_sub(&server->relieved, 1);
    } else {
        crew_take_back(&server->askers);
    }
    atomic_fetch_sub(&worker->borrowers->waiting, 1);
}

/* ---- One request ---- */

static void fill_request(struct worker *worker, const struct conn *conn,
                         struct http_request *request_r)
{
    const struct intake *intake = &conn->intake;
    struct span rest = bytes_span(&intake->params), name, value;
    *request_r = (struct http_request){.body = bytes_span(&intake->body),
                                       .too_large = intake->params_too_large};
    while (intake_take_pair(&rest, &name, &value))
        http_request_take(request_r, name, value);
    http_judge_body(request_r, intake->body_total, intake->body_limit);
    if (intake->body_fate == INTAKE_BODY_DROPPED && request_r->body_state == HTTP_BODY_COMPLETE)
        request_r->body_state = HTTP_BODY_DROPPED;
    request_r->deadline = conn->deadline;
    request_r->began_us = conn->began_us;
    if (worker->borrowers &&
        !atomic_load_explicit(&worker->server->all_may_ask, memory_order_relaxed))
        request_r->gate = &worker->gate;
}

/* Puts the answer into the connection's `out`.  False: memory ran out, even for an error. */
static bool write_answer(struct worker *worker, struct conn *conn,
                         const struct http_request *request)
{
    bool clean = conn->out.length == 0;
    http_write(request, &worker->response, &worker->text);
    record_append_answer(&conn->out, conn->intake.id, bytes_span(&worker->text));
    if (worker->text.failed || (conn->out.failed && clean)) {
        bytes_free(&worker->text);
        bytes_reset(&conn->out);
        record_append_answer(&conn->out, conn->intake.id, http_last_words());
    }
    bytes_reset(&worker->text);
    return !conn->out.failed;
}

/* Hands a request over to the askers.  The polling thread watches its deadline. */
static void hand_over(struct server *server, struct conn *conn)
{
    int64_t deadline = conn->deadline;
    if (!crew_put(&server->askers, conn) && deadline < atomic_load(&server->poll_end))
        park_wake(server->park);
}

/* Serves a complete request: its answer is in `out`.  False: the connection is gone, or
 * with the askers. */
static bool serve_request(struct worker *worker, struct conn *conn)
{
    struct server *server = worker->server;
    struct http_request request;
    const struct settings *settings = snapshots_acquire(server->snapshots, worker->number);
    if (conn->deadline == 0) {
        conn->began_us = clock_monotonic_us();
        conn->deadline = clock_monotonic_ms() + settings->top.request_timeout_ms;
        figures_request_begins();
    }
    fill_request(worker, conn, &request);
    figures_thread_begins();
    bool answered = handler_serve(settings, &request, &worker->response);
    figures_thread_ends();
    if (answered)
        figures_request_ends();
    snapshots_release(server->snapshots, worker->number);
    if (!answered) {
        hand_over(server, conn);
        return false;
    }
    bool written = write_answer(worker, conn, &request);
    http_response_reset(&worker->response);
    conn->closing = !conn->intake.keep || atomic_load(&server->stopping);
    conn->served = true;
    conn->deadline = conn->began_at = 0;
    intake_next(&conn->intake);
    if (!written)
        conn_free(conn);
    return written;
}

/* Decides on a body that is not small: none is kept for those that may not ask for anything. */
static void judge_body(struct worker *worker, struct conn *conn)
{
    struct server *server = worker->server;
    struct http_request request;
    const struct settings *settings = snapshots_acquire(server->snapshots, worker->number);
    fill_request(worker, conn, &request);
    intake_judge(&conn->intake, handler_wants_body(settings, &request));
    snapshots_release(server->snapshots, worker->number);
}

void worker_serve(struct worker *worker, struct conn *conn)
{
    while (conn->state != INTAKE_MORE && conn->state != INTAKE_BAD) {
        if (conn->state == INTAKE_HEAD)
            judge_body(worker, conn);
        else if (!serve_request(worker, conn))
            return;
        if (!conn_send(conn) || (conn->closing && !conn->out.length))
            conn->state = INTAKE_BAD;
        else if (conn->out.length)
            conn->state = INTAKE_MORE; /* it reads first what it asked for */
        else
            conn_receive(conn);
    }
    if (conn->state == INTAKE_MORE)
        park_put(worker->server->park, conn);
    else
        conn_free(conn);
}

void worker_init(struct worker *worker, struct server *server, unsigned number)
{
    *worker = (struct worker){.server = server,
                              .number = number,
                              .borrowers = &server->reading,
                              .gate = {enter_gate, leave_gate}};
}

void worker_free(struct worker *worker)
{
    http_response_free(&worker->response);
    bytes_free(&worker->text);
}
