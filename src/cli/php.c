/* SPDX-License-Identifier: MIT */
#include "php.h"

#include "php_text.h"
#include "php_walk.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
    LOOKUPS_MAX = 16,  /* of settings that others are made of */
    INCLUDE_MAX = 1024 /* bytes that tell which file is included */
};

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

/* ---- What a word does to a setting ---- */

enum effect {
    NOTHING = 1,
    SETS,
    CHANGES, /* what there is, as .= does */
    HIDES    /* it can set it without saying so where this could be read */
};

/* The text that begins here, and what follows it.  False: it is not one. */
static bool read_name(const char **at, const char *name, bool *same_r, struct search *search)
{
    struct bytes text = {0};
    bool good = php_take_string(*at, &text);
    *same_r = good && strcmp(bytes_string(&text), name) == 0;
    *at = php_skip_blanks(php_skip_string(*at));
    search->failed |= text.failed;
    bytes_free(&text);
    return good;
}

/* define(...), and Config::define() of those that collect constants first. */
static enum effect effect_of_define(const struct php_word *word, const char *name,
                                    const char **value_r, struct search *search)
{
    const char *at = php_skip_blanks(word->at + word->length);
    bool same;
    if (word->quoted)
        return HIDES; /* array_map('define', ...) */
    if (*at != '(')
        return NOTHING;
    at = php_skip_blanks(at + 1);
    bool known = read_name(&at, name, &same, search);
    if (word->part)
        return same && *at == ',' ? HIDES : NOTHING;
    if (known && *at == ')')
        return NOTHING;
    if (!known || *at != ',')
        return HIDES;
    *value_r = at + 1;
    return same ? SETS : NOTHING;
}

static enum effect effect_on_constant(const struct php_walk *walk, const struct php_word *word,
                                      const char *name, const char **value_r, struct search *search)
{
    const char *at = php_skip_blanks(word->at + word->length);
    struct php_word plain = *word;
    plain.part = false;
    if (php_is(&plain, "define"))
        return effect_of_define(word, name, value_r, search);
    if (php_is(word, "eval"))
        return HIDES;
    if (!walk->constant.at || word->variable || !has_name(word->at, word->length, name) ||
        !php_is_equals(at))
        return NOTHING;
    *value_r = at + 1;
    return SETS;
}

/* Whether a variable that stands here, between brackets, can get a value there. */
static bool is_given(const struct php_walk *walk, const struct php_word *word, const char *at)
{
    /* These do not change what is passed to them. */
    static const char *const readers[] = {
        "isset",   "empty",   "define",      "defined",     "if",         "elseif",
        "while",   "switch",  "array",       "echo",        "print",      "return",
        "trim",    "rtrim",   "ltrim",       "strtolower",  "strtoupper", "is_string",
        "is_null", "is_file", "file_exists", "is_readable", NULL};
    unsigned outer = walk->depth;
    if (walk->depth > PHP_NESTING_MAX)
        return true;
    if (!outer)
        return false;
    const struct php_bracket *inner = &walk->brackets[outer - 1], *each = inner;
    for (; outer > 0; outer--) {
        each = &walk->brackets[outer - 1];
        if (!(each->sign == '[' && !each->indexes) && !php_is(&each->owner, "list"))
            break;
    }
    if (outer < walk->depth && (each->of_each || php_is_assigned(*walk, outer + 1)))
        return true;
    bool argument = strchr("(,", word->before[1]) && strchr(",)", *at);
    return inner->of_each || (inner->sign == '(' && inner->owner.at && argument &&
                              !php_is_one_of(&inner->owner, readers));
}

/* `at`: what follows $NAME or $GLOBALS['NAME']. */
static enum effect effect_here(const struct php_walk *walk, const struct php_word *word,
                               const char *at, const char **value_r)
{
    const char *before = word->before;
    size_t length = strspn(at, ".?+-*/|&^%"); /* of an operator, as in += */
    if (before[1] == '&' && before[0] != '&')
        return HIDES; /* a reference, with which another variable changes this one */
    if (walk->depth && walk->depth <= PHP_NESTING_MAX && walk->brackets[walk->depth - 1].declares)
        return NOTHING; /* another variable, inside the function */
    if (php_is_equals(at + length)) {
        *value_r = at + length + 1;
        return *php_skip_blanks(*value_r) == '&' ? HIDES : length ? CHANGES : SETS;
    }
    bool counts = (before[0] == before[1] && before[1] && strchr("+-", before[1])) ||
                  strncmp(at, "++", 2) == 0 || strncmp(at, "--", 2) == 0;
    return counts || *at == '[' || is_given(walk, word, at) ? HIDES : NOTHING;
}

static enum effect effect_on_variable(const struct php_walk *walk, const struct php_word *word,
                                      const char *name, const char **value_r, struct search *search)
{
    static const char *const hiding[] = {"eval", "extract", "parse_str", "mb_parse_str", NULL};
    const char *at = php_skip_blanks(word->at + word->length);
    bool same = true;
    if (word->part)
        return NOTHING;
    if (!word->variable)
        return *at == '(' && php_is_one_of(word, hiding) ? HIDES : NOTHING;
    if (!word->length)
        return HIDES;
    if (has_name(word->at, word->length, "GLOBALS")) {
        if (*at != '[')
            return HIDES;
        at = php_skip_blanks(at + 1);
        if (!read_name(&at, name, &same, search) || *at != ']')
            return HIDES;
        at = php_skip_blanks(at + 1);
    } else {
        same = has_name(word->at, word->length, name);
    }
    return same ? effect_here(walk, word, at, value_r) : NOTHING;
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
    static const char *const leaving[] = {"return", "goto", NULL};
    struct php_walk walk = {.at = search->text};
    struct php_word word;
    enum php_found found = PHP_MISSING;
    bool fixed = false, left = false;
    *at_r = NULL;
    while (!fixed && php_next_word(&walk, &word) && word.at < end) {
        const char *at = NULL;
        const struct php_word *first = walk.constant.at ? &walk.constant : &word;
        bool sure = first->begins && word.at > search->last_end;
        if (!walk.body && php_is_one_of(&word, leaving)) {
            if (sure && php_is(&word, "return"))
                break;
            left = true; /* perhaps: code decides whether what follows counts */
        }
        enum effect effect = constant ? effect_on_constant(&walk, &word, name, &at, search)
                                      : effect_on_variable(&walk, &word, name, &at, search);
        if (effect == NOTHING)
            continue;
        *at_r = word.at;
        if (effect == HIDES)
            return PHP_HIDDEN;
        /* a constant keeps its first value, a variable its last; elsewhere, code decides */
        struct bytes value = {0};
        bool plain = take_value(search, at, &value) && effect == SETS;
        sure = sure && !left && effect == SETS;
        found = add_value(found, value_r, bytes_span(&value), plain, sure && !constant);
        fixed = sure && constant;
        search->failed |= value.failed || value_r->failed;
        bytes_free(&value);
    }
    return found;
}

/* if (...): ... endif; has no brackets. */
static const char *find_last_end(const char *text)
{
    static const char *const ends[] = {"endif",      "endwhile",  "endfor",
                                       "endforeach", "endswitch", NULL};
    struct php_walk walk = {.at = text};
    struct php_word word;
    const char *last = text;
    while (php_next_word(&walk, &word))
        if (php_is_one_of(&word, ends))
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
    struct php_walk walk = {.at = text};
    struct php_word word;
    while (php_next_word(&walk, &word)) {
        if (!php_is_one_of(&word, words))
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
