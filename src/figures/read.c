/* SPDX-License-Identifier: MIT */
#include "read.h"

#include "base/date.h"
#include "base/reason.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Views ---- */

struct figures_view figures_view_own(void)
{
    return (struct figures_view){
        .figures = figures_in_use(), .fd = figures_in_use_fd(), .own = figures_own_process()};
}

/* Reads the file instead of mapping it, so that truncation does no harm. */
static bool copy_file(int fd, struct figures *figures)
{
    char *at = (char *)figures;
    size_t left = FIGURES_SIZE;
    while (left > 0) {
        ssize_t got = read(fd, at, left);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        left -= (size_t)got;
    }
    return memcmp(figures->header.magic, FIGURES_MAGIC, sizeof figures->header.magic) == 0 &&
           figures->header.version == FIGURES_VERSION && figures->header.size == FIGURES_SIZE;
}

bool figures_view_file(const char *path, struct figures_view *view_r, struct reason *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    *view_r = (struct figures_view){.fd = fd};
    if (fd < 0) {
        reason_set(why, "%s cannot be read: %s", path, strerror(errno));
        return false;
    }
    view_r->figures = aligned_alloc(64, (FIGURES_SIZE + 63) / 64 * 64);
    if (!view_r->figures)
        reason_set(why, "out of memory");
    else if (copy_file(fd, view_r->figures))
        return true;
    else
        reason_set(why, "%s is not a file of figures of this version", path);
    figures_view_close(view_r);
    return false;
}

void figures_view_close(struct figures_view *view)
{
    free(view->figures);
    close(view->fd);
    *view = (struct figures_view){.fd = -1};
}

/* ---- Names ---- */

/* False: it is not a text that may be shown. */
static bool get_text(const struct figures_name *name, char text_r[FIGURES_NAME_MAX + 1])
{
    size_t length = figures_name_get(name, text_r);
    text_r[length] = '\0';
    return text_is_plain((struct span){text_r, length});
}

bool figures_place_name(struct figures *figures, enum figures_table table, unsigned place,
                        char name_r[FIGURES_NAME_MAX + 1])
{
    if (place == figures_places(figures, table)) {
        strcpy(name_r, "other");
        return true;
    }
    const struct figures_name *name = figures_name_of(figures, table, place);
    return figures_get(&name->length) != 0 && get_text(name, name_r) &&
           figures_is_place_of(figures, table, place, span_of(name_r));
}

/* ---- Processes ---- */

bool figures_process_lives(const struct figures_view *view, unsigned place)
{
    const struct figures_process *process = &view->figures->processes[place];
    return figures_get(&process->pid) != 0 &&
           (process == view->own || figures_place_lives(view->fd, place));
}

static void add_process(const struct figures_process *process, struct figures_sum *sum)
{
    uint64_t started = figures_get(&process->started);
    sum->in_flight += figures_get(&process->in_flight);
    if (!sum->started || started < sum->started)
        sum->started = started;
    if (!figures_get(&process->resident))
        return;
    sum->busy += figures_get(&process->busy);
    sum->threads += figures_get(&process->threads);
    sum->reloads_failed += figures_get(&process->reload_failed) != 0;
    if (figures_get(&process->reloaded_at) > sum->reloaded_at)
        sum->reloaded_at = figures_get(&process->reloaded_at);
    for (unsigned i = 0; i <= FIGURES_STORES; i++) {
        uint64_t since = figures_get(&process->breaker_since[i]);
        sum->entries[i] += figures_get(&process->entries[i]);
        if (since && (!sum->breaker_since[i] || since < sum->breaker_since[i]))
            sum->breaker_since[i] = since;
    }
}

void figures_sum_processes(const struct figures_view *view, struct figures_sum *sum_r)
{
    *sum_r = (struct figures_sum){0};
    for (unsigned i = 0; i < FIGURES_PROCESSES; i++)
        if (figures_process_lives(view, i))
            add_process(&view->figures->processes[i], sum_r);
}

/* ---- Refusals ---- */

bool figures_read_recent(const struct figures *figures, unsigned index, struct figures_past *past_r)
{
    uint64_t count = figures_get(&figures->recent_count);
    if (index >= count || index >= FIGURES_RECENT)
        return false;
    uint64_t number = count - index;
    const struct figures_recent *recent = &figures->recent[number % FIGURES_RECENT];
    uint64_t sequence = atomic_load(&recent->sequence);
    past_r->time = figures_time(figures_get(&recent->time));
    bool good = get_text(&recent->app, past_r->app) && get_text(&recent->code, past_r->code) &&
                get_text(&recent->request_id, past_r->request_id) &&
                get_text(&recent->id, past_r->id);
    atomic_thread_fence(memory_order_acquire);
    return good && sequence == 2 * number && atomic_load(&recent->sequence) == sequence;
}

/* ---- Numbers ---- */

int64_t figures_time(uint64_t seconds)
{
    return seconds <= DATE_LATEST ? (int64_t)seconds : 0;
}

uint64_t figures_of_hour(const struct figures_app *app, enum figures_kind kind, uint64_t hour)
{
    uint64_t there = figures_get(&app->hours[kind][hour % FIGURES_HOURS]);
    return there >> FIGURES_HOUR_SHIFT == hour ? there & ((UINT64_C(1) << FIGURES_HOUR_SHIFT) - 1)
                                               : 0;
}

static uint64_t count_of(const struct figures_histogram *histogram)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < FIGURES_BUCKETS; i++)
        count += figures_get(&histogram->count[i]);
    return count;
}

/* Assumes that durations are spread evenly over a bucket.  Large counts are rounded, so that what
 * is wanted of a bucket may seem to be more than is in it. */
double figures_quantile(const struct figures_histogram *histogram, double share)
{
    double wanted = share * (double)count_of(histogram), below = 0;
    for (unsigned i = 0; i < FIGURES_BUCKETS - 1; i++) {
        double here = (double)figures_get(&histogram->count[i]);
        double from = i ? figures_bounds[i - 1] : 0, to = figures_bounds[i];
        if (here > 0 && below + here >= wanted)
            return wanted - below < here ? from + (to - from) * ((wanted - below) / here) : to;
        below += here;
    }
    return wanted > 0 ? figures_bounds[FIGURES_BUCKETS - 2] : 0;
}
