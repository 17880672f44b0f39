/* SPDX-License-Identifier: MIT
 * A circuit breaker in front of a directory: after some failures in a row it
 * opens and spares everyone the wait.  Then it lets one look-up through, and
 * waits twice as long each time that look-up fails.  Meanwhile short ones find
 * out whether the directory is back.  Times are monotonic ms. */
#ifndef BREAKER_H
#define BREAKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct breaker_settings {
    int64_t failures; /* in a row, until it opens; 0: it never does */
    int64_t open_ms, max_open_ms;
};

struct breaker {
    struct breaker_settings settings;
    pthread_mutex_t lock; /* guards what follows */
    int64_t failures;     /* in a row */
    int64_t open_until;   /* 0: closed */
    int64_t open_ms;      /* how long it opened last */
    int64_t glance_at;    /* when the next short look-up may go out */
    bool probing;         /* one look-up is on its way to find out */
    bool glancing;        /* so is a short one */
};

void breaker_init(struct breaker *breaker, const struct breaker_settings *settings);
void breaker_destroy(struct breaker *breaker);

/* Whether it refuses a look-up now; then *wait_ms_r is how long it stays open. */
bool breaker_refuses(struct breaker *breaker, int64_t now, int64_t *wait_ms_r);

/* Whether it has opened and not closed again: then only trials go out. */
bool breaker_is_open(struct breaker *breaker);

enum breaker_pass {
    BREAKER_REFUSED,
    BREAKER_FREE,  /* it is closed */
    BREAKER_TRIAL, /* it is open, and this look-up decides */
    BREAKER_GLANCE /* the same, but only if it succeeds within BREAKER_GLANCE_MS */
};

enum { BREAKER_GLANCE_MS = 500 };

/* How a look-up may go out now.  If it may, breaker_report() must follow.  If
 * not, *wait_ms_r is how long it stays open. */
enum breaker_pass breaker_admit(struct breaker *breaker, int64_t now, int64_t *wait_ms_r);

enum breaker_change { BREAKER_SAME, BREAKER_OPENED, BREAKER_CLOSED };

/* How the look-up with this pass went.  A longer pause that the directory asked for,
 * `wait_ms`, counts up to a minute.  Tells when the state changed, for the log. */
enum breaker_change breaker_report(struct breaker *breaker, int64_t now, enum breaker_pass pass,
                                   bool failed, int64_t wait_ms);

#endif
