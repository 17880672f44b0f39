/* SPDX-License-Identifier: MIT */
#include "reason.h"

#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOTS "..."

static bool is_inside(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* How much of a text of more than four bytes is left without the start of a character that its end
 * has cut. */
static size_t whole_length(const char *text, size_t length)
{
    size_t at = length - 1;
    while (length - at < 4 && is_inside(text[at]))
        at--;
    return (unsigned char)text[at] >= 0xc0 &&
                   !text_utf8_sequence((struct span){text + at, length - at})
               ? at
               : length;
}

/* `room` has the start of a text of `length` bytes, which is too long for it. */
__attribute__((format(printf, 4, 0))) static void shorten(char *room, size_t size, size_t length,
                                                          const char *format, va_list args)
{
    size_t start = size - 1, kept = (size - sizeof DOTS) / 2;
    const char *end = "";
    char *all = malloc(length + 1);
    if (all && vsnprintf(all, length + 1, format, args) == (int)length) {
        start -= strlen(DOTS) + kept;
        end = all + length - kept;
        for (int i = 0; i < 3 && is_inside(*end); i++)
            end++;
    }
    start = whole_length(room, start);
    snprintf(room + start, size - start, "%s%s", *end ? DOTS : "", end);
    free(all);
}

void reason_write(char *room, size_t size, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(room, size, format, args);
    if (length < 0)
        snprintf(room, size, "(the reason could not be written)");
    else if ((size_t)length >= size)
        shorten(room, size, (size_t)length, format, again);
    va_end(again);
}

void reason_prefix(struct reason *reason, const char *prefix)
{
    const struct reason told = *reason;
    reason_set(reason, "%s: %s", prefix, told.text);
}

void reason_set(struct reason *reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    reason_write(reason->text, sizeof reason->text, format, args);
    va_end(args);
}
