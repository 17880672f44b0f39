/* SPDX-License-Identifier: MIT */
#include "php.h"

#include "php_text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { LOOKUPS_MAX = 16 }; /* of settings that others are made of */

/* ---- Walking: from word to word, past comments and strings ---- */

struct walk {
    const char *at;
    bool inside;     /* <?php ... ?> */
    unsigned braces; /* that are open */
};

struct word {
    const char *at;
    size_t length;
    bool variable;   /* it has a $ */
    unsigned braces; /* around it */
};

static bool enter(struct walk *walk)
{
    const char *begin = strstr(walk->at, "<?");
    walk->at = begin ? begin + 2 : walk->at + strlen(walk->at);
    walk->inside = begin != NULL;
    if (walk->inside && strncasecmp(walk->at, "php", 3) == 0)
        walk->at += 3;
    return walk->inside;
}

/* Whether what stands before makes another thing of a word: ->define, Class::define, $$x. */
static bool is_part(const struct walk *walk)
{
    const char *before = walk->at - 2; /* "<?" is there, if nothing else */
    return strncmp(before, "->", 2) == 0 || strncmp(before, "::", 2) == 0;
}

static bool next_word(struct walk *walk, struct word *word_r)
{
    while (*walk->at) {
        if (!walk->inside && !enter(walk))
            return false;
        const char *at = php_skip_blanks(walk->at), *behind = php_skip_string(at);
        walk->at = behind;
        if (behind > at)
            continue;
        if (strncmp(at, "?>", 2) == 0)
            walk->inside = false;
        bool variable = *at == '$' && php_is_word(at[1]);
        if (variable || php_is_word(*at)) {
            *word_r = (struct word){at + variable, 0, variable, walk->braces};
            while (php_is_word(word_r->at[word_r->length]))
                word_r->length++;
            bool part = is_part(walk);
            walk->at = word_r->at + word_r->length;
            if (!part)
                return true;
            continue;
        }
        walk->braces += *at == '{';
        walk->braces -= *at == '}' && walk->braces > 0;
        walk->at += *at != '\0';
    }
    return false;
}

static bool is_word(const struct word *word, const char *text)
{
    return !word->variable && word->length == strlen(text) &&
           strncasecmp(word->at, text, word->length) == 0;
}

static bool has_name(const char *at, size_t length, const char *name)
{
    return length == strlen(name) && strncmp(at, name, length) == 0;
}

/* ---- Values ---- */

struct search {
    int lookups; /* that may still be made */
    bool failed; /* memory ran out: what was found means nothing */
};

static enum php_found find(const char *text, const char *name, bool constant, struct search *search,
                           struct bytes *value_r, unsigned *line_r);

/* A number, true, false, null, or another setting. */
static bool take_name(const char *text, const char **at, struct search *search, struct bytes *value)
{
    bool variable = **at == '$';
    const char *begin = *at + variable, *end = begin;
    char name[64];
    unsigned line;
    while (php_is_word(*end))
        end++;
    size_t length = (size_t)(end - begin);
    *at = end;
    if (!length || length >= sizeof name || *php_skip_blanks(end) == '(')
        return false;
    memcpy(name, begin, length);
    name[length] = '\0';
    if (!variable && (strspn(name, "0123456789") == length || strcasecmp(name, "true") == 0))
        bytes_add_string(value, isdigit((unsigned char)*name) ? name : "1");
    else if (variable || (strcasecmp(name, "false") != 0 && strcasecmp(name, "null") != 0)) {
        struct bytes other = {0};
        bool plain = search->lookups-- > 0 &&
                     find(text, name, !variable, search, &other, &line) == PHP_PLAIN;
        bytes_add_span(value, bytes_span(&other));
        bytes_free(&other);
        return plain;
    }
    return true;
}

/* Texts joined by dots, up to what ends a value. */
static bool take_value(const char *text, const char *at, struct search *search, struct bytes *value)
{
    for (;;) {
        at = php_skip_blanks(at);
        const char *behind = php_skip_string(at);
        if (behind > at ? !php_take_string(at, value) : !take_name(text, &at, search, value))
            return false;
        at = php_skip_blanks(behind > at ? behind : at);
        if (*at != '.' || at[1] == '=' || at[1] == '.')
            break;
        at++;
    }
    return !*at || strchr(";,)", *at) || strncmp(at, "?>", 2) == 0;
}

/* Where the value begins, if the word sets the name; NULL: it does not.  *changed_r: it changes
 * what there is, as with .= */
static const char *begins_setting(const struct word *word, const char *name, bool constant,
                                  struct search *search, bool *changed_r)
{
    const char *at = php_skip_blanks(word->at + word->length);
    *changed_r = false;
    if (!constant) {
        if (!word->variable || !has_name(word->at, word->length, name))
            return NULL;
        size_t length = strcspn(at, "=");
        *changed_r = length > 0 && length < 3 && strspn(at, ".?+-*/|&^%") == length;
        if (at[length] != '=' || (length && !*changed_r) || at[length + 1] == '=' ||
            at[length + 1] == '>')
            return NULL;
        return at + length + 1;
    }
    if (is_word(word, "const")) {
        size_t length = 0;
        while (php_is_word(at[length]))
            length++;
        const char *sign = php_skip_blanks(at + length);
        return has_name(at, length, name) && *sign == '=' ? sign + 1 : NULL;
    }
    if (!is_word(word, "define") || *at != '(')
        return NULL;
    struct bytes first = {0};
    at = php_skip_blanks(at + 1);
    bool named = php_take_string(at, &first) && strcmp(bytes_string(&first), name) == 0;
    search->failed |= first.failed;
    bytes_free(&first);
    at = php_skip_blanks(php_skip_string(at));
    return named && *at == ',' ? at + 1 : NULL;
}

static unsigned line_of(const char *text, const char *at)
{
    unsigned line = 1;
    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

/* What one more value of a setting means; `replaces`: it is in force instead of the one before. */
static enum php_found add_value(enum php_found before, struct bytes *value_r, struct span value,
                                bool plain, bool replaces)
{
    bool same = before == PHP_PLAIN && plain && span_equal(bytes_span(value_r), value);
    if (before == PHP_MISSING || (replaces && before != PHP_DIFFERS)) {
        bytes_reset(value_r);
        bytes_add_span(value_r, value);
        return plain ? PHP_PLAIN : PHP_OTHER;
    }
    return same ? PHP_PLAIN : before == PHP_OTHER && !plain ? PHP_OTHER : PHP_DIFFERS;
}

static enum php_found find(const char *text, const char *name, bool constant, struct search *search,
                           struct bytes *value_r, unsigned *line_r)
{
    struct walk walk = {.at = text};
    struct word word;
    enum php_found found = PHP_MISSING;
    bool changed;
    *line_r = 0;
    while (next_word(&walk, &word)) {
        const char *at = begins_setting(&word, name, constant, search, &changed);
        struct bytes value = {0};
        if (!at)
            continue;
        /* a constant keeps its first value, a variable its last; inside braces, code decides */
        bool plain = take_value(text, at, search, &value) && !changed;
        bool replaces = !constant && word.braces == 0 && !changed;
        found = add_value(found, value_r, bytes_span(&value), plain, replaces);
        search->failed |= value.failed || value_r->failed;
        bytes_free(&value);
        *line_r = line_of(text, word.at);
    }
    return found;
}

enum php_found php_find(const char *text, const char *name, bool constant, struct bytes *value_r,
                        unsigned *line_r)
{
    struct search search = {.lookups = LOOKUPS_MAX};
    enum php_found found = find(text, name, constant, &search, value_r, line_r);
    return search.failed ? PHP_NO_MEMORY : found;
}

/* ---- Files that it includes ---- */

static bool is_include(const struct word *word)
{
    static const char *const words[] = {"include", "include_once", "require", "require_once"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(word, words[i]))
            return true;
    return false;
}

unsigned php_find_include(const char *text, const char *const harmless[])
{
    struct walk walk = {.at = text};
    struct word word;
    while (next_word(&walk, &word)) {
        const char *at = word.at + word.length;
        size_t length = strcspn(at, ";\n");
        bool known = !is_include(&word);
        for (const char *const *name = harmless; !known && *name; name++)
            known = memmem(at, length, *name, strlen(*name)) != NULL;
        if (!known)
            return line_of(text, word.at);
    }
    return 0;
}
