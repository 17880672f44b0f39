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

/* The caller holds the lock. */
static bool refuses(const struct breaker *breaker, int64_t now, int64_t *wait_ms_r)
{
    if (!breaker->open_until)
        return false;
    *wait_ms_r = breaker->open_until > now ? breaker->open_until - now : 1000;
    return now < breaker->open_until || breaker->probing;
}

bool breaker_refuses(struct breaker *breaker, int64_t now, int64_t *wait_ms_r)
{
    pthread_mutex_lock(&breaker->lock);
    bool refused = refuses(breaker, now, wait_ms_r);
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

bool breaker_admit(struct breaker *breaker, int64_t now, int64_t *wait_ms_r)
{
    pthread_mutex_lock(&breaker->lock);
    bool admit = !refuses(breaker, now, wait_ms_r);
    breaker->probing = breaker->probing || (admit && breaker->open_until);
    pthread_mutex_unlock(&breaker->lock);
    return admit;
}

static enum breaker_change note_failure(struct breaker *breaker, int64_t now, int64_t wait_ms)
{
    bool was_open = breaker->open_until != 0;
    breaker->failures++;
    /* while it is open, only the trial look-up decides */
    if (breaker->settings.failures == 0 ||
        (was_open ? !breaker->probing : breaker->failures < breaker->settings.failures))
        return BREAKER_SAME;
    int64_t open_ms = was_open ? 2 * breaker->open_ms : breaker->settings.open_ms;
    if (open_ms > breaker->settings.max_open_ms)
        open_ms = breaker->settings.max_open_ms;
    breaker->open_ms = open_ms;
    if (wait_ms > LONGEST_WISH_MS)
        wait_ms = LONGEST_WISH_MS;
    breaker->open_until = now + (wait_ms > open_ms ? wait_ms : open_ms);
    breaker->probing = false;
    return was_open ? BREAKER_SAME : BREAKER_OPENED;
}

enum breaker_change breaker_report(struct breaker *breaker, int64_t now, bool failed,
                                   int64_t wait_ms)
{
    enum breaker_change change;
    pthread_mutex_lock(&breaker->lock);
    if (failed) {
        change = note_failure(breaker, now, wait_ms);
    } else {
        change = breaker->open_until ? BREAKER_CLOSED : BREAKER_SAME;
        breaker->failures = 0;
        breaker->open_until = 0;
        breaker->probing = false;
    }
    pthread_mutex_unlock(&breaker->lock);
    return change;
}
