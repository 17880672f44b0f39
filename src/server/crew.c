/* SPDX-License-Identifier: MIT */
#include "crew.h"

void crew_init(struct crew *crew)
{
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->filled, NULL);
}

void crew_destroy(struct crew *crew)
{
    pthread_mutex_destroy(&crew->lock);
    pthread_cond_destroy(&crew->filled);
}

void crew_join(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    crew->members++;
    pthread_mutex_unlock(&crew->lock);
}

/* Whether a thread sleeps that was not woken yet, and whose place is not lent. */
static bool has_room(const struct crew *crew)
{
    return crew->sleeping > crew->queued + crew->lent;
}

bool crew_put(struct crew *crew, struct conn *conn)
{
    pthread_mutex_lock(&crew->lock);
    bool wakes = has_room(crew);
    crew->queued++;
    conn_queue_push(&crew->queue, conn);
    pthread_mutex_unlock(&crew->lock);
    if (wakes)
        pthread_cond_signal(&crew->filled);
    return wakes;
}

enum crew_order crew_take(struct crew *crew, struct conn **conn_r)
{
    enum crew_order order = CREW_REPLACE;
    pthread_mutex_lock(&crew->lock);
    crew->sleeping++;
    while (!crew->leaving && !crew->sold && (!crew->queue.first || crew->sleeping <= crew->lent))
        pthread_cond_wait(&crew->filled, &crew->lock);
    crew->sleeping--;
    if (crew->sold) {
        crew->sold--;
        crew->lent--;
    } else {
        *conn_r = conn_queue_pop(&crew->queue);
        crew->queued -= *conn_r != NULL;
        order = *conn_r ? CREW_SERVE : CREW_LEAVE;
    }
    pthread_mutex_unlock(&crew->lock);
    return order;
}

bool crew_lend(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    bool lent = has_room(crew);
    crew->lent += lent;
    pthread_mutex_unlock(&crew->lock);
    return lent;
}

void crew_take_back(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    crew->lent--;
    bool wakes = crew->queue.first != NULL;
    pthread_mutex_unlock(&crew->lock);
    if (wakes)
        pthread_cond_signal(&crew->filled);
}

void crew_sell(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    crew->sold++;
    pthread_mutex_unlock(&crew->lock);
    pthread_cond_signal(&crew->filled);
}

int64_t crew_take_late(struct crew *crew, int64_t now, struct conn_queue *late)
{
    pthread_mutex_lock(&crew->lock);
    for (; crew->queue.first && crew->queue.first->deadline <= now; crew->queued--)
        conn_queue_push(late, conn_queue_pop(&crew->queue));
    int64_t first = crew->queue.first ? crew->queue.first->deadline : INT64_MAX;
    pthread_mutex_unlock(&crew->lock);
    return first;
}

bool crew_is_idle(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    bool idle = crew->sleeping == crew->members && crew->queued == 0;
    pthread_mutex_unlock(&crew->lock);
    return idle;
}

void crew_leave(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    crew->leaving = true;
    pthread_cond_broadcast(&crew->filled);
    pthread_mutex_unlock(&crew->lock);
}
