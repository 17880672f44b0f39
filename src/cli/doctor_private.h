/* SPDX-License-Identifier: MIT
 * memberchat doctor: what the parts of the examination share. */
#ifndef DOCTOR_PRIVATE_H
#define DOCTOR_PRIVATE_H

#include "cli.h"

enum doctor_verdict { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_FAULT };

struct doctor {
    const struct cli *cli;
    const char *user, *url, *key, *secret_file, *member; /* the options; NULL: not given */
    struct bytes secret;       /* of secret_file, read before the user changes */
    struct settings *settings; /* NULL: the configuration is not good */
    bool stores_are_open;
    unsigned faults;
};

/* doctor_say.c: prints one finding with its remedy. */
void doctor_say(struct doctor *doctor, enum doctor_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* doctor_files.c */
void doctor_look_at_path(struct doctor *doctor);     /* the folders above the configuration */
void doctor_look_at_secrets(struct doctor *doctor);  /* files below a document root */
void doctor_look_at_programs(struct doctor *doctor); /* what a web server runs */
void doctor_look_at_clock(struct doctor *doctor);
void doctor_look_at_limits(struct doctor *doctor);

/* doctor_url.c */
void doctor_call(struct doctor *doctor);

/* doctor_http.c: how an HTTP request ended. */
enum doctor_transport {
    DOCTOR_ANSWERED,
    DOCTOR_NO_MEMORY,
    DOCTOR_BAD_URL,
    DOCTOR_NO_HOST,    /* the name has no address */
    DOCTOR_NO_CONNECT, /* nobody listens, or no way leads there */
    DOCTOR_TIMEOUT,
    DOCTOR_NOT_HTTP, /* something else answered, or nothing */
    DOCTOR_TLS,      /* no agreement, or a certificate that is not good */
    DOCTOR_NO_CURL   /* https needs curl(1), which is not installed */
};

struct doctor_answer {
    int status;
    struct bytes text; /* the whole answer */
    struct span head, body;
};

/* Up to two headers of a request, without their line ends; an empty one is none. */
struct doctor_headers {
    struct bytes lines[2];
};

/* Sends a POST with the body {}.  The answer is to be freed, whatever came of it; text that is too
 * long is cut. */
enum doctor_transport doctor_post(const char *url, const struct doctor_headers *headers,
                                  struct doctor_answer *answer_r);

/* ---- doctor_answer.c ---- */

/* Finds status, head and body in the text.  False: it is not HTTP. */
bool doctor_answer_read(struct doctor_answer *answer);
void doctor_answer_free(struct doctor_answer *answer);

/* A header's value in the answer; SPAN_NONE: it has none. */
struct span doctor_header(const struct doctor_answer *answer, const char *name);

#endif
