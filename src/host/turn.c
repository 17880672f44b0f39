/* SPDX-License-Identifier: MIT */
#include "turn.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what is written below */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned alive;   /* turns that have not ended */
static atomic_uint left; /* those that can be had; read without the lock, too */
static unsigned spare;   /* so many of them may lie about: the others keep the processors busy */
static unsigned sleeping;
static unsigned calls; /* threads that shall come */

static atomic_uint idle; /* threads that wait for connections; not guarded */

static _Thread_local bool mine;

static unsigned processor_count(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors > 0 ? (unsigned)processors : 1;
}

unsigned turn_count(void)
{
    return 2 * processor_count() + 1;
}

void turn_begin(void)
{
    pthread_mutex_lock(&lock);
    alive = turn_count();
    left = alive;
    spare = alive - processor_count();
    calls = 0;
    pthread_mutex_unlock(&lock);
}

bool turn_wait(void)
{
    if (mine)
        return true;
    pthread_mutex_lock(&lock);
    sleeping++;
    while (calls == 0 && left == 0)
        pthread_cond_wait(&changed, &lock);
    sleeping--;
    mine = calls == 0;
    if (mine)
        left--;
    else
        calls--;
    pthread_mutex_unlock(&lock);
    return mine;
}

static void wake(void)
{
    pthread_mutex_lock(&lock); /* nobody is between looking and sleeping */
    pthread_mutex_unlock(&lock);
    pthread_cond_signal(&changed);
}

/* Where few have turns, and none of them waits for connections.  Who gives one looks at
 * `idle` after that, who stops to be idle at `left`: one of them sees it. */
static void wake_if_needed(void)
{
    if (atomic_load(&left) > spare && atomic_load(&idle) == 0)
        wake();
}

void turn_idle_begin(void)
{
    atomic_fetch_add(&idle, 1);
}

void turn_idle_end(void)
{
    atomic_fetch_sub(&idle, 1);
    wake_if_needed();
}

void turn_give(void)
{
    if (!mine)
        return;
    mine = false;
    pthread_mutex_lock(&lock);
    left++;
    pthread_mutex_unlock(&lock);
    wake_if_needed();
}

void turn_end(void)
{
    if (!mine)
        return;
    mine = false;
    pthread_mutex_lock(&lock);
    alive--;
    pthread_mutex_unlock(&lock);
    if (atomic_load(&left) > 0)
        wake(); /* for it to be ended, too */
}

unsigned turn_alive(void)
{
    pthread_mutex_lock(&lock);
    unsigned count = alive;
    pthread_mutex_unlock(&lock);
    return count;
}

bool turn_call(unsigned threads)
{
    pthread_mutex_lock(&lock);
    calls += threads;
    bool heard = sleeping >= calls;
    pthread_mutex_unlock(&lock);
    while (threads--)
        pthread_cond_signal(&changed);
    return heard;
}
