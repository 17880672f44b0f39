/* SPDX-License-Identifier: MIT
 *
 * spawn ROUNDS FOLDER...: runs CGI programs as a web server does, one process
 * a request, and measures each from fork to exit.
 *
 * A FOLDER has: "program" (the path, in one line), "environ" (NAME=VALUE lines,
 * all that the process gets) and "stdin".  Each round runs each folder once, in
 * turn.  A line a run: the number of the folder, microseconds on the clock,
 * microseconds of CPU, bytes that it wrote, exit status.
 */
#include "clocks.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CASES_MAX  32
#define VALUES_MAX 64

struct cgi {
    char *program, *environ[VALUES_MAX + 1];
    char input[4096]; /* the path of stdin */
};

struct result {
    long wall_us, cpu_us, bytes;
    int status;
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static char *read_file(const char *folder, const char *name)
{
    char path[4096], *text = calloc(1, 65536);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (!file || !text)
        fail(path);
    text[fread(text, 1, 65535, file)] = '\0';
    fclose(file);
    return text;
}

static void read_case(struct cgi *cgi, const char *folder)
{
    size_t count = 0;
    cgi->program = strtok(read_file(folder, "program"), "\n");
    for (char *line = strtok(read_file(folder, "environ"), "\n"); line && count < VALUES_MAX;
         line = strtok(NULL, "\n"))
        cgi->environ[count++] = line;
    snprintf(cgi->input, sizeof cgi->input, "%s/stdin", folder);
}

static long microseconds(struct timeval time)
{
    return (long)time.tv_sec * 1000000 + (long)time.tv_usec;
}

static pid_t start(const struct cgi *cgi, int output)
{
    posix_spawn_file_actions_t actions;
    char *arguments[] = {cgi->program, NULL};
    pid_t child;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, cgi->input, O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    int error = posix_spawn(&child, cgi->program, &actions, NULL, arguments, cgi->environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error) {
        fprintf(stderr, "%s: %s\n", cgi->program, strerror(error));
        exit(1);
    }
    return child;
}

static struct result run(const struct cgi *cgi)
{
    struct result result = {0};
    struct rusage usage;
    char bytes[65536];
    int ends[2], status;
    ssize_t got;
    if (pipe2(ends, O_CLOEXEC) != 0)
        fail("pipe2");
    long began = now_us();
    pid_t child = start(cgi, ends[1]);
    close(ends[1]);
    while ((got = read(ends[0], bytes, sizeof bytes)) > 0)
        result.bytes += got;
    if (wait4(child, &status, 0, &usage) != child)
        fail("wait4");
    result.wall_us = now_us() - began;
    result.cpu_us = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    close(ends[0]);
    return result;
}

int main(int argc, char **argv)
{
    static struct cgi cases[CASES_MAX];
    int count = argc - 2;
    if (count < 1 || count > CASES_MAX) {
        fputs("usage: spawn ROUNDS FOLDER...\n", stderr);
        return 64;
    }
    for (int i = 0; i < count; i++)
        read_case(&cases[i], argv[i + 2]);
    for (int round = atoi(argv[1]); round > 0; round--)
        for (int i = 0; i < count; i++) {
            struct result result = run(&cases[i]);
            printf("%d %ld %ld %ld %d\n", i, result.wall_us, result.cpu_us, result.bytes,
                   result.status);
        }
    return 0;
}
