/* SPDX-License-Identifier: MIT */
#include "strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIRST_CAPACITY 1024 /* most texts of a request fit */

struct span span_of(const char *string)
{
    return string ? (struct span){string, strlen(string)} : SPAN_NONE;
}

bool span_equal(struct span a, struct span b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

bool span_equal_nocase(struct span a, const char *b)
{
    return a.length == strlen(b) && strncasecmp(a.data ? a.data : "", b, a.length) == 0;
}

char *strbuf_reserve(struct strbuf *buf, size_t length)
{
    if (buf->failed || length > SIZE_MAX / 4 - buf->length)
        goto fail;
    if (!buf->data || buf->capacity - buf->length < length) {
        size_t capacity = buf->capacity ? buf->capacity : FIRST_CAPACITY;
        while (capacity - buf->length < length)
            capacity *= 2;
        /* not realloc(): it may leave the old bytes behind, and they may be secret */
        char *data = malloc(capacity);
        if (!data)
            goto fail;
        if (buf->length)
            memcpy(data, buf->data, buf->length);
        if (buf->data)
            explicit_bzero(buf->data, buf->length);
        free(buf->data);
        buf->data = data;
        buf->capacity = capacity;
    }
    return buf->data + buf->length;
fail:
    buf->failed = true;
    return NULL;
}

void strbuf_add(struct strbuf *buf, const char *data, size_t length)
{
    char *room = length ? strbuf_reserve(buf, length) : NULL;
    if (room) {
        memcpy(room, data, length);
        buf->length += length;
    }
}

void strbuf_add_span(struct strbuf *buf, struct span span)
{
    strbuf_add(buf, span.data, span.length);
}

void strbuf_add_string(struct strbuf *buf, const char *string)
{
    strbuf_add(buf, string, strlen(string));
}

void strbuf_add_number(struct strbuf *buf, int64_t number)
{
    char digits[sizeof "-9223372036854775808"];
    char *end = digits + sizeof digits, *at = end;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0)
        *--at = '-';
    strbuf_add(buf, at, (size_t)(end - at));
}

void strbuf_addf(struct strbuf *buf, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < 0) {
        buf->failed = true;
    } else if ((size_t)length < sizeof text) {
        strbuf_add(buf, text, (size_t)length);
    } else {
        char *room = strbuf_reserve(buf, (size_t)length + 1);
        if (!room)
            return;
        va_start(args, format);
        vsnprintf(room, (size_t)length + 1, format, args);
        va_end(args);
        buf->length += (size_t)length;
    }
}

void strbuf_add_json_part(struct strbuf *buf, struct span span)
{
    static const char hex[] = "0123456789abcdef";
    char *room = strbuf_reserve(buf, 6 * span.length); /* all of it as \u00XX */
    if (!room)
        return;
    char *out = room;
    for (size_t i = 0; i < span.length; i++) {
        unsigned char c = (unsigned char)span.data[i];
        if (c == '"' || c == '\\') {
            *out++ = '\\';
            *out++ = (char)c;
        } else if (c < 0x20) {
            memcpy(out, "\\u00", 4);
            out[4] = hex[c >> 4];
            out[5] = hex[c & 15];
            out += 6;
        } else {
            *out++ = (char)c;
        }
    }
    buf->length += (size_t)(out - room);
}

void strbuf_add_json(struct strbuf *buf, struct span span)
{
    if (!span.data) {
        strbuf_add(buf, "null", 4);
        return;
    }
    strbuf_add(buf, "\"", 1);
    strbuf_add_json_part(buf, span);
    strbuf_add(buf, "\"", 1);
}

void strbuf_copy(struct strbuf *buf, struct span span)
{
    if (buf->capacity < span.length) {
        strbuf_free(buf);
        buf->data = malloc(span.length);
        buf->capacity = buf->data ? span.length : 0;
    }
    strbuf_reset(buf);
    strbuf_add_span(buf, span);
}

const char *strbuf_string(struct strbuf *buf)
{
    char *room = strbuf_reserve(buf, 1);
    if (!room)
        return "";
    *room = '\0';
    return buf->data;
}

struct span strbuf_span(const struct strbuf *buf)
{
    return (struct span){buf->data ? buf->data : "", buf->length};
}

void strbuf_reset(struct strbuf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->length);
    buf->length = 0;
    buf->failed = false;
}

void strbuf_free(struct strbuf *buf)
{
    strbuf_reset(buf);
    free(buf->data);
    *buf = (struct strbuf){0};
}
