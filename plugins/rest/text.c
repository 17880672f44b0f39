/* SPDX-License-Identifier: MIT
 *
 * rest_text.c: see rest_text.h.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *rest_text_reserve(struct rest_text *text, size_t length)
{
    if (text->failed)
        return NULL;
    if (text->capacity - text->length < length) {
        size_t capacity = 2 * text->capacity + length;
        char *bytes = malloc(capacity);
        if (!bytes) {
            text->failed = true;
            return NULL;
        }
        if (text->length)
            memcpy(bytes, text->bytes, text->length);
        struct rest_text old = *text;
        text->bytes = bytes;
        text->capacity = capacity;
        rest_text_free(&old);
    }
    return text->bytes + text->length;
}

void rest_text_add(struct rest_text *text, const char *bytes, size_t length)
{
    char *room = length ? rest_text_reserve(text, length) : NULL;
    if (!room)
        return;
    memcpy(room, bytes, length);
    text->length += length;
}

void rest_text_add_string(struct rest_text *text, const char *string)
{
    rest_text_add(text, string, strlen(string));
}

const char *rest_text_string(struct rest_text *text)
{
    char *end = rest_text_reserve(text, 1);
    if (!end)
        return "";
    *end = '\0';
    return text->bytes;
}

void rest_text_reset(struct rest_text *text)
{
    text->length = 0;
    text->failed = false;
}

void rest_text_free(struct rest_text *text)
{
    if (text->bytes)
        explicit_bzero(text->bytes, text->capacity);
    free(text->bytes);
    *text = (struct rest_text){0};
}

void rest_reason_set(struct rest_reason *reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reason->text, sizeof reason->text, format, args);
    va_end(args);
}
