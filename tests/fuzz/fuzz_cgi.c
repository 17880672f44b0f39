/* SPDX-License-Identifier: MIT
 * A CGI process: variables in its environment, a body at its standard input, and the answer that
 * it writes.  An input is as in fuzz_request, but for "@T". */
#include "answer.h"

#include "server/cgi.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

const char fuzz_corpus[] = "cgi";

enum { VARIABLES_MAX = 4096, ANSWER_FD = 100 }; /* libFuzzer makes inputs of 4096 bytes */

extern char **environ;

static const struct settings *settings;
static const char *config;
static int input_fd, output_fd;

static void prepare(void)
{
    settings = scene_settings_with("log = { target = \"/dev/null\"; }\n");
    config = strdup(scene_path("memberchat.conf"));
    input_fd = memfd_create("input", MFD_CLOEXEC);
    output_fd = memfd_create("output", MFD_CLOEXEC);
    must(config && input_fd >= 0 && output_fd >= 0);
}

/* The variables of a request, as one would find them in `environ`; they are freed by the next
 * call. */
static char **make_environment(struct span head)
{
    static char *variables[VARIABLES_MAX + 1];
    static struct bytes text;
    struct span line;
    size_t count = 0, starts[VARIABLES_MAX];
    bytes_reset(&text);
    while (count < VARIABLES_MAX && span_next_line(&head, &line)) {
        const char *equals = line.length ? memchr(line.data, '=', line.length) : NULL;
        starts[count++] = text.length;
        if (equals && span_equal((struct span){equals, line.length - (size_t)(equals - line.data)},
                                 span_of("=@")))
            bytes_addf(&text, "%.*s=" ANSWER_CREDENTIALS, (int)(equals - line.data), line.data);
        else
            bytes_add_span(&text, line);
        bytes_add(&text, "", 1);
    }
    must(!text.failed);
    for (size_t i = 0; i < count; i++)
        variables[i] = text.data + starts[i];
    variables[count] = NULL;
    return variables;
}

static void fill(int fd, struct span content)
{
    must(ftruncate(fd, 0) == 0);
    must(pwrite(fd, content.data, content.length, 0) == (ssize_t)content.length);
    must(lseek(fd, 0, SEEK_SET) == 0);
}

/* Runs the program in this process. */
static void serve(char **variables, struct span body)
{
    char **own = environ;
    fill(input_fd, body);
    fill(output_fd, SPAN_NONE);
    must(dup2(input_fd, STDIN_FILENO) == STDIN_FILENO && dup2(output_fd, ANSWER_FD) == ANSWER_FD);
    const char *plugins = scene_plugins();
    environ = variables;
    must(cgi_serve(config, plugins, ANSWER_FD));
    environ = own;
    prctl(PR_SET_DUMPABLE, 1); /* for the leak check of a sanitizer */
    close(ANSWER_FD);          /* unless it is closed */
}

static void read_answer(struct bytes *out)
{
    char *room = bytes_reserve(out, 65536);
    ssize_t length = pread(output_fd, room, 65536, 0);
    must(length > 0 && length < 65536);
    out->length += (size_t)length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = {(const char *)data, size}, head = rest;
    struct http_request request = {0};
    struct bytes out = {0};
    if (!settings)
        prepare();
    answer_read_request(&rest, &request);
    head.length -= rest.length;
    if (head.length && memchr(head.data, '\0', head.length)) /* no environment can hold it */
        return 0;
    serve(make_environment(head), rest);
    read_answer(&out);
    answer_check(settings, &request, bytes_span(&out));
    bytes_free(&out);
    return 0;
}
