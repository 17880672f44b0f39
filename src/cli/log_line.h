/* SPDX-License-Identifier: MIT
 * Lines of the log and of the access log, in text or JSON, read back. */
#ifndef LOG_LINE_H
#define LOG_LINE_H

#include "base/bytes.h"

/* What a line tells of a request.  Texts are "" where it does not say. */
struct log_line {
    bool is_access; /* a line of the access log */
    bool is_answer; /* it tells how the request ended */
    char time[40], request[72], client[72], app[136], id[680], outcome[48], store[136], cache[8];
    char status[8], microseconds[24];
    bool is_member;     /* the id is a member's; else a guest's */
    char message[2200]; /* of another line of the log: "LEVEL: TEXT" */
};

/* False: it is not a line of ours. */
bool log_line_read(struct span text, struct log_line *line_r);

#endif
