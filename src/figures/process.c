/* SPDX-License-Identifier: MIT */
#include "layout.h"

#include "base/clock.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define TRIES 16 /* tries to find a place: each is a system call */

static struct flock lock_of(off_t offset, short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
}

/* The kernel releases the lock when the process ends, in whatever way. */
static bool lock_place(int fd, unsigned place)
{
    struct flock lock = lock_of((off_t)(FIGURES_SIZE + place), F_WRLCK);
    return fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

bool figures_place_lives(int fd, unsigned place)
{
    struct flock lock = lock_of((off_t)(FIGURES_SIZE + place), F_WRLCK);
    return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* Clears what an earlier process left there.  It writes first: see map() in figures.c. */
static void move_in(struct figures_process *process, bool resident)
{
    static const char version[sizeof(uint64_t)] = PACKAGE_VERSION;
    uint64_t text;
    int64_t now;
    figure *all = (figure *)process;
    atomic_fetch_add_explicit(&process->pid, 0, memory_order_relaxed);
    for (size_t i = 0; i < sizeof *process / sizeof *all; i++)
        if (atomic_load_explicit(&all[i], memory_order_relaxed))
            atomic_store_explicit(&all[i], 0, memory_order_relaxed);
    clock_unix_seconds(&now);
    memcpy(&text, version, sizeof text);
    atomic_store(&process->version, text);
    atomic_store(&process->started, (uint64_t)now);
    atomic_store(&process->resident, resident ? FIGURES_FOR_MANY : FIGURES_FOR_ONE);
    atomic_store(&process->reloaded_at, (uint64_t)now);
    atomic_store(&process->pid, (uint64_t)getpid());
}

struct figures_process *figures_take_place(struct figures *figures, int fd, bool resident)
{
    unsigned first = (unsigned)getpid();
    unsigned tries = resident ? FIGURES_PROCESSES : TRIES;
    for (unsigned i = 0; i < tries; i++) {
        unsigned place = (first + i) % FIGURES_PROCESSES;
        if (!lock_place(fd, place))
            continue;
        move_in(&figures->processes[place], resident);
        return &figures->processes[place];
    }
    return NULL;
}
