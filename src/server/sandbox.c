/* SPDX-License-Identifier: MIT */
#include "sandbox.h"

#include "base/reason.h"

#include <sys/prctl.h>
#include <sys/resource.h>

/* A sanitizer traces the process, and writes down what it finds. */
#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED
#endif
#elif defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define IS_SANITIZED
#endif

void sandbox_forbid_dumps(void)
{
#ifndef IS_SANITIZED
    const struct rlimit none = {0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

#if defined HAVE_SECCOMP && !defined IS_SANITIZED

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILTERS = 2, FILTER_LINES = 1024 };

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#define NEW_NAMESPACES 0x7e020080 /* all CLONE_NEW* */
#define WRITE_AND_RUN  (PROT_WRITE | PROT_EXEC)

/* What serving, reloading, libc, and the libraries of the stores call. */
static const char *const allowed[] = {
    /* bytes */
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev",
    "pwritev2", "lseek", "_llseek", "close", "close_range", "dup", "dup2", "dup3", "pipe", "pipe2",
    "fcntl", "fcntl64", "ioctl", "fsync", "fdatasync", "ftruncate", "flock", "fadvise64",
    "sendfile", "poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6",
    "pselect6_time64", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
    "epoll_pwait2", "eventfd", "eventfd2", "timerfd_create", "timerfd_settime", "timerfd_gettime",
    "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
    /* files */
    "open", "openat", "stat", "stat64", "lstat", "lstat64", "fstat", "fstat64", "newfstatat",
    "fstatat64", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents",
    "getdents64", "getcwd", "statfs", "statfs64", "fstatfs", "fstatfs64", "chmod", "fchmod",
    "fchmodat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "umask",
    "utimensat",
    /* sockets; socket() below */
    "connect", "bind", "listen", "accept", "accept4", "shutdown", "getsockname", "getpeername",
    "getsockopt", "setsockopt", "sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg",
    "socketcall",
    /* memory */
    "mmap", "mmap2", "mprotect", "munmap", "mremap", "brk", "madvise", "mlock", "mlock2", "munlock",
    "msync", "mincore", "membarrier",
    /* threads, and this process; clone() below */
    "fork", "vfork", "wait4", "waitid", "waitpid", "exit", "exit_group", "futex", "futex_time64",
    "set_robust_list", "get_robust_list", "set_tid_address", "rseq", "arch_prctl", "set_tls",
    "restart_syscall", "gettid", "getpid", "getppid", "getpgid", "getpgrp", "getsid", "getuid",
    "getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid", "getegid32", "getresuid",
    "getresuid32", "getresgid", "getresgid32", "getgroups", "getgroups32", "sched_yield",
    "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_get_priority_max",
    "sched_get_priority_min", "getpriority", "getcpu", "getrusage", "getrlimit", "ugetrlimit",
    "capget",
    /* signals */
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "rt_sigsuspend",
    "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_sigpending", "sigaltstack", "signalfd4",
    "pause",
    /* time, and the rest */
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "gettimeofday",
    "time", "times", "nanosleep", "clock_nanosleep", "clock_nanosleep_time64", "alarm", "setitimer",
    "getitimer", "getrandom", "uname", "sysinfo",
    "seccomp", /* for the second filter, which forbids it */
    NULL};

/* What an intruder would call. */
static const char *const forbidden[] = {"execve",
                                        "execveat",
                                        "ptrace",
                                        "process_vm_readv",
                                        "process_vm_writev",
                                        "process_madvise",
                                        "pidfd_open",
                                        "pidfd_getfd",
                                        "pidfd_send_signal",
                                        "kcmp",
                                        "kill",
                                        "tkill",
                                        "rt_sigqueueinfo",
                                        "rt_tgsigqueueinfo",
                                        "setuid",
                                        "setuid32",
                                        "setgid",
                                        "setgid32",
                                        "setreuid",
                                        "setreuid32",
                                        "setregid",
                                        "setregid32",
                                        "setresuid",
                                        "setresuid32",
                                        "setresgid",
                                        "setresgid32",
                                        "setgroups",
                                        "setgroups32",
                                        "setfsuid",
                                        "setfsgid",
                                        "capset",
                                        "chroot",
                                        "pivot_root",
                                        "mount",
                                        "umount",
                                        "umount2",
                                        "move_mount",
                                        "open_tree",
                                        "fsopen",
                                        "fsmount",
                                        "fspick",
                                        "mount_setattr",
                                        "setns",
                                        "unshare",
                                        "mknod",
                                        "mknodat",
                                        "chown",
                                        "chown32",
                                        "fchown",
                                        "fchown32",
                                        "lchown",
                                        "lchown32",
                                        "fchownat",
                                        "open_by_handle_at",
                                        "name_to_handle_at",
                                        "init_module",
                                        "finit_module",
                                        "delete_module",
                                        "kexec_load",
                                        "kexec_file_load",
                                        "bpf",
                                        "perf_event_open",
                                        "userfaultfd",
                                        "io_uring_setup",
                                        "io_uring_enter",
                                        "io_uring_register",
                                        "add_key",
                                        "keyctl",
                                        "request_key",
                                        "memfd_create",
                                        "memfd_secret",
                                        "personality",
                                        "modify_ldt",
                                        "iopl",
                                        "ioperm",
                                        "reboot",
                                        "swapon",
                                        "swapoff",
                                        "settimeofday",
                                        "stime",
                                        "clock_settime",
                                        "clock_settime64",
                                        "clock_adjtime",
                                        "clock_adjtime64",
                                        "adjtimex",
                                        "sethostname",
                                        "setdomainname",
                                        "quotactl",
                                        "acct",
                                        "syslog",
                                        "vhangup",
                                        "fanotify_init",
                                        "seccomp",
                                        NULL};

struct rule {
    const char *name;
    struct scmp_arg_cmp argument;
};

/* Calls that are allowed with these arguments only. */
static const struct rule conditions[] = {
    {"socket", {0, SCMP_CMP_EQ, AF_UNIX, 0}},
    {"socket", {0, SCMP_CMP_EQ, AF_INET, 0}},
    {"socket", {0, SCMP_CMP_EQ, AF_INET6, 0}},
    {"socket", {0, SCMP_CMP_EQ, AF_NETLINK, 0}}, /* the resolver asks for our addresses */
    {"socketpair", {0, SCMP_CMP_EQ, AF_UNIX, 0}},
    {"clone", {0, SCMP_CMP_MASKED_EQ, NEW_NAMESPACES, 0}},
    {"prctl", {0, SCMP_CMP_EQ, PR_SET_NAME, 0}},
    {"prctl", {0, SCMP_CMP_EQ, PR_GET_NAME, 0}},
    {"prctl", {0, SCMP_CMP_EQ, PR_SET_VMA, 0}},
    {"prctl", {0, SCMP_CMP_EQ, PR_SET_PDEATHSIG, 0}},
    {"prlimit64", {0, SCMP_CMP_EQ, 0, 0}}, /* of this process */
    {NULL, {0}}};

/* No memory is both writable and executable. */
static const struct rule forbidden_conditions[] = {
    {"mmap", {2, SCMP_CMP_MASKED_EQ, WRITE_AND_RUN, WRITE_AND_RUN}},
    {"mmap2", {2, SCMP_CMP_MASKED_EQ, WRITE_AND_RUN, WRITE_AND_RUN}},
    {"mprotect", {2, SCMP_CMP_MASKED_EQ, WRITE_AND_RUN, WRITE_AND_RUN}},
    {NULL, {0}}};

/* ---- Making the filters: in a child process, as libseccomp may die where memory runs out ---- */

/* Calls that this libseccomp or this processor does not know are left out. */
static int add_names(scmp_filter_ctx filter, uint32_t action, const char *const *names)
{
    int rc = 0;
    for (; *names && rc == 0; names++) {
        int number = seccomp_syscall_resolve_name(*names);
        if (number != __NR_SCMP_ERROR)
            rc = seccomp_rule_add(filter, action, number, 0);
    }
    return rc;
}

static int add_rules(scmp_filter_ctx filter, uint32_t action, const struct rule *rules)
{
    int rc = 0;
    for (; rules->name && rc == 0; rules++) {
        int number = seccomp_syscall_resolve_name(rules->name);
        if (number != __NR_SCMP_ERROR)
            rc = seccomp_rule_add_array(filter, action, number, 1, &rules->argument);
    }
    return rc;
}

/* Of the process that will be inside. */
static int add_own_threads(scmp_filter_ctx filter, pid_t process)
{
    const struct scmp_arg_cmp own = {0, SCMP_CMP_EQ, (scmp_datum_t)process, 0};
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &own);
}

static bool make_filters(pid_t process, const int fds[FILTERS])
{
    scmp_filter_ctx allow = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    scmp_filter_ctx forbid = seccomp_init(SCMP_ACT_ALLOW);
    return allow && forbid && seccomp_attr_set(allow, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 &&
           seccomp_attr_set(forbid, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 &&
           add_names(allow, SCMP_ACT_ALLOW, allowed) == 0 &&
           add_rules(allow, SCMP_ACT_ALLOW, conditions) == 0 &&
           add_own_threads(allow, process) == 0 &&
           add_names(forbid, SCMP_ACT_ERRNO(EPERM), forbidden) == 0 &&
           add_rules(forbid, SCMP_ACT_ERRNO(EPERM), forbidden_conditions) == 0 &&
           seccomp_export_bpf(allow, fds[0]) == 0 && seccomp_export_bpf(forbid, fds[1]) == 0;
}

/* The child ends, whatever happens to libseccomp. */
static void limit_time(void)
{
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGALRM);
    signal(SIGALRM, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    alarm(2);
}

/* The second time is the proof of the first: where memory runs out, libseccomp may die, loop, or
 * leave something out and not say so. */
static bool make_filters_apart(const int fds[FILTERS], const int proof[FILTERS])
{
    int status;
    pid_t self = getpid(), child = fork();
    if (child == 0) {
        limit_time();
        _exit(make_filters(self, fds) && make_filters(self, proof) ? 0 : 1);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

/* ---- Entering ---- */

struct filter {
    struct sock_filter lines[FILTER_LINES];
    struct sock_fprog program;
};

static bool read_filter(int fd, int proof_fd, struct filter *filter)
{
    static struct sock_filter proof[FILTER_LINES];
    ssize_t size = pread(fd, filter->lines, sizeof filter->lines, 0);
    size_t count = size > 0 ? (size_t)size / sizeof *proof : 0;
    filter->program = (struct sock_fprog){(unsigned short)count, filter->lines};
    return count > 0 && count < FILTER_LINES && pread(proof_fd, proof, sizeof proof, 0) == size &&
           memcmp(filter->lines, proof, (size_t)size) == 0;
}

/* Around all threads. */
static bool install(const struct filter *filter, unsigned flags)
{
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC | flags,
                   &filter->program) == 0;
}

/* There are two filters because logging is a property of a filter: not every ENOSYS is
 * logged. */
static enum sandbox_result enter(const int fds[2 * FILTERS])
{
    static struct filter filters[FILTERS];
    if (!make_filters_apart(fds, fds + FILTERS))
        return SANDBOX_FAILED;
    for (size_t i = 0; i < FILTERS; i++)
        if (!read_filter(fds[i], fds[FILTERS + i], &filters[i]))
            return SANDBOX_FAILED;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !install(&filters[0], 0))
        return errno == EAGAIN || errno == ENOMEM ? SANDBOX_FAILED : SANDBOX_NOT_HERE;
    return install(&filters[1], SECCOMP_FILTER_FLAG_LOG) ? SANDBOX_ON : SANDBOX_FAILED;
}

enum sandbox_result sandbox_enter(struct reason *why)
{
    int fds[2 * FILTERS];
    bool opened = true;
    for (size_t i = 0; i < 2 * FILTERS; i++) {
        fds[i] = memfd_create("sandbox", MFD_CLOEXEC);
        opened = opened && fds[i] >= 0;
    }
    enum sandbox_result result = opened ? enter(fds) : SANDBOX_FAILED;
    if (result == SANDBOX_FAILED)
        reason_set(why, "its filters cannot be made: there is too little memory, or this user may "
                        "start no more processes");
    else if (result == SANDBOX_NOT_HERE)
        reason_set(why, "this kernel has no seccomp filters: %s", strerror(errno));
    for (size_t i = 0; i < 2 * FILTERS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return result;
}

#else

enum sandbox_result sandbox_enter(struct reason *why)
{
    reason_set(why, "this build has none");
    return SANDBOX_NOT_HERE;
}

#endif
