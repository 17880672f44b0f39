/* SPDX-License-Identifier: MIT */
#include "threads.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define STACK_SIZE (512 * 1024)       /* libraries in it resolve names and speak TLS */
#define HELD_BACK  (16 * 1024 * 1024) /* only addresses, until it is used */

unsigned threads_processors(void)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 0)
        return (unsigned)CPU_COUNT(&allowed);
    long processors = sysconf(_SC_NPROCESSORS_ONLN); /* more than the set can hold */
    return processors > 0 ? (unsigned)processors : 1;
}

bool threads_start(pthread_t *thread_r, void *(*run)(void *argument), void *argument)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    bool started = pthread_create(thread_r, &attributes, run, argument) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

void *threads_hold_back(void)
{
    return mmap(NULL, HELD_BACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

void threads_give_back(void *memory)
{
    if (memory != MAP_FAILED)
        munmap(memory, HELD_BACK);
}

/* pthread_create() says EAGAIN in both cases.  It needs more than the stack: a guard, and a piece
 * of the heap, which may have to grow. */
void threads_shortage(struct reason *reason_r)
{
    struct rlimit limit = {0};
    size_t needed = 2 * STACK_SIZE;
    void *room = mmap(NULL, needed, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool memory = room == MAP_FAILED;
    if (!memory)
        munmap(room, needed);
    int rc = memory ? getrlimit(RLIMIT_AS, &limit) : getrlimit(RLIMIT_NPROC, &limit);
    bool limited = rc == 0 && limit.rlim_cur != RLIM_INFINITY;
    unsigned long long count = limit.rlim_cur;
    if (memory && limited)
        reason_set(reason_r, "the limit of memory (ulimit -v: %llu KiB) is too low", count / 1024);
    else if (memory)
        reason_set(reason_r, "there is not enough memory");
    else if (limited)
        reason_set(reason_r,
                   "the limit of processes and threads is too low (ulimit -u: %llu for all of this "
                   "user's, or a limit of the container or service)",
                   count);
    else
        reason_set(reason_r, "the limit of processes and threads of the container or service "
                             "(TasksMax, pids.max) is too low");
}
