/* SPDX-License-Identifier: MIT */
#include "turn.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what is written below */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned alive;   /* turns that have not ended */
static atomic_uint left; /* those that can be had; read without the lock, too */
static unsigned calls;   /* threads that shall come */

static atomic_uint idle; /* threads that wait for connections; not guarded */

static _Thread_local bool mine;

unsigned turn_count(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return 2 * (processors > 0 ? (unsigned)processors : 1) + 1;
}

void turn_begin(void)
{
    pthread_mutex_lock(&lock);
    alive = turn_count();
    left = alive;
    calls = 0;
    pthread_mutex_unlock(&lock);
}

bool turn_wait(void)
{
    if (mine)
        return true;
    pthread_mutex_lock(&lock);
    while (calls == 0 && left == 0)
        pthread_cond_wait(&changed, &lock);
    mine = calls == 0;
    if (mine)
        left--;
    else
        calls--;
    pthread_mutex_unlock(&lock);
    return mine;
}

/* Wakes a thread where there is a turn that nobody uses.  Who gives one looks at `idle`
 * after that, who stops to be idle at `left`: one of them sees it. */
static void wake_if_needed(void)
{
    if (atomic_load(&left) == 0 || atomic_load(&idle) > 0)
        return;
    pthread_mutex_lock(&lock); /* nobody is between looking and sleeping */
    pthread_mutex_unlock(&lock);
    pthread_cond_signal(&changed);
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
    wake_if_needed(); /* for the others to be ended, too */
}

unsigned turn_alive(void)
{
    pthread_mutex_lock(&lock);
    unsigned count = alive;
    pthread_mutex_unlock(&lock);
    return count;
}

void turn_call(unsigned threads)
{
    pthread_mutex_lock(&lock);
    calls += threads;
    pthread_mutex_unlock(&lock);
    while (threads--)
        pthread_cond_signal(&changed);
}
