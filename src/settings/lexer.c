/* SPDX-License-Identifier: MIT */
#include "lexer.h"

#include "config_value.h"

#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX_BYTES (64 * 1024 * 1024)
#define READ_AHEAD     8192 /* that the end of the file is looked for with */
#define INCLUDES_MAX   10   /* files inside one another, as in libconfig */

#define DIGITS "0123456789"

/* ---- What is wrong ---- */

static void fault_at(struct lexer *lexer, const char *path, unsigned line, const char *format,
                     va_list args)
{
    if (lexer->token == TOKEN_FAULT)
        return;
    lexer->token = TOKEN_FAULT;
    lexer->fault->path = path;
    lexer->fault->line = line;
    reason_write(lexer->fault->why.text, sizeof lexer->fault->why.text, format, args);
}

void lexer_fault(struct lexer *lexer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fault_at(lexer, lexer->path, lexer->line, format, args);
    va_end(args);
}

/* The file as a whole, not a line of it. */
__attribute__((format(printf, 3, 4))) static void file_fault(struct lexer *lexer, const char *path,
                                                             const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fault_at(lexer, path, 0, format, args);
    va_end(args);
}

const char *lexer_describe(const struct lexer *lexer, char buffer[64])
{
    static const char *const words[] = {
        [TOKEN_FAULT] = "",
        [TOKEN_END] = "the end of the file",
        [TOKEN_NAME] = "a word without quotation marks", /* it may be a secret: never shown */
        [TOKEN_STRING] = "a string",
        [TOKEN_INTEGER] = "a number",
        [TOKEN_FRACTION] = "a number",
        [TOKEN_BOOL] = "true or false",
    };
    if (lexer->token == TOKEN_SIGN)
        snprintf(buffer, 64, "\"%c\"", lexer->sign);
    else
        return words[lexer->token];
    return buffer;
}

/* ---- Files ---- */

/* False: errno says why, EISDIR also for what is not a file at all. */
static bool read_text(const char *path, struct bytes *text, mode_t *mode_r)
{
    struct stat st = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return false;
    bool good = fstat(fd, &st) == 0;
    if (good && !S_ISREG(st.st_mode)) {
        errno = EISDIR;
        good = false;
    }
    if (good && st.st_size > 0 && st.st_size < FILE_MAX_BYTES)
        bytes_reserve(text, (size_t)st.st_size + READ_AHEAD); /* at once, not by doubling */
    good = good && file_read_all(fd, FILE_MAX_BYTES, text);
    bytes_string(text); /* puts a NUL behind it */
    if (good && (text->failed || text->length > FILE_MAX_BYTES)) {
        errno = text->failed ? ENOMEM : EFBIG;
        good = false;
    }
    int why = errno;
    close(fd);
    errno = why;
    *mode_r = st.st_mode;
    return good;
}

static void skip_byte_order_mark(struct lexer *lexer, struct lexer_input *input)
{
    if (strncmp(input->at, "\xef\xbb\xbf", 3) == 0)
        input->at += 3;
    else if (strncmp(input->at, "\xff\xfe", 2) == 0 || strncmp(input->at, "\xfe\xff", 2) == 0)
        file_fault(lexer, input->path, "is UTF-16; save it as UTF-8");
}

static void free_input(struct lexer_input *input)
{
    bytes_free(&input->text);
    free(input);
}

/* The main file, or the line that includes another one. */
static void fault_of_reading(struct lexer *lexer, const char *path, int error)
{
    struct reason fault;
    if (error == EISDIR)
        reason_set(&fault, "is not a file");
    else
        file_explain_reading(error, &fault);
    if (lexer->input)
        lexer_fault(lexer, "@include: %s %s", path, fault.text);
    else
        file_fault(lexer, path, "%s", fault.text);
}

/* Reads on in another file, up to its end. */
static void push_file(struct lexer *lexer, const char *path)
{
    struct reader_file *file = arena_alloc(lexer->arena, sizeof *file);
    struct lexer_input *input = calloc(1, sizeof *input);
    if (!file || !input || !path) {
        free(input);
        file_fault(lexer, NULL, "out of memory");
        return;
    }
    input->path = file->path = path;
    if (!read_text(path, &input->text, &file->mode)) {
        fault_of_reading(lexer, path, errno);
        free_input(input);
        return;
    }
    input->at = bytes_string(&input->text);
    input->end = input->at + input->text.length;
    input->line = 1;
    input->line_begins = true;
    input->outer = lexer->input;
    lexer->input = input;
    lexer->depth++;
    *lexer->last_file = file;
    lexer->last_file = &file->next;
    skip_byte_order_mark(lexer, input);
}

static void pop_file(struct lexer *lexer)
{
    struct lexer_input *input = lexer->input;
    lexer->input = input->outer;
    lexer->depth--;
    free_input(input);
}

/* ---- Words ---- */

/* The text of a string, up to its quotation mark; `at` is behind the first one. */
static void read_string(struct lexer *lexer)
{
    static const char escapes[] = "a\ab\bf\fn\nr\rt\tv\v\\\\\"\"";
    struct lexer_input *input = lexer->input;
    for (;;) {
        size_t plain = strcspn(input->at, "\"\\");
        for (const char *p = input->at; (p = memchr(p, '\n', (size_t)(input->at + plain - p))); p++)
            input->line++;
        bytes_add(&lexer->string, input->at, plain);
        input->at += plain;
        if (*input->at != '\\')
            break;
        const char *at = input->at + 1;
        const char *escape = NULL;
        for (const char *p = escapes; *at && *p && !escape; p += 2)
            escape = *p == *at ? p : NULL;
        int high = *at == 'x' || *at == 'X' ? text_hex_digit(at[1]) : -1;
        int low = high >= 0 ? text_hex_digit(at[2]) : -1;
        int code = escape ? escape[1] : low >= 0 ? high << 4 | low : '\\';
        char byte = (char)code;
        if (!byte) {
            lexer_fault(lexer, "a string must not contain a NUL byte (\\x00)");
            return;
        }
        bytes_add(&lexer->string, &byte, 1); /* an unknown escape keeps its backslash */
        input->at += escape ? 2 : low >= 0 ? 4 : 1;
    }
    if (*input->at != '"')
        lexer_fault(lexer,
                    "syntax error: the string that begins here has no closing quotation mark");
    else
        input->at++;
}

static void take_string(struct lexer *lexer)
{
    lexer->input->at++;
    lexer->token = TOKEN_STRING;
    read_string(lexer);
    if (lexer->string.failed)
        file_fault(lexer, NULL, "out of memory");
}

static void take_number(struct lexer *lexer)
{
    const char *text = lexer->input->at;
    int base;
    size_t length = value_measure_number(text, &base);
    if (!length) {
        lexer_fault(lexer, "syntax error: this begins like a number and is not one (a text needs "
                           "quotation marks)");
        return;
    }
    errno = 0;
    if (base == 0)
        lexer->fraction = strtod(text, NULL);
    else
        lexer->integer = strtoll(text, NULL, base);
    lexer->input->at += length;
    if (base && errno == ERANGE)
        lexer_fault(lexer, "a number is too large: it may have 64 bits at most");
    else
        lexer->token = base ? TOKEN_INTEGER : TOKEN_FRACTION;
}

static void take_name(struct lexer *lexer)
{
    const char *text = lexer->input->at;
    size_t length = 1;
    while (value_continues_name(text[length]))
        length++;
    lexer->input->at += length;
    lexer->boolean = length == 4 && strncasecmp(text, "true", 4) == 0;
    bool is_false = length == 5 && strncasecmp(text, "false", 5) == 0;
    lexer->token = lexer->boolean || is_false ? TOKEN_BOOL : TOKEN_NAME;
    lexer->name = (struct span){text, length};
}

/* A character that begins nothing, such as a quotation mark of another kind. */
static void fault_of_character(struct lexer *lexer)
{
    struct span rest = {lexer->input->at, (size_t)(lexer->input->end - lexer->input->at)};
    size_t length = text_utf8_sequence(rest);
    if (*rest.data && length)
        lexer_fault(lexer, "syntax error: %.*s does not belong here (texts stand in \"...\")",
                    (int)length, rest.data);
    else
        lexer_fault(lexer, "syntax error: the byte 0x%02x does not belong here",
                    (unsigned)(unsigned char)*rest.data);
}

/* ---- The next token ---- */

/* Goes on behind a comment that ends in the file. */
static void skip_long_comment(struct lexer *lexer)
{
    struct lexer_input *input = lexer->input;
    const char *end = strstr(input->at + 2, "*/");
    if (!end) {
        lexer->path = input->path;
        lexer->line = input->line;
        lexer_fault(lexer, "syntax error: the comment that begins here has no \"*/\"");
        return;
    }
    for (; input->at < end; input->at++)
        input->line += *input->at == '\n';
    input->at = end + 2;
}

/* Blanks and comments. */
static void skip_blanks(struct lexer *lexer)
{
    struct lexer_input *input = lexer->input;
    while (lexer->token != TOKEN_FAULT) {
        while (*input->at == ' ' || *input->at == '\t' || *input->at == '\r' || *input->at == '\f')
            input->at++;
        if (*input->at == '\n') {
            input->at++;
            input->line++;
            input->line_begins = true;
        } else if (*input->at == '#' || strncmp(input->at, "//", 2) == 0) {
            input->at += strcspn(input->at, "\n");
        } else if (strncmp(input->at, "/*", 2) == 0) {
            input->line_begins = false;
            skip_long_comment(lexer);
        } else {
            return;
        }
    }
}

/* @include "FILE", at the beginning of a line. */
static void include_file(struct lexer *lexer)
{
    static const char word[] = "@include";
    struct lexer_input *input = lexer->input;
    size_t length = sizeof word - 1;
    size_t blanks = strncmp(input->at, word, length) == 0 ? strspn(input->at + length, " \t") : 0;
    if (!input->line_begins || !blanks || input->at[length + blanks] != '"') {
        lexer_fault(lexer, "syntax error: \"@\" must begin a line of the form @include \"FILE\"");
        return;
    }
    input->at += length + blanks;
    input->line_begins = false;
    take_string(lexer);
    if (lexer->token == TOKEN_FAULT)
        return;
    if (lexer->depth > INCLUDES_MAX) {
        lexer_fault(lexer, "more than %d files include one another", INCLUDES_MAX);
        return;
    }
    const char *name = bytes_string(&lexer->string);
    bool plain = *name == '/' || !lexer->folder.data;
    push_file(lexer, plain ? arena_string(lexer->arena, span_of(name))
                           : arena_format(lexer->arena, "%.*s/%s", (int)lexer->folder.length,
                                          lexer->folder.data, name));
    bytes_reset(&lexer->string);
}

/* Up to something that is neither blank, comment, include nor the end of an included file. */
static void skip_to_token(struct lexer *lexer)
{
    for (;;) {
        skip_blanks(lexer);
        if (lexer->token == TOKEN_FAULT)
            return;
        struct lexer_input *input = lexer->input;
        bool ends = input->at == input->end;
        lexer->path = input->path;
        lexer->line = input->line;
        if (*input->at == '@')
            include_file(lexer);
        else if (ends && input->outer)
            pop_file(lexer);
        else
            return;
    }
}

void lexer_advance(struct lexer *lexer)
{
    if (lexer->token == TOKEN_FAULT)
        return;
    bytes_reset(&lexer->string);
    skip_to_token(lexer);
    if (lexer->token == TOKEN_FAULT)
        return;
    struct lexer_input *input = lexer->input;
    char first = *input->at;
    input->line_begins = false;
    if (input->at == input->end) {
        lexer->token = TOKEN_END;
    } else if (first == '"') {
        take_string(lexer);
    } else if (value_begins_name(first)) {
        take_name(lexer);
    } else if (first && strchr(DIGITS "+-.", first)) {
        take_number(lexer);
    } else if (first && strchr("=:{}[](),;", first)) {
        lexer->token = TOKEN_SIGN;
        lexer->sign = first == ':' ? '=' : first;
        input->at++;
    } else {
        fault_of_character(lexer);
    }
}

bool lexer_open(struct lexer *lexer, const char *path, struct arena *arena,
                struct reader_fault *fault)
{
    const char *slash = strrchr(path, '/');
    *lexer = (struct lexer){.arena = arena, .fault = fault, .token = TOKEN_END};
    lexer->last_file = &lexer->files;
    if (slash)
        lexer->folder = (struct span){path, slash == path ? 1 : (size_t)(slash - path)};
    push_file(lexer, arena_string(arena, span_of(path)));
    lexer_advance(lexer);
    return lexer->token != TOKEN_FAULT;
}

void lexer_close(struct lexer *lexer)
{
    while (lexer->input)
        pop_file(lexer);
    bytes_free(&lexer->string);
}
