/* SPDX-License-Identifier: MIT */
#include "fastcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fastcgi {
    FCGX_Request request;
    int pipe_in, pipe_out; /* we write, libfcgi reads; empty between requests */
    struct bytes bytes;
};

bool fastcgi_library_init(void)
{
    return FCGX_Init() == 0;
}

static bool open_pipe(struct fastcgi *fastcgi)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    fastcgi->pipe_out = ends[0];
    fastcgi->pipe_in = ends[1];
    return true;
}

static void close_pipe(struct fastcgi *fastcgi)
{
    if (fastcgi->pipe_out >= 0)
        close(fastcgi->pipe_out);
    if (fastcgi->pipe_in >= 0)
        close(fastcgi->pipe_in);
    fastcgi->pipe_in = fastcgi->pipe_out = -1;
}

struct fastcgi *fastcgi_new(void)
{
    struct fastcgi *fastcgi = calloc(1, sizeof *fastcgi);
    if (!fastcgi || !open_pipe(fastcgi)) {
        free(fastcgi);
        return NULL;
    }
    /* no socket to accept from: connections are accepted elsewhere */
    FCGX_InitRequest(&fastcgi->request, -1, FCGI_FAIL_ACCEPT_ON_INTR);
    return fastcgi;
}

void fastcgi_free(struct fastcgi *fastcgi)
{
    if (!fastcgi)
        return;
    close_pipe(fastcgi);
    bytes_free(&fastcgi->bytes);
    free(fastcgi);
}

bool fastcgi_begin(struct fastcgi *fastcgi, const struct frame *frame,
                   struct http_request *request_r)
{
    *request_r = (struct http_request){.body = bytes_span(&frame->body)};
    if (fastcgi->pipe_out < 0 && !open_pipe(fastcgi))
        return false;
    bytes_reset(&fastcgi->bytes);
    frame_add_request(frame, &fastcgi->bytes);
    /* an empty pipe takes it all: FRAME_PARAMS_MAX */
    ssize_t written = write(fastcgi->pipe_in, fastcgi->bytes.data, fastcgi->bytes.length);
    bool whole = !fastcgi->bytes.failed && written == (ssize_t)fastcgi->bytes.length;
    bytes_reset(&fastcgi->bytes);
    fastcgi->request.ipcFd = fastcgi->pipe_out;
    fastcgi->request.keepConnection = 1;
    if (!whole || FCGX_Accept_r(&fastcgi->request) != 0 ||
        FCGX_GetError(fastcgi->request.in) != 0) {
        if (fastcgi->request.ipcFd < 0)
            fastcgi->pipe_out = -1; /* libfcgi has closed it */
        fastcgi_abandon(fastcgi);
        close_pipe(fastcgi); /* nothing of this request may stay in it */
        return false;
    }
    for (char **entry = fastcgi->request.envp; *entry; entry++) {
        const char *equals = strchr(*entry, '=');
        if (equals)
            http_request_take(request_r, (struct span){*entry, (size_t)(equals - *entry)},
                              span_of(equals + 1));
    }
    http_judge_body(request_r, frame->body_total, frame->body_limit);
    return true;
}

bool fastcgi_answer(struct fastcgi *fastcgi, int fd, const struct http_request *request,
                    const struct http_response *response)
{
    FCGX_Request *fcgx = &fastcgi->request;
    bool head_only = span_equal(request->method, span_of("HEAD"));
    struct bytes head = {0};
    http_write_head(response, &head);
    fcgx->ipcFd = fd;
    FCGX_PutStr(head.data ? head.data : "", (int)head.length, fcgx->out);
    if (!head_only && response->body.length)
        FCGX_PutStr(response->body.data, (int)response->body.length, fcgx->out);
    bytes_free(&head);

    /* libfcgi writes what is left and frees the request.  We close, not it: its
     * way of closing waits for the peer. */
    fcgx->keepConnection = 1;
    fcgx->detached = 1;
    FCGX_Finish_r(fcgx);
    bool good = fcgx->ipcFd == fd;
    fcgx->ipcFd = -1;
    return good;
}

void fastcgi_abandon(struct fastcgi *fastcgi)
{
    FCGX_Free(&fastcgi->request, 0);
    fastcgi->request.ipcFd = -1;
}
