/* SPDX-License-Identifier: MIT
 * The words of a configuration: numbers, strings, names and signs, across the files
 * that it includes. */
#ifndef LEXER_H
#define LEXER_H

#include "reader.h"

enum token {
    TOKEN_FAULT, /* reported already */
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_STRING,
    TOKEN_INTEGER,
    TOKEN_FRACTION,
    TOKEN_BOOL,
    TOKEN_SIGN, /* one of = { } [ ] ( ) , ; */
};

/* A file that is being read, and the one that included it. */
struct lexer_input {
    struct lexer_input *outer;
    const char *path;
    struct bytes text; /* with a NUL behind it */
    const char *at, *end;
    unsigned line;
    bool line_begins; /* nothing but blanks so far: @include may follow */
};

struct lexer {
    struct arena *arena;
    struct reader_fault *fault;
    struct reader_file *files, **last_file;
    struct span folder; /* of the first file, where included ones are looked for; or SPAN_NONE */
    struct lexer_input *input;
    unsigned depth; /* of inputs */

    /* The token at hand. */
    enum token token;
    const char *path;
    unsigned line;
    char sign;
    struct span name; /* in the text, until the next token is read */
    struct bytes string;
    int64_t integer;
    double fraction;
    bool boolean;
};

/* Begins with the first token of a file.  False: the fault says why. */
bool lexer_open(struct lexer *lexer, const char *path, struct arena *arena,
                struct reader_fault *fault);
void lexer_close(struct lexer *lexer);

/* Moves on to the next token. */
void lexer_advance(struct lexer *lexer);

/* Notes what is wrong at the token at hand; the first fault counts. */
void lexer_fault(struct lexer *lexer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What the token is, in words, for messages. */
const char *lexer_describe(const struct lexer *lexer, char buffer[64]);

#endif
