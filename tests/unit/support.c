/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "base/json.h"

#include <fcntl.h>
#include <ftw.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *const plugins = PLUGINS;
const char *const test_plugins = TEST_PLUGINS;

static char folder[64];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the memory */
static struct arena memory;                              /* of one test case */
static int real_stderr = -1;

int in_child(int (*part)(void))
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(part());
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool forbid_call(int number, unsigned argument, uint32_t bits, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 (uint32_t)(offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t))),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, bits ? UINT32_MAX : 0, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {COUNT(code), code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* ---- Spans and text ---- */

void expect_contains(const char *text, const char *part)
{
    expect(strstr(text, part), "\"%s\" is not in \"%s\"", part, text);
}

void expect_lacks(const char *text, const char *part)
{
    expect(!strstr(text, part), "\"%s\" is in \"%s\"", part, text);
}

struct json_object *json_of(struct span text)
{
    struct json_object *object;
    struct reason why;
    expect(json_read(text, JSON_UNIQUE, &object, &why) == JSON_GOOD, "%s: %.*s", why.text,
           (int)text.length, text.data);
    return object;
}

void expect_span(struct span span, const char *wanted)
{
    if (!wanted)
        expect(!span.data, "\"%.*s\" where there should be nothing", (int)span.length, span.data);
    else
        expect(span.data && span_equal(span, span_of(wanted)), "\"%.*s\" is not \"%s\"",
               (int)span.length, span.data ? span.data : "", wanted);
}

size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        count++;
    return count;
}

void pause_ms(int64_t milliseconds)
{
    const struct timespec pause = {.tv_sec = milliseconds / 1000,
                                   .tv_nsec = milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

int64_t limit_ms(int64_t milliseconds)
{
    const char *factor = getenv("MEMBERCHAT_SLOW");
    return milliseconds * (factor && atoi(factor) > 0 ? atoi(factor) : 1);
}

char *exact_copy(struct span text)
{
    char *copy = malloc(text.length ? text.length : 1);
    assert_non_null(copy);
    if (text.length)
        memcpy(copy, text.data, text.length);
    return copy;
}

char *repeated(char byte, size_t count)
{
    char *text = malloc(count + 1);
    assert_non_null(text);
    memset(text, byte, count);
    text[count] = '\0';
    return text;
}

/* ---- The scratch folder ---- */

static struct rlimit descriptors_before;

void descriptors_end(void)
{
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &descriptors_before), 0);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, descriptors_before.rlim_max});
}

void descriptors_begin(void)
{
    setrlimit(RLIMIT_NOFILE, &descriptors_before);
}

uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

int scratch_start(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/memberchat-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

int scratch_stop(void **state)
{
    (void)state;
    if (real_stderr >= 0)
        stderr_caught();
    arena_free(&memory);
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A copy that lives until scratch_stop(); any thread may ask for one. */
static const char *keep(struct bytes *text)
{
    pthread_mutex_lock(&lock);
    const char *copy = arena_string(&memory, bytes_span(text));
    pthread_mutex_unlock(&lock);
    bytes_free(text);
    return copy;
}

const char *scratch_path(const char *name)
{
    struct bytes path = {0};
    bytes_addf(&path, "%s/%s", folder, name);
    return keep(&path);
}

const char *scratch_write_mode(const char *name, struct span content, unsigned mode)
{
    const char *path = scratch_path(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_true(write(fd, content.length ? content.data : "", content.length) ==
                (ssize_t)content.length);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

const char *scratch_write(const char *name, struct span content)
{
    return scratch_write_mode(name, content, 0600);
}

const char *scratch_read(const char *path)
{
    struct bytes text = {0};
    char bytes[4096];
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        bytes_add(&text, bytes, (size_t)got);
    close(fd);
    return keep(&text);
}

void stderr_catch(void)
{
    int fd =
        open(scratch_path("stderr"), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    fflush(stderr);
    real_stderr = dup(STDERR_FILENO);
    assert_true(real_stderr >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    close(fd);
}

const char *stderr_caught(void)
{
    fflush(stderr);
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    real_stderr = -1;
    return scratch_read(scratch_path("stderr"));
}

/* ---- A configuration ---- */

void scratch_write_basics(void)
{
    scratch_write("key", SPAN("q7Zt2VbX9mLs4RfWc8Hn3DgPy6KeJ5Au\n"));
    scratch_write("members.csv", SPAN("appUserId,appUserName,appUserProfileImgUrl,role,state\n"
                                      "1,Ann,https://img.example.com/1.jpg,host,ACTIVE\n"
                                      "2,,,,\n"
                                      "3,Cleo,,,GONE\n"));
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

const char *config_text(const struct config_texts *texts)
{
    struct bytes text = {0};
    bytes_addf(&text,
               "%s\n"
               "stores = {\n"
               "members = { plugin = \"file\"; path = \"members.csv\"; %s }\n"
               "}\n"
               "apps = {\n"
               "demo = {\n"
               "api_key = \"demo-key\"; chat_server_url = \"wss://chat.example.com/ws\";\n"
               "%s\n"
               "token = { key_file = \"key\"; %s }\n"
               "}\n"
               "%s\n"
               "}\n",
               or_empty(texts->top), or_empty(texts->store),
               texts->app ? texts->app : "api_secret = \"demo-secret-demo\"; store = \"members\"",
               or_empty(texts->token), or_empty(texts->apps));
    return keep(&text);
}

struct settings *settings_from(const struct config_texts *texts)
{
    struct config_report report = {0};
    scratch_write_basics();
    const char *path = scratch_write("memberchat.conf", span_of(config_text(texts)));
    struct settings *settings = settings_read(path, plugins, NULL, &report);
    bool good = settings && settings_open(settings, NULL, false, &report);
    expect(good, "the configuration is not good:\n%s", bytes_string(&report.text));
    config_report_free(&report);
    return settings;
}
