/* SPDX-License-Identifier: MIT */
#include "doctor_private.h"

#include "base/reason.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

void doctor_say(struct doctor *doctor, enum doctor_verdict verdict, const char *format, ...)
{
    static const char *const words[] = {
        [DOCTOR_OK] = "ok", [DOCTOR_WARNING] = "warning", [DOCTOR_FAULT] = "fault"};
    static const enum cli_colour colours[] = {
        [DOCTOR_OK] = CLI_GREEN, [DOCTOR_WARNING] = CLI_YELLOW, [DOCTOR_FAULT] = CLI_RED};
    char text[4096];
    va_list args;
    va_start(args, format);
    reason_write(text, sizeof text, format, args);
    va_end(args);
    /* some of it comes from a server: nothing may steer a terminal or forge a line */
    bool plain = text_is_plain(span_of(text));
    for (char *c = text; *c && !plain; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
            *c = '?';
    doctor->faults += verdict == DOCTOR_FAULT;
    printf("%s%s:%s %s\n", cli_colour(stdout, colours[verdict]), words[verdict],
           cli_colour(stdout, CLI_PLAIN), text);
}
