/* SPDX-License-Identifier: MIT */
#include "query.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct reader {
    const char *text, *at;
    enum query_dialect dialect;
    struct query *query;
    struct reason *why;
    bool begun; /* something but blanks and comments was seen */
    bool ended; /* a semicolon was */
};

static bool refuse(struct reader *reader, const char *what)
{
    reason_set(reader->why, "query: at byte %zu: %s", (size_t)(reader->at - reader->text) + 1,
               what);
    return false;
}

static bool begins(const char *at, const char *word)
{
    return strncasecmp(at, word, strlen(word)) == 0;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* ---- What may hold anything ---- */

/* Two hyphens; in MySQL a blank must follow: 5--1 is a subtraction. */
static bool begins_line_comment(const char *at, enum query_dialect dialect)
{
    if (dialect != QUERY_MYSQL)
        return begins(at, "--");
    return *at == '#' || (begins(at, "--") && (!at[2] || strchr(" \t\n\v\f\r", at[2])));
}

/* The end of a comment that begins here, NULL if none does; *closed_r: it has an end of its own. */
static const char *skip_comment(const char *at, enum query_dialect dialect, bool *closed_r)
{
    *closed_r = true;
    if (begins_line_comment(at, dialect))
        return at + strcspn(at, dialect == QUERY_PGSQL ? "\r\n" : "\n");
    /* MySQL runs what is between these */
    if (!begins(at, "/*") || (dialect == QUERY_MYSQL && (at[2] == '!' || begins(at + 2, "M!"))))
        return NULL;
    int depth = 1;
    for (at += 2; *at && depth; at++) {
        if (begins(at, "*/"))
            depth--, at++;
        else if (dialect == QUERY_PGSQL && begins(at, "/*"))
            depth++, at++;
    }
    *closed_r = !depth;
    return at;
}

/* The end of what is quoted by the character here, NULL if it has none.  `escapes`: a
 * backslash takes the meaning from the next character. */
static const char *skip_quoted(const char *at, bool escapes)
{
    char mark = *at == '[' ? ']' : *at;
    for (at++; *at; at++) {
        if (*at == '\\' && escapes && at[1])
            at++;
        else if (*at == mark && at[1] == mark)
            at++;
        else if (*at == mark)
            return at + 1;
    }
    return NULL;
}

/* PostgreSQL's $tag$ ... $tag$; NULL: no such thing begins here, or it has no end. */
static const char *skip_dollars(const char *at)
{
    size_t length = 1;
    while (is_word(at[length]) && !isdigit((unsigned char)at[1]))
        length++;
    if (at[length] != '$')
        return NULL;
    length++;
    for (const char *to = at + length; *to; to++)
        if (strncmp(to, at, length) == 0)
            return to + length;
    return NULL;
}

/* Whether the quotation mark here begins a string in which a backslash escapes.  The statement
 * has begun before it, with more than an E. */
static bool has_escapes(const struct reader *reader)
{
    const char *at = reader->at;
    if (reader->dialect == QUERY_MYSQL)
        return *at != '`';
    return reader->dialect == QUERY_PGSQL && (at[-1] == 'E' || at[-1] == 'e') && !is_word(at[-2]);
}

/* Copies what is quoted; a placeholder inside quotes would be plain text. */
static bool take_quoted(struct reader *reader)
{
    const char *at = reader->at;
    const char *end = *at == '$' ? skip_dollars(at) : skip_quoted(at, has_escapes(reader));
    if (!end)
        return refuse(reader, "a quotation mark that is not closed");
    for (const char *brace = at; brace < end; brace++)
        if (begins(brace, "{id}") || begins(brace, "{appId}"))
            return refuse(reader, "the placeholder is inside quotation marks: remove these, it is "
                                  "bound as a parameter");
    bytes_add(&reader->query->sql, at, (size_t)(end - at));
    reader->at = end;
    return true;
}

/* ---- Placeholders and the rest ---- */

static bool take_placeholder(struct reader *reader)
{
    struct query *query = reader->query;
    bool id = strncmp(reader->at, "{id}", 4) == 0;
    if (!id && strncmp(reader->at, "{appId}", 7) != 0)
        return refuse(reader, "a brace that does not begin {id} or {appId}");
    if (query->count == QUERY_PARAMETERS_MAX)
        return refuse(reader, "more than 32 placeholders");
    query->parameters[query->count++] = id ? QUERY_ID : QUERY_APP;
    query->per_app |= !id;
    static const char *const written[][2] = {
        [QUERY_MYSQL] = {"?", "?"}, [QUERY_PGSQL] = {"$1", "$2"}, [QUERY_SQLITE] = {"?1", "?2"}};
    bytes_add_string(&query->sql, written[reader->dialect][!id]);
    reader->at += id ? 4 : 7;
    if (is_word(*reader->at)) /* $1 and 0 are not $10 */
        bytes_add_string(&query->sql, " ");
    return true;
}

/* Whether one of the database's own parameters begins here. */
static bool is_own_parameter(const struct reader *reader)
{
    const char *at = reader->at;
    if (reader->dialect == QUERY_PGSQL)
        return *at == '$' && isdigit((unsigned char)at[1]);
    return *at == '?' || (reader->dialect == QUERY_SQLITE && strchr(":@$", *at) && is_word(at[1]));
}

static bool begin_statement(struct reader *reader)
{
    static const char *const words[] = {"SELECT", "WITH", "SHOW", "VALUES", "("};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (begins(reader->at, words[i]) &&
            (*words[i] == '(' || !is_word(reader->at[strlen(words[i])]))) {
            reader->begun = true;
            return true;
        }
    return refuse(reader, "the statement must be a SELECT");
}

static bool is_quote(const struct reader *reader)
{
    switch (*reader->at) {
    case '\'':
    case '"':
        return true;
    case '`':
        return reader->dialect != QUERY_PGSQL;
    case '[':
        return reader->dialect == QUERY_SQLITE;
    case '$':
        return reader->dialect == QUERY_PGSQL && skip_dollars(reader->at) &&
               !is_word(reader->at[-1]);
    default:
        return false;
    }
}

static bool take_next(struct reader *reader)
{
    bool closed;
    const char *comment = skip_comment(reader->at, reader->dialect, &closed);
    if (comment && !closed)
        return refuse(reader, "a comment that is not closed");
    if (comment) { /* it may hold hints */
        bytes_add(&reader->query->sql, reader->at, (size_t)(comment - reader->at));
        reader->at = comment;
        return true;
    }
    if (isspace((unsigned char)*reader->at)) {
        bytes_add(&reader->query->sql, reader->at++, 1);
        return true;
    }
    if (reader->ended)
        return refuse(reader, "a second statement");
    if (!reader->begun && !begin_statement(reader))
        return false;
    if (*reader->at == ';') {
        reader->ended = true;
        reader->at++;
        return true;
    }
    if (*reader->at == '{')
        return take_placeholder(reader);
    if (is_quote(reader))
        return take_quoted(reader);
    if (is_own_parameter(reader))
        return refuse(reader, "a parameter that is not {id} or {appId}");
    bytes_add(&reader->query->sql, reader->at++, 1);
    return true;
}

static bool has_id(const struct query *query)
{
    return memchr(query->parameters, QUERY_ID, query->count);
}

bool query_read(const char *text, enum query_dialect dialect, struct query *query_r,
                struct reason *why)
{
    struct reader reader = {
        .text = text, .at = text, .dialect = dialect, .query = query_r, .why = why};
    *query_r = (struct query){.count = 0};
    while (*reader.at)
        if (!take_next(&reader))
            return false;
    bytes_string(&query_r->sql);
    if (query_r->sql.failed)
        reason_set(why, "out of memory");
    else if (!reader.begun)
        reason_set(why, "query: is empty");
    else if (!has_id(query_r))
        reason_set(why, "query: has no {id}: it would find the same for everyone");
    else
        return true;
    return false;
}

void query_free(struct query *query)
{
    bytes_free(&query->sql);
}
