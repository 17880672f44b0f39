/* SPDX-License-Identifier: MIT */
#include "php.h"

#include "php_text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
    LOOKUPS_MAX = 16,  /* of settings that others are made of */
    INCLUDE_MAX = 1024 /* bytes that tell which file is included */
};

/* ---- Walking: from word to word, past comments and strings ---- */

struct walk {
    const char *at;
    bool inside;    /* <?php ... ?> */
    unsigned depth; /* brackets of all kinds that are open */
    char last;      /* of what stood before, without blanks and comments; '\0': nothing did */
};

struct word {
    const char *at;
    size_t length;
    bool variable; /* it has a $ */
    bool begins;   /* a statement that is in no brackets and depends on no condition before it */
};

static bool enter(struct walk *walk)
{
    const char *begin = strstr(walk->at, "<?");
    walk->at = begin ? begin + 2 : walk->at + strlen(walk->at);
    walk->inside = begin != NULL;
    walk->last = '\0';
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

/* Past a sign that is neither a word nor a string. */
static void take_sign(struct walk *walk)
{
    char sign = *walk->at;
    if (strncmp(walk->at, "?>", 2) == 0)
        walk->inside = false;
    if (!sign)
        return;
    walk->depth += strchr("([{", sign) != NULL;
    walk->depth -= strchr(")]}", sign) && walk->depth > 0;
    if (sign != '@' && sign != '\\') /* @define, \define */
        walk->last = sign;
    walk->at++;
}

static bool next_word(struct walk *walk, struct word *word_r)
{
    while (*walk->at) {
        if (!walk->inside && !enter(walk))
            return false;
        const char *at = php_skip_blanks(walk->at), *behind = php_skip_string(at);
        bool variable = *at == '$' && php_is_word(at[1]);
        walk->at = behind;
        if (behind > at) {
            walk->last = *at;
        } else if (variable || php_is_word(*at)) {
            bool begins = walk->depth == 0 && strchr(";}", walk->last) != NULL;
            *word_r = (struct word){at + variable, 0, variable, begins};
            while (php_is_word(word_r->at[word_r->length]))
                word_r->length++;
            bool part = is_part(walk);
            walk->at = word_r->at + word_r->length;
            walk->last = *word_r->at;
            if (!part)
                return true;
        } else {
            take_sign(walk);
        }
    }
    return false;
}

static bool is_word(const struct word *word, const char *text)
{
    return !word->variable && word->length == strlen(text) &&
           strncasecmp(word->at, text, word->length) == 0;
}

static bool is_one_of(const struct word *word, const char *const words[])
{
    for (; *words; words++)
        if (is_word(word, *words))
            return true;
    return false;
}

static bool has_name(const char *at, size_t length, const char *name)
{
    return length == strlen(name) && strncmp(at, name, length) == 0;
}

/* ---- Values ---- */

struct search {
    const char *text;
    const char *last_end; /* the last endif and the like: code decides about what is before */
    int lookups;          /* that may still be made */
    bool failed;          /* memory ran out: what was found means nothing */
};

static enum php_found find(struct search *search, const char *end, const char *name, bool constant,
                           struct bytes *value_r, const char **at_r);

/* 3306, and neither 010 nor 1.5. */
static bool is_number(const char *name, const char *behind)
{
    return strspn(name, "0123456789") == strlen(name) && (*name != '0' || !name[1]) &&
           *behind != '.';
}

/* A number, true, false, null, or another setting as it is so far. */
static bool take_name(struct search *search, const char **at, struct bytes *value)
{
    bool variable = **at == '$';
    const char *begin = *at + variable, *end = begin, *place;
    char name[64];
    while (php_is_word(*end))
        end++;
    size_t length = (size_t)(end - begin);
    *at = end;
    if (!length || length >= sizeof name || *php_skip_blanks(end) == '(')
        return false;
    memcpy(name, begin, length);
    name[length] = '\0';
    if (!variable && (is_number(name, end) || strcasecmp(name, "true") == 0))
        bytes_add_string(value, isdigit((unsigned char)*name) ? name : "1");
    else if (variable || (strcasecmp(name, "false") != 0 && strcasecmp(name, "null") != 0)) {
        struct bytes other = {0};
        bool plain = search->lookups-- > 0 &&
                     find(search, begin, name, !variable, &other, &place) == PHP_PLAIN;
        bytes_add_span(value, bytes_span(&other));
        bytes_free(&other);
        return plain;
    }
    return true;
}

/* Texts joined by dots, up to what ends a value. */
static bool take_value(struct search *search, const char *at, struct bytes *value)
{
    for (;;) {
        at = php_skip_blanks(at);
        const char *behind = php_skip_string(at);
        if (behind > at ? !php_take_string(at, value) : !take_name(search, &at, value))
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

/* What stands before `end`; *at_r: the last that was looked at. */
static enum php_found find(struct search *search, const char *end, const char *name, bool constant,
                           struct bytes *value_r, const char **at_r)
{
    struct walk walk = {.at = search->text};
    struct word word;
    enum php_found found = PHP_MISSING;
    bool changed, fixed = false;
    *at_r = NULL;
    while (!fixed && next_word(&walk, &word) && word.at < end) {
        const char *at = begins_setting(&word, name, constant, search, &changed);
        struct bytes value = {0};
        if (!at)
            continue;
        /* a constant keeps its first value, a variable its last; elsewhere, code decides */
        bool plain = take_value(search, at, &value) && !changed;
        bool certain = word.begins && word.at > search->last_end && !changed;
        found = add_value(found, value_r, bytes_span(&value), plain, certain && !constant);
        fixed = certain && constant;
        search->failed |= value.failed || value_r->failed;
        bytes_free(&value);
        *at_r = word.at;
    }
    return found;
}

/* if (...): ... endif; has no brackets. */
static const char *find_last_end(const char *text)
{
    static const char *const ends[] = {"endif",      "endwhile",  "endfor",
                                       "endforeach", "endswitch", NULL};
    struct walk walk = {.at = text};
    struct word word;
    const char *last = text;
    while (next_word(&walk, &word))
        if (is_one_of(&word, ends))
            last = word.at;
    return last;
}

enum php_found php_find(const char *text, const char *name, bool constant, struct bytes *value_r,
                        unsigned *line_r)
{
    struct search search = {text, find_last_end(text), LOOKUPS_MAX, false};
    const char *at;
    enum php_found found = find(&search, text + strlen(text), name, constant, value_r, &at);
    *line_r = at ? line_of(text, at) : 0;
    return search.failed ? PHP_NO_MEMORY : found;
}

/* ---- Files that it includes ---- */

unsigned php_find_include(const char *text, const char *const harmless[])
{
    static const char *const words[] = {"include", "include_once", "require", "require_once", NULL};
    struct walk walk = {.at = text};
    struct word word;
    while (next_word(&walk, &word)) {
        if (!is_one_of(&word, words))
            continue;
        size_t length = 0;
        bool known = false;
        while (length < INCLUDE_MAX && walk.at[length] && !strchr(";\n", walk.at[length]))
            length++;
        for (const char *const *name = harmless; !known && *name; name++)
            known = memmem(walk.at, length, *name, strlen(*name)) != NULL;
        if (!known)
            return line_of(text, word.at);
    }
    return 0;
}
