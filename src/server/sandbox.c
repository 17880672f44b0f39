/* SPDX-License-Identifier: MIT */
#include "sandbox.h"

#include "base/reason.h"
#include "base/sanitized.h"

#include <sys/prctl.h>

#if defined HAVE_SECCOMP && !defined IS_SANITIZED

#include "syscall_filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#ifndef SECCOMP_FILTER_FLAG_LOG
#define SECCOMP_FILTER_FLAG_LOG 2
#endif
#define NEW_NAMESPACES 0x7e020080 /* all CLONE_NEW* */
#define WRITE_AND_RUN  (PROT_WRITE | PROT_EXEC)
#define ALL_BITS       UINT64_MAX

/* What serving, reloading, libc, and the libraries of the stores call. */
static const char *const allowed[] = {
    /* bytes */
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev",
    "pwritev2", "lseek", "_llseek", "close", "close_range", "dup", "dup2", "dup3", "pipe", "pipe2",
    "fcntl", "fcntl64", "ioctl", "fsync", "fdatasync", "ftruncate", "fallocate", "flock",
    "fadvise64", "sendfile", "poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6",
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
static const char *const forbidden[] = {
    /* programs, and other processes */
    "execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise",
    "pidfd_open", "pidfd_getfd", "pidfd_send_signal", "kcmp", "tkill", "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    /* users */
    "setuid", "setuid32", "setgid", "setgid32", "setreuid", "setreuid32", "setregid", "setregid32",
    "setresuid", "setresuid32", "setresgid", "setresgid32", "setgroups", "setgroups32", "setfsuid",
    "setfsgid", "capset",
    /* file systems */
    "chroot", "pivot_root", "mount", "umount", "umount2", "move_mount", "open_tree", "fsopen",
    "fsmount", "fspick", "mount_setattr", "setns", "unshare", "mknod", "mknodat", "chown",
    "chown32", "fchown", "fchown32", "lchown", "lchown32", "fchownat", "open_by_handle_at",
    "name_to_handle_at",
    /* the kernel */
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "bpf",
    "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
    "add_key", "keyctl", "request_key", "memfd_create", "memfd_secret", "personality", "modify_ldt",
    "iopl", "ioperm", "reboot", "swapon", "swapoff",
    /* the machine */
    "settimeofday", "stime", "clock_settime", "clock_settime64", "clock_adjtime", "clock_adjtime64",
    "adjtimex", "sethostname", "setdomainname", "quotactl", "acct", "syslog", "vhangup",
    "fanotify_init", "seccomp", NULL};

_Static_assert(sizeof allowed <= SYSCALL_FILTER_NAMES * sizeof *allowed, "too many");
_Static_assert(sizeof forbidden <= SYSCALL_FILTER_NAMES * sizeof *forbidden, "too many");

/* Calls that are allowed with these arguments only. */
static const struct syscall_rule conditions[] = {
    {"socket", 0, ALL_BITS, AF_UNIX},
    {"socket", 0, ALL_BITS, AF_INET},
    {"socket", 0, ALL_BITS, AF_INET6},
    {"socket", 0, ALL_BITS, AF_NETLINK}, /* the resolver asks for our addresses */
    {"socketpair", 0, ALL_BITS, AF_UNIX},
    {"clone", 0, NEW_NAMESPACES, 0},
    {"prctl", 0, ALL_BITS, PR_SET_NAME},
    {"prctl", 0, ALL_BITS, PR_GET_NAME},
    {"prctl", 0, ALL_BITS, PR_SET_VMA},
    {"prctl", 0, ALL_BITS, PR_SET_PDEATHSIG},
    {"prlimit64", 0, ALL_BITS, 0}, /* of this process */
    {0}};

#define COMMAND_BITS UINT64_C(0xffffffff) /* of ioctl(); the kernel ignores the others */

/* No memory is both written and run, nor made to run later: what is run comes from a file.
 * Nothing is typed into a terminal that started us. */
static const struct syscall_rule forbidden_conditions[] = {
    {"ioctl", 1, COMMAND_BITS, TIOCSTI},       {"ioctl", 1, COMMAND_BITS, TIOCLINUX},
    {"mmap", 2, WRITE_AND_RUN, WRITE_AND_RUN}, {"mmap2", 2, WRITE_AND_RUN, WRITE_AND_RUN},
    {"mprotect", 2, PROT_EXEC, PROT_EXEC},     {0}};

static void begin(struct syscall_filter *filter, const char *const *names,
                  const struct syscall_rule *rules, uint32_t action)
{
    syscall_filter_begin(filter, names, action);
    for (; rules->name; rules++)
        syscall_filter_add(filter, rules, action);
}

static int allow(struct syscall_filter *filter)
{
    const uint64_t self = (uint64_t)getpid(); /* that signals may go to */
    const struct syscall_rule own_threads = {"tgkill", 0, ALL_BITS, self};
    const struct syscall_rule own_process = {"kill", 0, ALL_BITS, self};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return errno;
    begin(filter, allowed, conditions, SECCOMP_RET_ALLOW);
    syscall_filter_add(filter, &own_threads, SECCOMP_RET_ALLOW);
    syscall_filter_add(filter, &own_process, SECCOMP_RET_ALLOW);
    return syscall_filter_load(filter, SECCOMP_RET_ERRNO | ENOSYS, 0);
}

/* A second filter, because logging is a property of a filter: not every ENOSYS is logged. */
static int forbid(struct syscall_filter *filter)
{
    begin(filter, forbidden, forbidden_conditions, SECCOMP_RET_ERRNO | EPERM);
    int error = syscall_filter_load(filter, SECCOMP_RET_ALLOW, SECCOMP_FILTER_FLAG_LOG);
    if (error != EINVAL)
        return error;
    begin(filter, forbidden, forbidden_conditions, SECCOMP_RET_ERRNO | EPERM);
    return syscall_filter_load(filter, SECCOMP_RET_ALLOW, 0); /* before Linux 4.14 */
}

enum sandbox_result sandbox_enter(struct reason *why)
{
    struct syscall_filter filter;
    int error = allow(&filter);
    bool is_allowed = error == 0;
    if (is_allowed)
        error = forbid(&filter);
    if (error == 0)
        return SANDBOX_ON;
    reason_set(why, "%s", strerror(error));
    bool lacking = error == ENOSYS || error == EINVAL || error == EPERM || error == EACCES;
    return lacking && !is_allowed ? SANDBOX_NOT_HERE : SANDBOX_FAILED;
}

#else

enum sandbox_result sandbox_enter(struct reason *why)
{
    reason_set(why, "this build has none");
    return SANDBOX_NOT_HERE;
}

#endif
