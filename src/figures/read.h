/* SPDX-License-Identifier: MIT
 * Reading the figures: those in use, or a file of other processes. */
#ifndef READ_H
#define READ_H

#include "layout.h"

struct figures_view {
    struct figures *figures; /* NULL: there are none */
    int fd;                  /* of their file; -1: memory */
    const struct figures_process *own;
};

struct figures_view figures_view_own(void);

/* A copy of what a file holds; it is not changed.  False: `why`, and there is nothing to close. */
bool figures_view_file(const char *path, struct figures_view *view_r, struct reason *why);
void figures_view_close(struct figures_view *view);

/* The name of a place; "other" of the last one.  False: the place is free, or what is there is
 * not its name. */
bool figures_place_name(struct figures *figures, enum figures_table table, unsigned place,
                        char name_r[FIGURES_NAME_MAX + 1]);

bool figures_process_lives(const struct figures_view *view, unsigned place);

/* A Unix time that the figures hold; 0 where it is none that a date can be written for. */
int64_t figures_time(uint64_t seconds);

/* Of all processes that live. */
struct figures_sum {
    uint64_t in_flight, busy, threads; /* threads: of the resident ones */
    uint64_t started;                  /* the first one; 0: none */
    uint64_t reloaded_at;              /* the last time that was good */
    unsigned reloads_failed;           /* processes whose last reload was not good */
    uint64_t entries[FIGURES_STORES + 1], breaker_since[FIGURES_STORES + 1];
};
void figures_sum_processes(const struct figures_view *view, struct figures_sum *sum_r);

/* One of the newest refusals; newest first from 0.  False: there is none. */
struct figures_past {
    int64_t time;
    char app[FIGURES_NAME_MAX + 1], code[FIGURES_NAME_MAX + 1];
    char request_id[FIGURES_NAME_MAX + 1], id[FIGURES_NAME_MAX + 1];
};
bool figures_read_recent(const struct figures *figures, unsigned index,
                         struct figures_past *past_r);

/* Tokens of an hour since 1970; 0 if they are no longer known. */
uint64_t figures_of_hour(const struct figures_app *app, enum figures_kind kind, uint64_t hour);

/* The duration in microseconds below which `share` (0 to 1) of all stay; 0: there were none. */
double figures_quantile(const struct figures_histogram *histogram, double share);

#endif
