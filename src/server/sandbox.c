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
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* Nobody writes code into memory and runs it. */
static const struct rule forbidden_conditions[] = {
    {"mmap", {2, SCMP_CMP_MASKED_EQ, WRITE_AND_RUN, WRITE_AND_RUN}},
    {"mmap2", {2, SCMP_CMP_MASKED_EQ, WRITE_AND_RUN, WRITE_AND_RUN}},
    {"mprotect", {2, SCMP_CMP_MASKED_EQ, WRITE_AND_RUN, WRITE_AND_RUN}},
    {NULL, {0}}};

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

/* For all threads, with the kernel's own error numbers. */
static int load(scmp_filter_ctx filter)
{
    int rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (rc == 0)
        rc = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
    if (rc == 0)
        rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    return rc == 0 ? seccomp_load(filter) : rc;
}

static int allow(void)
{
    const struct scmp_arg_cmp own_threads = {0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0};
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int rc = filter ? add_names(filter, SCMP_ACT_ALLOW, allowed) : -ENOMEM;
    if (rc == 0)
        rc = add_rules(filter, SCMP_ACT_ALLOW, conditions);
    if (rc == 0)
        rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &own_threads);
    if (rc == 0)
        rc = load(filter);
    seccomp_release(filter);
    return rc;
}

/* A filter of its own, since what is logged is a filter's: not each ENOSYS. */
static int forbid(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int rc = filter ? add_names(filter, SCMP_ACT_ERRNO(EPERM), forbidden) : -ENOMEM;
    if (rc == 0)
        rc = add_rules(filter, SCMP_ACT_ERRNO(EPERM), forbidden_conditions);
    if (rc == 0)
        rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0); /* there are none any more */
    if (rc == 0)
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1); /* Linux 4.14 */
    if (rc == 0)
        rc = load(filter);
    seccomp_release(filter);
    return rc;
}

enum sandbox_result sandbox_enter(struct reason *why)
{
    int rc = allow();
    bool is_allowed = rc == 0;
    if (is_allowed)
        rc = forbid();
    if (rc == 0)
        return SANDBOX_ON;
    reason_set(why, "%s", strerror(-rc));
    bool lacking = rc == -ENOSYS || rc == -EINVAL || rc == -EPERM || rc == -EACCES;
    return lacking && !is_allowed ? SANDBOX_NOT_HERE : SANDBOX_FAILED;
}

#else

enum sandbox_result sandbox_enter(struct reason *why)
{
    reason_set(why, "this build has none");
    return SANDBOX_NOT_HERE;
}

#endif
