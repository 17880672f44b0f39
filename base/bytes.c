/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 1024 /* most texts of a request fit */

struct span span_of(const char *string)
{
    return string ? (struct span){string, strlen(string)} : SPAN_NONE;
}

bool span_equal(struct span a, struct span b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

bool span_matches(struct span a, struct span b)
{
    for (size_t i = 0; a.length == b.length && i < a.length; i++)
        if (text_lower(a.data[i]) != text_lower(b.data[i]))
            return false;
    return a.length == b.length;
}

bool span_equal_nocase(struct span a, const char *b)
{
    return span_matches(a, span_of(b));
}

bool span_is_one_of(struct span text, const char *const words[])
{
    for (; *words; words++)
        if (span_equal(text, span_of(*words)))
            return true;
    return false;
}

struct span span_trim(struct span text, const char *blanks)
{
    size_t count = strlen(blanks);
    while (text.length && memchr(blanks, text.data[0], count))
        text = (struct span){text.data + 1, text.length - 1};
    while (text.length && memchr(blanks, text.data[text.length - 1], count))
        text.length--;
    return text;
}

bool span_next_line(struct span *rest, struct span *line_r)
{
    if (!rest->length)
        return false;
    const char *newline = memchr(rest->data, '\n', rest->length);
    size_t length = newline ? (size_t)(newline - rest->data) : rest->length;
    *line_r = (struct span){rest->data, length};
    rest->data += length + !!newline;
    rest->length -= length + !!newline;
    return true;
}

const char *span_copy(struct span text, char *room, size_t size)
{
    size_t length = text.length < size ? text.length : size - 1;
    if (length)
        memcpy(room, text.data, length);
    room[length] = '\0';
    return room;
}

struct bytes bytes_within(char *memory, size_t size)
{
    return (struct bytes){.data = memory, .capacity = size, .borrowed = true};
}

char *bytes_reserve(struct bytes *buf, size_t length)
{
    if (buf->failed || length > SIZE_MAX / 4 - buf->length)
        goto fail;
    if (!buf->data || buf->capacity - buf->length < length) {
        if (buf->borrowed)
            goto fail;
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

void bytes_add(struct bytes *buf, const char *data, size_t length)
{
    char *room = length ? bytes_reserve(buf, length) : NULL;
    if (room) {
        memcpy(room, data, length);
        buf->length += length;
    }
}

void bytes_add_span(struct bytes *buf, struct span span)
{
    bytes_add(buf, span.data, span.length);
}

void bytes_add_string(struct bytes *buf, const char *string)
{
    bytes_add(buf, string, strlen(string));
}

void bytes_add_number(struct bytes *buf, int64_t number)
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
    bytes_add(buf, at, (size_t)(end - at));
}

void bytes_addf(struct bytes *buf, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < 0) {
        buf->failed = true;
    } else if ((size_t)length < sizeof text) {
        bytes_add(buf, text, (size_t)length);
    } else {
        char *room = bytes_reserve(buf, (size_t)length + 1);
        if (!room)
            return;
        va_start(args, format);
        vsnprintf(room, (size_t)length + 1, format, args);
        va_end(args);
        buf->length += (size_t)length;
    }
}

void bytes_add_json_part(struct bytes *buf, struct span span)
{
    static const char hex[] = "0123456789abcdef";
    char *room = bytes_reserve(buf, 6 * span.length); /* all of it as \u00XX */
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

void bytes_add_json(struct bytes *buf, struct span span)
{
    if (!span.data) {
        bytes_add(buf, "null", 4);
        return;
    }
    bytes_add(buf, "\"", 1);
    bytes_add_json_part(buf, span);
    bytes_add(buf, "\"", 1);
}

void bytes_add_hex(struct bytes *buf, struct span span)
{
    static const char digits[] = "0123456789abcdef";
    char *room = bytes_reserve(buf, 2 * span.length);
    for (size_t i = 0; room && i < span.length; i++) {
        unsigned char c = (unsigned char)span.data[i];
        room[2 * i] = digits[c >> 4];
        room[2 * i + 1] = digits[c & 15];
    }
    buf->length += room ? 2 * span.length : 0;
}

void bytes_add_base64(struct bytes *buf, struct span span)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < span.length; i += 3) {
        unsigned bits = 0;
        char group[4];
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (i + j < span.length ? (unsigned char)span.data[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            group[j] = i + j > span.length ? '=' : alphabet[bits >> (18 - 6 * j) & 63];
        bytes_add(buf, group, sizeof group);
    }
}

static bool is_unreserved(char c)
{
    return text_is_letter(c) || text_is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

void bytes_add_percent(struct bytes *buf, struct span span)
{
    static const char digits[] = "0123456789ABCDEF";
    char *room = bytes_reserve(buf, 3 * span.length), *at = room;
    for (size_t i = 0; room && i < span.length; i++) {
        unsigned char c = (unsigned char)span.data[i];
        if (is_unreserved((char)c)) {
            *at++ = (char)c;
        } else {
            *at++ = '%';
            *at++ = digits[c >> 4];
            *at++ = digits[c & 15];
        }
    }
    buf->length += (size_t)(at - room);
}

void bytes_add_quoted(struct bytes *buf, struct span span)
{
    bytes_add(buf, "\"", 1);
    for (size_t i = 0; i < span.length; i++) {
        if (span.data[i] == '"' || span.data[i] == '\\')
            bytes_add(buf, "\\", 1);
        bytes_add(buf, &span.data[i], 1);
    }
    bytes_add(buf, "\"", 1);
}

void bytes_add_shell(struct bytes *buf, struct span span)
{
    bool plain = span.length > 0;
    for (size_t i = 0; plain && i < span.length; i++)
        plain = text_is_letter(span.data[i]) || text_is_digit(span.data[i]) ||
                memchr("_@%+:,./-", span.data[i], 9);
    if (plain) {
        bytes_add_span(buf, span);
        return;
    }
    bytes_add(buf, "'", 1);
    for (size_t i = 0; i < span.length; i++)
        if (span.data[i] == '\'')
            bytes_add_string(buf, "'\\''");
        else
            bytes_add(buf, &span.data[i], 1);
    bytes_add(buf, "'", 1);
}

void bytes_copy(struct bytes *buf, struct span span)
{
    if (buf->capacity < span.length) {
        bytes_free(buf);
        buf->data = malloc(span.length);
        buf->capacity = buf->data ? span.length : 0;
    }
    bytes_reset(buf);
    bytes_add_span(buf, span);
}

const char *bytes_string(struct bytes *buf)
{
    char *room = bytes_reserve(buf, 1);
    if (!room)
        return "";
    *room = '\0';
    return buf->data;
}

struct span bytes_span(const struct bytes *buf)
{
    return (struct span){buf->data ? buf->data : "", buf->length};
}

void bytes_reset(struct bytes *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->length);
    buf->length = 0;
    buf->failed = false;
}

void bytes_free(struct bytes *buf)
{
    bytes_reset(buf);
    if (!buf->borrowed)
        free(buf->data);
    *buf = (struct bytes){0};
}
