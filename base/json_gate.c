/* SPDX-License-Identifier: MIT */
#include "json_gate.h"

#include "text.h"

#include <string.h>

struct gate {
    const char *text;
    size_t length, at;
    bool halves;
};

static bool has(const struct gate *gate, size_t count)
{
    return gate->length - gate->at >= count;
}

/* The byte that comes next, 0 at the end: never a byte that JSON allows here. */
static char peek(const struct gate *gate)
{
    return gate->at < gate->length ? gate->text[gate->at] : '\0';
}

/* The four digits of \uXXXX, -1 when they are not there. */
static long hex_unit(const struct gate *gate, size_t at)
{
    long value = 0;
    if (gate->length < at + 4)
        return -1;
    for (size_t i = at; i < at + 4; i++) {
        int digit = text_hex_digit(gate->text[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* RFC 8259, section 7: `at` stands on the backslash. */
static const char *skip_escape(struct gate *gate)
{
    if (!has(gate, 2) || !memchr("\"\\/bfnrtu", gate->text[gate->at + 1], 9))
        return "an escape that does not exist";
    if (gate->text[gate->at + 1] != 'u') {
        gate->at += 2;
        return NULL;
    }
    long unit = hex_unit(gate, gate->at + 2);
    if (unit < 0)
        return "\\u without four hexadecimal digits";
    if (unit >= 0xdc00 && unit <= 0xdfff && !gate->halves)
        return "the second half of a surrogate pair without the first";
    gate->at += 6;
    if (unit >= 0xd800 && unit <= 0xdbff) {
        bool escaped = has(gate, 6) && memcmp(gate->text + gate->at, "\\u", 2) == 0;
        long low = escaped ? hex_unit(gate, gate->at + 2) : -1;
        bool paired = low >= 0xdc00 && low <= 0xdfff;
        if (!paired && !gate->halves)
            return "the first half of a surrogate pair without the second";
        gate->at += paired ? 6 : 0;
    }
    return NULL;
}

static const char *skip_string(struct gate *gate)
{
    gate->at++;
    while (gate->at < gate->length) {
        unsigned char c = (unsigned char)gate->text[gate->at];
        if (c == '"') {
            gate->at++;
            return NULL;
        }
        if (c < 0x20)
            return "a control character in a string";
        if (c == '\\') {
            const char *fault = skip_escape(gate);
            if (fault)
                return fault;
            continue;
        }
        if (c < 0x80) {
            gate->at++;
            continue;
        }
        struct span rest = {gate->text + gate->at, gate->length - gate->at};
        size_t length = text_utf8_sequence(rest);
        if (!length)
            return "bytes that are not UTF-8";
        gate->at += length;
    }
    return "a string without an end";
}

static bool skip_digits(struct gate *gate)
{
    size_t start = gate->at;
    while (text_is_digit(peek(gate)))
        gate->at++;
    return gate->at > start;
}

/* RFC 8259, section 6. */
static const char *skip_number(struct gate *gate)
{
    bool good;
    if (peek(gate) == '-')
        gate->at++;
    if (peek(gate) == '0') {
        gate->at++;
        good = true;
    } else {
        good = skip_digits(gate);
    }
    if (good && peek(gate) == '.') {
        gate->at++;
        good = skip_digits(gate);
    }
    if (good && (peek(gate) == 'e' || peek(gate) == 'E')) {
        gate->at++;
        if (peek(gate) == '+' || peek(gate) == '-')
            gate->at++;
        good = skip_digits(gate);
    }
    bool ended = !peek(gate) || !strchr("0123456789+-.eE", peek(gate));
    return good && ended ? NULL : "a malformed number";
}

/* Anything outside of strings and numbers. */
static const char *skip_word(struct gate *gate)
{
    static const char *const words[] = {"true", "false", "null"};
    const char *start = gate->text + gate->at;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        if (has(gate, length) && memcmp(start, words[i], length) == 0) {
            gate->at += length;
            return NULL;
        }
    }
    if (!*start || !strchr("{}[]:, \t\r\n", *start))
        return "a character that does not belong there";
    gate->at++;
    return NULL;
}

const char *json_gate_check(struct span text, bool halves, size_t *offset_r)
{
    struct gate gate = {text.data, text.length, 0, halves};
    const char *fault = NULL;
    while (!fault && gate.at < gate.length) {
        char c = gate.text[gate.at];
        if (c == '"')
            fault = skip_string(&gate);
        else if (c == '-' || text_is_digit(c))
            fault = skip_number(&gate);
        else
            fault = skip_word(&gate);
    }
    *offset_r = gate.at;
    return fault;
}

/* ---- What a string stands for ---- */

static void add_utf8(struct bytes *out, unsigned long c)
{
    char bytes[4];
    size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(length == 1 ? c : (0xf00u >> length & 0xf0) | c);
    bytes_add(out, bytes, length);
}

/* Adds the character of the escape at the start of `text`.  Returns the escape's length. */
static size_t add_escape(struct bytes *out, struct span text, bool name)
{
    static const char letters[] = "bfnrt", controls[] = "\b\f\n\r\t";
    const struct gate gate = {text.data, text.length, 0, true};
    if (text.data[1] != 'u') {
        const char *letter = strchr(letters, text.data[1]);
        bytes_add(out, letter ? &controls[letter - letters] : text.data + 1, 1);
        return 2;
    }
    long unit = hex_unit(&gate, 2);
    bool first = unit >= 0xd800 && unit <= 0xdbff;
    bool escaped = first && text.length >= 12 && memcmp(text.data + 6, "\\u", 2) == 0;
    long low = escaped ? hex_unit(&gate, 8) : -1;
    bool paired = low >= 0xdc00 && low <= 0xdfff;
    if (paired)
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    else if (first || (unit >= 0xdc00 && unit <= 0xdfff))
        unit = 0;
    add_utf8(out, unit || !name ? (unsigned long)unit : 0xfffd);
    return paired ? 12 : 6;
}

void json_unescape(struct bytes *out, struct span string, bool name)
{
    for (size_t at = 0; at < string.length;) {
        const char *rest = string.data + at;
        const char *escape = memchr(rest, '\\', string.length - at);
        size_t plain = escape ? (size_t)(escape - rest) : string.length - at;
        bytes_add(out, rest, plain);
        at += plain;
        if (escape)
            at += add_escape(out, (struct span){escape, string.length - at}, name);
    }
}
