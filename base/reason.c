/* SPDX-License-Identifier: MIT */
#include "reason.h"

#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Takes the start of a character off that the end of the room, of more than four bytes, has cut. */
static void mend_end(char *text, size_t length)
{
    size_t at = length - 1;
    while (length - at < 4 && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    if ((unsigned char)text[at] >= 0xc0 &&
        !text_utf8_sequence((struct span){text + at, length - at}))
        text[at] = '\0';
}

void reason_set(struct reason *reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(reason->text, sizeof reason->text, format, args);
    va_end(args);
    if (length < 0)
        strcpy(reason->text, "(the reason could not be written)");
    else if ((size_t)length >= sizeof reason->text)
        mend_end(reason->text, sizeof reason->text - 1);
}
