/* SPDX-License-Identifier: MIT
 * The figures in use: maps them, and keeps them when the file changes underneath. */
#include "layout.h"

#include "base/clock.h"
#include "base/reason.h"
#include "host/log.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_int in_use_fd = -1;
static char *in_use_path;               /* NULL: memory */
static char last_warning[REASON_MAX];   /* already logged, and not repeated */
static volatile sig_atomic_t cut_short; /* pages of the file are gone */
static struct sigaction other_handler;

int figures_in_use_fd(void)
{
    return atomic_load(&in_use_fd);
}

void *figures_throttle(void)
{
    struct figures *figures = figures_in_use();
    return figures ? figures->throttle : NULL;
}

/* ---- A file that is cut short ---- */

/* The file was truncated, so a page of it is missing.  Memory takes the place of the whole
 * mapping, and the instruction runs again.  Any other fault ends the process as usual. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
    (void)context;
    int error = errno;
    char *figures = (char *)figures_in_use(), *at = info->si_addr;
    if (figures && at >= figures && at < figures + FIGURES_SIZE &&
        mmap(figures, FIGURES_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
             -1, 0) != MAP_FAILED)
        cut_short = 1;
    else
        sigaction(number, &other_handler, NULL);
    errno = error;
}

static void handle_bus_errors(void)
{
    const struct sigaction action = {.sa_sigaction = on_bus_error,
                                     .sa_flags = SA_SIGINFO | SA_RESTART};
    struct sigaction before;
    if (sigaction(SIGBUS, &action, &before) == 0 && before.sa_sigaction != on_bus_error)
        other_handler = before;
}

/* ---- Mapping ---- */

/* At the address that it has already, if it has one.  A page that is written first costs one page
 * fault; one that is read first costs two. */
static bool map(int fd)
{
    struct figures *old = figures_in_use();
    int flags = (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED) | (old ? MAP_FIXED : 0);
    void *new = mmap(old, FIGURES_SIZE, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (new == MAP_FAILED)
        return false;
    cut_short = 0;
    figures_put_in_use(new);
    atomic_fetch_add_explicit(&((struct figures *)new)->header.zero[0], 0, memory_order_relaxed);
    return true;
}

static void warn_once(const struct reason *why)
{
    if (strcmp(last_warning, why->text) == 0)
        return;
    memcpy(last_warning, why->text, sizeof last_warning);
    log_warning("status.file: %s: the figures of this process are in its memory only", why->text);
}

/* What is mapped is now that of `fd` and `path`, which it takes over; -1 and NULL: of no file. */
static void use_mapping(int fd, char *path, enum figures_user user)
{
    int old = atomic_exchange(&in_use_fd, fd);
    figures_moved(fd, user == FIGURES_RESIDENT);
    if (old >= 0)
        close(old);
    free(in_use_path);
    in_use_path = path;
}

static void use_memory(enum figures_user user)
{
    struct figures *figures = figures_in_use();
    if ((figures && !in_use_path) || (user == FIGURES_ONCE && !figures))
        return;
    if (map(-1))
        use_mapping(-1, NULL, user);
}

/* False: `why`. */
static bool use_file(const char *path, enum figures_user user, struct reason *why)
{
    int fd;
    char *copy = strdup(path);
    if (!copy) {
        reason_set(why, "out of memory");
        return false;
    }
    handle_bus_errors();
    bool good = figures_open_file(path, &fd, why);
    if (good && !map(fd)) {
        reason_set(why, "%s cannot be mapped: %s", path, strerror(errno));
        close(fd);
        good = false;
    }
    if (!good) {
        free(copy);
        return false;
    }
    use_mapping(fd, copy, user);
    last_warning[0] = '\0';
    return true;
}

void figures_use(const char *path, enum figures_user user)
{
    struct reason why;
    bool same = path && in_use_path && strcmp(path, in_use_path) == 0;
    bool had_warned = last_warning[0] != '\0' && !in_use_path && figures_in_use();
    figures_show_process();
    if (!path) {
        use_memory(user);
        return;
    }
    if (same && !cut_short && figures_file_is(path, figures_in_use_fd()))
        return;
    if (use_file(path, user, &why)) {
        if (same)
            log_warning("status.file: %s was removed, replaced or cut short: the figures begin "
                        "again",
                        path);
        else if (had_warned)
            log_info("status.file: %s can be used now; what this process has counted in its memory "
                     "is not in it",
                     path);
        return;
    }
    warn_once(&why);
    if (!same)
        use_memory(user);
}

void figures_close(void)
{
    struct figures *figures = figures_put_in_use(NULL);
    int fd = atomic_exchange(&in_use_fd, -1);
    if (figures)
        munmap(figures, FIGURES_SIZE);
    if (fd >= 0)
        close(fd);
    free(in_use_path);
    in_use_path = NULL;
    last_warning[0] = '\0';
    figures_moved(-1, false);
}
