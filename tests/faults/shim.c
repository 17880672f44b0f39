/* SPDX-License-Identifier: MIT
 * To be preloaded: makes the n-th allocation or system call of some kinds fail, once or from then
 * on, while a control page says so.  The page is the file that $FAULTS_CONTROL names; control.py
 * has the other end.
 *
 * Only calls that go through the dynamic linker are seen: what libc calls inside itself (the write
 * of a FILE, the socket of a resolver) is not, but for its allocations. */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define KINDS(X)                                                                                   \
    X(ALLOC)                                                                                       \
    X(OPEN)                                                                                        \
    X(READ)                                                                                        \
    X(WRITE)                                                                                       \
    X(SEND) X(RECV) X(ACCEPT) X(FSYNC) X(RENAME) X(PIPE) X(EPOLL) X(THREAD) X(RANDOM) X(CLOCK)     \
        X(POLL) X(STAT) X(SOCKET) X(CONNECT) X(MAP)

enum { /* bits of a page's `kinds`, in the order of control.py's KINDS */
#define KIND(name) BIT_##name,
       KINDS(KIND)
#undef KIND
};

enum { PLACES = 65536, FRAMES = 8 };

struct page {
    _Atomic int64_t armed, kinds, nth, burst, error,
        shorten;                  /* what is to fail; burst 0: from then on */
    _Atomic int64_t seen, failed; /* while armed */
    _Atomic int64_t live;         /* allocations that were not freed, ever */
    _Atomic int64_t noted;
    _Atomic int64_t listing;                 /* nothing is to fail: `places` is filled */
    char stack[8192 - 11 * sizeof(int64_t)]; /* of the first that failed: "malloc
                                                module+0x12(symbol) ..." */
    _Atomic uint64_t places[PLACES]; /* where the first, second ... call comes from: place_of() */
};

static struct page *page;
static _Thread_local int inside; /* our own calls do not count */

/* What a coverage build writes at its end must not fail. */
static void spare_the_end(void)
{
    inside = 1;
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("FAULTS_CONTROL");
    void *addresses[4];
    if (!path)
        return;
    if (getenv("FAULTS_COVERAGE"))
        atexit(spare_the_end);
    inside = 1;
    backtrace(addresses, 4); /* loads what it needs, and allocates for it */
    int fd = (int)syscall(SYS_open, path, O_RDWR | O_CLOEXEC, 0);
    void *mapped =
        fd >= 0 ? mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        syscall(SYS_close, fd);
    inside = 0;
    if (mapped != MAP_FAILED)
        page = mapped;
}

static void note_stack(const char *what)
{
    void *addresses[48];
    if (atomic_exchange(&page->noted, 1))
        return;
    inside = 1;
    int count = backtrace(addresses, 48);
    size_t used = (size_t)snprintf(page->stack, sizeof page->stack, "%s", what);
    for (int i = 2; i < count && used + 200 < sizeof page->stack; i++) {
        Dl_info info;
        if (!dladdr(addresses[i], &info) || !info.dli_fname)
            continue;
        const char *slash = strrchr(info.dli_fname, '/');
        used += (size_t)snprintf(page->stack + used, sizeof page->stack - used, " %s+0x%lx(%s)",
                                 slash ? slash + 1 : info.dli_fname,
                                 (unsigned long)((char *)addresses[i] - (char *)info.dli_fbase - 1),
                                 info.dli_sname ? info.dli_sname : "");
    }
    inside = 0;
}

/* Whether an address lies in memberchat's own code.  What was found out is kept by page, as page *
 * 2 + verdict. */
static bool is_own(const void *address)
{
    static _Atomic uintptr_t known[1024];
    uintptr_t number = (uintptr_t)address >> 12;
    _Atomic uintptr_t *entry = &known[number % 1024];
    uintptr_t kept = atomic_load(entry);
    if (kept >> 1 == number)
        return kept & 1;
    Dl_info info;
    bool own = false;
    if (dladdr(address, &info) && info.dli_fname) {
        const char *slash = strrchr(info.dli_fname, '/');
        const char *name = slash ? slash + 1 : info.dli_fname;
        own = !strncmp(name, "memberchat", 10) || !strncmp(name, "store_", 6) ||
              !strncmp(name, "sign_", 5);
    }
    atomic_store(entry, number << 1 | own);
    return own;
}

static uint64_t mixed(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15;
    return hash ^ hash >> 29;
}

/* A number for the place in memberchat's code that a call comes from: the call and its innermost
 * frames there, whatever libraries lie between.  The same in each process. */
static uint64_t place_of(const char *what)
{
    void *addresses[64];
    inside = 1;
    int count = backtrace(addresses, 64);
    uint64_t place = 0;
    for (; *what; what++)
        place = mixed(place, (unsigned char)*what);
    for (int i = 2, own = 0; i < count && own < FRAMES; i++) {
        Dl_info info;
        if (!is_own(addresses[i]) || !dladdr(addresses[i], &info))
            continue;
        place = mixed(place, (uintptr_t)addresses[i] - (uintptr_t)info.dli_fbase);
        own++;
    }
    inside = 0;
    return place;
}

static bool fails(int kind, const char *what)
{
    if (!page || inside || !atomic_load(&page->armed) || !(atomic_load(&page->kinds) >> kind & 1))
        return false;
    int64_t number = atomic_fetch_add(&page->seen, 1) + 1, nth = page->nth, burst = page->burst;
    if (page->listing) {
        if (number <= PLACES)
            page->places[number - 1] = place_of(what);
        return false;
    }
    if (number < nth || (burst && number >= nth + burst))
        return false;
    atomic_fetch_add(&page->failed, 1);
    note_stack(what);
    return true;
}

/* ---- Memory ---- */

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static void *counted(void *memory)
{
    if (memory && page)
        atomic_fetch_add_explicit(&page->live, 1, memory_order_relaxed);
    return memory;
}

static bool no_memory(const char *what)
{
    if (!fails(BIT_ALLOC, what))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return no_memory("malloc") ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return no_memory("calloc") ? NULL : counted(__libc_calloc(count, size));
}

void free(void *memory)
{
    if (memory && page)
        atomic_fetch_sub_explicit(&page->live, 1, memory_order_relaxed);
    __libc_free(memory);
}

void *realloc(void *old, size_t size)
{
    if (size && no_memory("realloc"))
        return NULL;
    if (!old)
        return counted(__libc_realloc(old, size));
    if (!size && page)
        atomic_fetch_sub_explicit(&page->live, 1, memory_order_relaxed);
    return __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t count, size_t size)
{
    size_t whole;
    if (__builtin_mul_overflow(count, size, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(old, whole);
}

void *memalign(size_t alignment, size_t size)
{
    return no_memory("memalign") ? NULL : counted(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **memory_r, size_t alignment, size_t size)
{
    void *memory = memalign(alignment, size);
    if (!memory)
        return ENOMEM;
    *memory_r = memory;
    return 0;
}

/* ---- System calls ---- */

/* Those of -D_FORTIFY_SOURCE are in no header. */
ssize_t __read_chk(int, void *, size_t, size_t), __recv_chk(int, void *, size_t, size_t, int);
int __poll_chk(struct pollfd *, nfds_t, int, size_t), __open_2(const char *, int),
    __open64_2(const char *, int);

/* The next definition of a function in `real`. */
#define REAL(name)                                                                                 \
    static __typeof__(name) *real;                                                                 \
    if (!real) {                                                                                   \
        int was = inside;                                                                          \
        inside = 1;                                                                                \
        real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name);                                        \
        inside = was;                                                                              \
    }

/* A function that returns `bad` with the page's errno when it is to fail. */
#define FAILS(kind, type, bad, name, parameters, arguments)                                        \
    type name parameters                                                                           \
    {                                                                                              \
        REAL(name)                                                                                 \
        if (fails(BIT_##kind, #name)) {                                                            \
            errno = (int)page->error;                                                              \
            return bad;                                                                            \
        }                                                                                          \
        return real arguments;                                                                     \
    }

/* One that moves `size` bytes, and may move fewer in place of failing. */
#define SHORTENS(kind, name, parameters, arguments)                                                \
    ssize_t name parameters                                                                        \
    {                                                                                              \
        REAL(name)                                                                                 \
        if (size > 0 && fails(BIT_##kind, #name)) {                                                \
            if (!page->shorten) {                                                                  \
                errno = (int)page->error;                                                          \
                return -1;                                                                         \
            }                                                                                      \
            size = 1;                                                                              \
        }                                                                                          \
        return real arguments;                                                                     \
    }

#define OPENS(name, parameters, arguments)                                                         \
    int name parameters                                                                            \
    {                                                                                              \
        REAL(name)                                                                                 \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        mode_t mode = va_arg(list, mode_t);                                                        \
        va_end(list);                                                                              \
        if (fails(BIT_OPEN, #name)) {                                                              \
            errno = (int)page->error;                                                              \
            return -1;                                                                             \
        }                                                                                          \
        return real arguments;                                                                     \
    }

OPENS(open, (const char *path, int flags, ...), (path, flags, mode))
OPENS(open64, (const char *path, int flags, ...), (path, flags, mode))
OPENS(openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
FAILS(OPEN, int, -1, __open_2, (const char *path, int flags), (path, flags))
FAILS(OPEN, int, -1, __open64_2, (const char *path, int flags), (path, flags))
FAILS(OPEN, FILE *, NULL, fopen, (const char *path, const char *mode), (path, mode))
FAILS(OPEN, FILE *, NULL, fopen64, (const char *path, const char *mode), (path, mode))
FAILS(OPEN, int, -1, mkostemp, (char *name, int flags), (name, flags))
FAILS(OPEN, int, -1, mkstemp, (char *name), (name))
SHORTENS(READ, read, (int fd, void *bytes, size_t size), (fd, bytes, size))
SHORTENS(READ, __read_chk, (int fd, void *bytes, size_t size, size_t room),
         (fd, bytes, size, room)) /* what -D_FORTIFY_SOURCE makes of read() */
SHORTENS(READ, pread, (int fd, void *bytes, size_t size, off_t at), (fd, bytes, size, at))
SHORTENS(WRITE, write, (int fd, const void *bytes, size_t size), (fd, bytes, size))
SHORTENS(WRITE, pwrite, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at))
FAILS(WRITE, ssize_t, -1, writev, (int fd, const struct iovec *parts, int count),
      (fd, parts, count))
SHORTENS(SEND, send, (int fd, const void *bytes, size_t size, int flags), (fd, bytes, size, flags))
SHORTENS(RECV, __recv_chk, (int fd, void *bytes, size_t size, size_t room, int flags),
         (fd, bytes, size, room, flags))
FAILS(SEND, ssize_t, -1, sendmsg, (int fd, const struct msghdr *message, int flags),
      (fd, message, flags))
SHORTENS(RECV, recv, (int fd, void *bytes, size_t size, int flags), (fd, bytes, size, flags))
FAILS(ACCEPT, int, -1, accept, (int fd, struct sockaddr *address, socklen_t *size),
      (fd, address, size))
FAILS(ACCEPT, int, -1, accept4, (int fd, struct sockaddr *address, socklen_t *size, int flags),
      (fd, address, size, flags))
FAILS(FSYNC, int, -1, fsync, (int fd), (fd))
FAILS(RENAME, int, -1, rename, (const char *from, const char *to), (from, to))
FAILS(RENAME, int, -1, link, (const char *from, const char *to), (from, to))
FAILS(RENAME, int, -1, unlink, (const char *path), (path))
FAILS(PIPE, int, -1, pipe2, (int ends[2], int flags), (ends, flags))
FAILS(EPOLL, int, -1, epoll_create1, (int flags), (flags))
FAILS(EPOLL, int, -1, epoll_ctl, (int set, int what, int fd, struct epoll_event *event),
      (set, what, fd, event))
FAILS(EPOLL, int, -1, epoll_wait, (int set, struct epoll_event *events, int count, int wait_ms),
      (set, events, count, wait_ms))
FAILS(EPOLL, int, -1, eventfd, (unsigned initial, int flags), (initial, flags))
FAILS(THREAD, int, (int)page->error, pthread_create,
      (pthread_t * thread, const pthread_attr_t *how, void *(*function)(void *), void *argument),
      (thread, how, function, argument))
SHORTENS(RANDOM, getrandom, (void *bytes, size_t size, unsigned flags), (bytes, size, flags))
FAILS(CLOCK, int, -1, clock_gettime, (clockid_t clock, struct timespec *now), (clock, now))
FAILS(POLL, int, -1, poll, (struct pollfd * fds, nfds_t count, int wait_ms), (fds, count, wait_ms))
FAILS(POLL, int, -1, __poll_chk, (struct pollfd * fds, nfds_t count, int wait_ms, size_t room),
      (fds, count, wait_ms, room))
FAILS(STAT, int, -1, fstat, (int fd, struct stat *status), (fd, status))
FAILS(STAT, int, -1, stat, (const char *path, struct stat *status), (path, status))
FAILS(STAT, int, -1, lstat, (const char *path, struct stat *status), (path, status))
FAILS(SOCKET, int, -1, socket, (int family, int type, int protocol), (family, type, protocol))
FAILS(SOCKET, int, -1, setsockopt, (int fd, int level, int name, const void *value, socklen_t size),
      (fd, level, name, value, size))
FAILS(SOCKET, int, -1, bind, (int fd, const struct sockaddr *address, socklen_t size),
      (fd, address, size))
FAILS(SOCKET, int, -1, listen, (int fd, int backlog), (fd, backlog))
FAILS(CONNECT, int, -1, connect, (int fd, const struct sockaddr *address, socklen_t size),
      (fd, address, size))
FAILS(MAP, void *, MAP_FAILED, mmap,
      (void *at, size_t size, int protection, int flags, int fd, off_t from),
      (at, size, protection, flags, fd, from))
