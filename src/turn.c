/* SPDX-License-Identifier: MIT */
#include "turn.h"

#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned alive, left; /* turns: those there are, those that can be had */
static unsigned calls;       /* threads that shall come */

static _Thread_local bool mine;

unsigned turn_count(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return 2 * (processors > 0 ? (unsigned)processors : 1) + 1;
}

void turn_begin(void)
{
    pthread_mutex_lock(&lock);
    alive = left = turn_count();
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

void turn_give(void)
{
    if (!mine)
        return;
    mine = false;
    pthread_mutex_lock(&lock);
    left++;
    pthread_mutex_unlock(&lock);
    pthread_cond_signal(&changed);
}

void turn_end(void)
{
    if (!mine)
        return;
    mine = false;
    pthread_mutex_lock(&lock);
    alive--;
    pthread_mutex_unlock(&lock);
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
