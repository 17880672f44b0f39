/* SPDX-License-Identifier: MIT */
#include "doctor_private.h"

#include "base/reason.h"

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
    doctor->faults += verdict == DOCTOR_FAULT;
    printf("%s%s:%s ", cli_colour(stdout, colours[verdict]), words[verdict],
           cli_colour(stdout, CLI_PLAIN));
    cli_put(stdout, text); /* some of it comes from a server */
    putchar('\n');
}
