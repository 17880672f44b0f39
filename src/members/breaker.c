/* SPDX-License-Identifier: MIT */
#include "breaker.h"

#define LONGEST_WISH_MS 60000

void breaker_init(struct breaker *breaker, const struct breaker_settings *settings)
{
    *breaker = (struct breaker){.settings = *settings};
    pthread_mutex_init(&breaker->lock, NULL);
}

void breaker_destroy(struct breaker *breaker)
{
    pthread_mutex_destroy(&breaker->lock);
}

static int64_t more(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The caller holds the lock. */
static enum breaker_pass choose(const struct breaker *breaker, int64_t now, int64_t *wait_ms_r)
{
    if (!breaker->open_until)
        return BREAKER_FREE;
    *wait_ms_r = breaker->open_until > now ? breaker->open_until - now : 1000;
    if (now >= breaker->open_until && !breaker->probing)
        return BREAKER_TRIAL;
    return now >= breaker->glance_at && !breaker->glancing ? BREAKER_GLANCE : BREAKER_REFUSED;
}

/* The same.  The next short look-up is sent in a while, but not before `earliest`. */
static void put_off_glance(struct breaker *breaker, int64_t now, int64_t earliest)
{
    breaker->glance_at =
        more(now + more(breaker->settings.open_ms / 2, BREAKER_GLANCE_MS), earliest);
}

bool breaker_refuses(struct breaker *breaker, int64_t now, int64_t *wait_ms_r)
{
    pthread_mutex_lock(&breaker->lock);
    bool refused = choose(breaker, now, wait_ms_r) == BREAKER_REFUSED;
    pthread_mutex_unlock(&breaker->lock);
    return refused;
}

bool breaker_is_open(struct breaker *breaker)
{
    pthread_mutex_lock(&breaker->lock);
    bool open = breaker->open_until != 0;
    pthread_mutex_unlock(&breaker->lock);
    return open;
}

enum breaker_pass breaker_admit(struct breaker *breaker, int64_t now, int64_t *wait_ms_r)
{
    pthread_mutex_lock(&breaker->lock);
    enum breaker_pass pass = choose(breaker, now, wait_ms_r);
    breaker->probing = breaker->probing || pass == BREAKER_TRIAL;
    breaker->glancing = breaker->glancing || pass == BREAKER_GLANCE;
    if (pass == BREAKER_GLANCE)
        put_off_glance(breaker, now, 0);
    pthread_mutex_unlock(&breaker->lock);
    return pass;
}

/* It opens, or stays open. */
static void open_for(struct breaker *breaker, int64_t now, int64_t open_ms, int64_t wish_ms)
{
    if (open_ms > breaker->settings.max_open_ms)
        open_ms = breaker->settings.max_open_ms;
    breaker->open_ms = open_ms;
    breaker->open_until = now + more(wish_ms, open_ms);
    put_off_glance(breaker, now, now + wish_ms);
}

static enum breaker_change note_failure(struct breaker *breaker, int64_t now,
                                        enum breaker_pass pass, int64_t wish_ms)
{
    wish_ms = wish_ms > LONGEST_WISH_MS ? LONGEST_WISH_MS : more(wish_ms, 0);
    breaker->failures++;
    if (breaker->open_until) { /* look-ups that went out before say nothing new */
        if (pass == BREAKER_TRIAL)
            open_for(breaker, now, 2 * breaker->open_ms, wish_ms);
        else if (pass == BREAKER_GLANCE && wish_ms)
            open_for(breaker, now, breaker->open_ms, wish_ms);
        return BREAKER_SAME;
    }
    if (breaker->settings.failures == 0 || breaker->failures < breaker->settings.failures)
        return BREAKER_SAME;
    open_for(breaker, now, breaker->settings.open_ms, wish_ms);
    return BREAKER_OPENED;
}

enum breaker_change breaker_report(struct breaker *breaker, int64_t now, enum breaker_pass pass,
                                   bool failed, int64_t wait_ms)
{
    enum breaker_change change = BREAKER_SAME;
    pthread_mutex_lock(&breaker->lock);
    if (failed) {
        change = note_failure(breaker, now, pass, wait_ms);
    } else {
        change = breaker->open_until ? BREAKER_CLOSED : BREAKER_SAME;
        breaker->failures = 0;
        breaker->open_until = 0;
    }
    if (pass == BREAKER_TRIAL)
        breaker->probing = false;
    else if (pass == BREAKER_GLANCE)
        breaker->glancing = false;
    pthread_mutex_unlock(&breaker->lock);
    return change;
}
