/* SPDX-License-Identifier: MIT */
#include "php_text.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>

bool php_is_equals(const char *at)
{
    return *at == '=' && at[1] != '=' && at[1] != '>';
}

bool php_is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* The end of a comment that begins here; `at` if none does. */
static const char *skip_comment(const char *at)
{
    if (strncmp(at, "/*", 2) == 0) {
        const char *end = strstr(at + 2, "*/");
        return end ? end + 2 : at + strlen(at);
    }
    if (strncmp(at, "//", 2) == 0 || (*at == '#' && at[1] != '['))
        while (*at && *at != '\n' && *at != '\r' && strncmp(at, "?>", 2) != 0)
            at++;
    return at;
}

const char *php_skip_blanks(const char *at)
{
    for (const char *next = at;; at = next) {
        while (isspace((unsigned char)*next))
            next++;
        next = skip_comment(next);
        if (next == at)
            return at;
    }
}

/* ---- Heredocs ---- */

struct heredoc {
    struct span text; /* with the lines' indentation */
    size_t indent;    /* of the closing mark, which each line loses */
    bool quoted;      /* 'MARK': nothing in it is special */
    bool closed;      /* otherwise it goes on to the end of the file */
    const char *end;
};

/* The mark on its own line ends it. */
static void find_end(const char *body, struct span mark, struct heredoc *heredoc_r)
{
    for (const char *line = body; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *at = line + strspn(line, " \t");
        if (strncmp(at, mark.data, mark.length) == 0 && !php_is_word(at[mark.length])) {
            size_t length = (size_t)(line - body);
            length -= length > 0;
            length -= length > 0 && body[length - 1] == '\r';
            heredoc_r->text = (struct span){body, length};
            heredoc_r->indent = (size_t)(at - line);
            heredoc_r->closed = true;
            heredoc_r->end = at + mark.length;
            return;
        }
    }
    heredoc_r->end = body + strlen(body);
}

/* False: none begins here. */
static bool read_heredoc(const char *at, struct heredoc *heredoc_r)
{
    *heredoc_r = (struct heredoc){0};
    if (strncmp(at, "<<<", 3) != 0)
        return false;
    at += 3;
    at += strspn(at, " \t");
    char quote = *at == '\'' || *at == '"' ? *at++ : '\0';
    struct span mark = {at, 0};
    while (php_is_word(at[mark.length]))
        mark.length++;
    at += mark.length;
    if (!mark.length || (quote && *at++ != quote))
        return false;
    at += *at == '\r';
    heredoc_r->quoted = quote == '\'';
    if (*at == '\n')
        find_end(at + 1, mark, heredoc_r);
    return *at == '\n';
}

/* ---- Strings ---- */

const char *php_skip_string(const char *at)
{
    struct heredoc heredoc;
    if (read_heredoc(at, &heredoc))
        return heredoc.end;
    if (*at != '\'' && *at != '"' && *at != '`')
        return at;
    for (const char *to = at + 1; *to; to++) {
        if (*to == '\\' && to[1])
            to++;
        else if (*to == *at)
            return to + 1;
    }
    return at + strlen(at);
}

/* \n, \x41, \101 and the like, from behind the backslash, where there is something; how many bytes
 * they take. */
static size_t take_escape(const char *at, char quote, struct bytes *value)
{
    static const char letters[] = "nrtvef\\$", bytes[] = "\n\r\t\v\033\f\\$";
    const char *found = strchr(letters, *at);
    size_t length = 0;
    unsigned code = 0;
    if (found || *at == quote) {
        bytes_add(value, found ? &bytes[found - letters] : at, 1);
        return 1;
    }
    if (*at == 'x')
        for (length = 1; length < 3 && text_hex_digit(at[length]) >= 0; length++)
            code = code * 16 + (unsigned)text_hex_digit(at[length]);
    else
        for (; length < 3 && at[length] >= '0' && at[length] <= '7'; length++)
            code = code * 8 + (unsigned)(at[length] - '0');
    if (length == 0 || (*at == 'x' && length == 1)) {
        bytes_add(value, "\\", 1); /* of no meaning: it stays */
        return 0;
    }
    char byte = (char)code;
    bytes_add(value, &byte, 1);
    return length;
}

/* Text in which variables and escapes count. */
static bool take_double(struct span text, char quote, size_t indent, struct bytes *value)
{
    for (size_t i = 0; i < text.length; i++) {
        const char *at = text.data + i;
        bool begins_line = indent && (i == 0 || at[-1] == '\n');
        if (begins_line)
            i += indent - 1;
        else if (*at == '$' && (php_is_word(at[1]) || at[1] == '{'))
            return false;
        else if (*at == '{' && at[1] == '$')
            return false;
        else if (*at == '\\')
            i += take_escape(at + 1, quote, value);
        else
            bytes_add(value, at, 1);
    }
    return true;
}

static void take_single(struct span text, struct bytes *value)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '\\' && (text.data[i + 1] == '\'' || text.data[i + 1] == '\\'))
            i++;
        bytes_add(value, text.data + i, 1);
    }
}

static void take_lines(struct span text, size_t indent, struct bytes *value)
{
    for (size_t i = 0; i < text.length; i++) {
        if (indent && (i == 0 || text.data[i - 1] == '\n'))
            i += indent;
        if (i < text.length)
            bytes_add(value, text.data + i, 1);
    }
}

bool php_take_string(const char *at, struct bytes *value)
{
    struct heredoc heredoc;
    if (read_heredoc(at, &heredoc)) {
        if (!heredoc.closed)
            return false;
        if (!heredoc.quoted)
            return take_double(heredoc.text, '\0', heredoc.indent, value);
        take_lines(heredoc.text, heredoc.indent, value);
        return true;
    }
    const char *end = php_skip_string(at);
    if ((*at != '\'' && *at != '"') || end < at + 2 || end[-1] != *at)
        return false;
    struct span text = {at + 1, (size_t)(end - at) - 2};
    if (*at == '"')
        return take_double(text, '"', 0, value);
    take_single(text, value);
    return true;
}
