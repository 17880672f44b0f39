/* SPDX-License-Identifier: MIT
 *
 * hello_fcgi SOCKET THREADS FILE [accept]: a FastCGI responder that answers
 * every request with the bytes of FILE, and does nothing else.  What it costs
 * is what FastCGI by libfcgi costs.
 *
 * Every thread waits in FCGX_Accept_r(), as libfcgi has it; with "accept", in
 * an accept4() of its own, and libfcgi gets the connection from there.
 */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define THREADS_MAX 256
#define ANSWER_MAX  8000 /* fits in one record of libfcgi */

static int listen_fd;
static bool own_accept;
static char answer[ANSWER_MAX];
static int answer_length;

static void respond(FCGX_Request *request)
{
    FCGX_PutStr(answer, answer_length, request->out);
}

static void serve_by_library(FCGX_Request *request)
{
    FCGX_InitRequest(request, listen_fd, 0);
    while (FCGX_Accept_r(request) == 0) {
        respond(request);
        FCGX_Finish_r(request);
    }
}

static void serve_by_ourselves(FCGX_Request *request)
{
    const struct timeval patience = {.tv_sec = 5};
    int fd;

    FCGX_InitRequest(request, -1, FCGI_FAIL_ACCEPT_ON_INTR);
    while ((fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        request->ipcFd = fd;
        request->keepConnection = 1;
        if (FCGX_Accept_r(request) != 0)
            continue; /* libfcgi has closed it */
        respond(request);
        request->keepConnection = 1;
        request->detached = 1;
        FCGX_Finish_r(request);
        close(fd);
    }
}

static void *work(void *unused)
{
    FCGX_Request request;

    (void)unused;
    if (own_accept)
        serve_by_ourselves(&request);
    else
        serve_by_library(&request);
    return NULL;
}

static bool read_answer(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        return false;
    answer_length = (int)fread(answer, 1, sizeof answer, file);
    fclose(file);
    return answer_length > 0;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    int threads = argc > 3 ? atoi(argv[2]) : 0;

    if (threads < 1 || threads > THREADS_MAX) {
        fputs("usage: hello_fcgi SOCKET THREADS FILE [accept]\n", stderr);
        return 64;
    }
    own_accept = argc > 4 && strcmp(argv[4], "accept") == 0;
    if (!read_answer(argv[3])) {
        perror(argv[3]);
        return 1;
    }
    FCGX_Init();
    listen_fd = FCGX_OpenSocket(argv[1], 511);
    if (listen_fd < 0)
        return 1;
    for (int i = 0; i < threads; i++)
        if (pthread_create(&thread, NULL, work, NULL) != 0)
            return 1;
    pthread_join(thread, NULL);
    return 0;
}
