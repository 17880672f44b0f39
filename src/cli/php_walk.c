/* SPDX-License-Identifier: MIT */
#include "php_walk.h"

#include "php_text.h"

#include <string.h>
#include <strings.h>

enum { ASSIGNED_MAX = 512 }; /* bytes that are looked through for the end of a bracket */

static void pass(struct php_walk *walk, char sign)
{
    walk->before[0] = walk->before[1];
    walk->before[1] = sign;
}

static bool enter(struct php_walk *walk)
{
    const char *begin = strstr(walk->at, "<?");
    walk->at = begin ? begin + 2 : walk->at + strlen(walk->at);
    walk->inside = begin != NULL;
    memset(walk->before, '\0', sizeof walk->before);
    walk->owner.at = walk->constant.at = NULL;
    if (walk->inside && strncasecmp(walk->at, "php", 3) == 0)
        walk->at += 3;
    return walk->inside;
}

/* ---- Signs ---- */

static void open(struct php_walk *walk, char sign)
{
    bool parameters = walk->declares && sign == '(', body = walk->declares && sign == '{';
    bool value = walk->owner.at && (walk->owner.variable || walk->owner.part);
    if (walk->depth < PHP_NESTING_MAX)
        walk->brackets[walk->depth] = (struct php_bracket){
            .sign = sign,
            .indexes = sign == '[' && (value || walk->before[1] == ']'),
            .declares = parameters,
            .owner = walk->owner,
        };
    walk->depth++;
    if (body && !walk->body)
        walk->body = walk->depth;
    walk->declares &= !body;
}

static void shut(struct php_walk *walk)
{
    walk->depth -= walk->depth > 0;
    if (walk->depth < PHP_NESTING_MAX && walk->brackets[walk->depth].declares)
        walk->declares &= !php_is(&walk->brackets[walk->depth].owner, "fn"); /* without a body */
    if (walk->depth < walk->body)
        walk->body = 0;
}

/* Past a sign that is neither a word nor a string. */
static void take_sign(struct php_walk *walk)
{
    char sign = *walk->at;
    if (strncmp(walk->at, "?>", 2) == 0)
        walk->inside = false;
    if (!sign)
        return;
    if (strchr("([{", sign))
        open(walk, sign);
    else if (strchr(")]}", sign))
        shut(walk);
    if (sign == ';') {
        walk->declares = false;
        walk->constant.at = NULL;
    }
    if (sign != '@' && sign != '\\') /* @define, \define */
        pass(walk, sign);
    walk->owner.at = NULL;
    walk->at++;
}

/* ---- Words ---- */

static void take_word(struct php_walk *walk, bool variable, struct php_word *word_r)
{
    static const char *const functions[] = {"function", "fn", NULL};
    const char *before = walk->before;
    *word_r = (struct php_word){
        .at = walk->at + variable,
        .variable = variable,
        .part = (before[0] == '-' && before[1] == '>') || (before[0] == ':' && before[1] == ':') ||
                before[1] == '$',
        .begins = walk->depth == 0 && strchr(";}", before[1]) != NULL,
        .before = {before[0], before[1]},
    };
    while (php_is_word(word_r->at[word_r->length]))
        word_r->length++;
    walk->at = word_r->at + word_r->length;
    walk->owner = *word_r;
    pass(walk, variable && !word_r->length ? '$' : *word_r->at);
    walk->declares |= php_is_one_of(word_r, functions);
    if (php_is(word_r, "const"))
        walk->constant = *word_r;
    if (php_is(word_r, "as") && walk->depth > 0 && walk->depth <= PHP_NESTING_MAX) {
        struct php_bracket *bracket = &walk->brackets[walk->depth - 1];
        bracket->of_each = php_is(&bracket->owner, "foreach");
    }
}

/* Past a string; true: it is the name of the function that defines constants. */
static bool take_text(struct php_walk *walk, const char *behind, struct php_word *word_r)
{
    static const char name[] = "define";
    size_t length = sizeof name - 1;
    const char *text = walk->at + 1;
    bool names = (size_t)(behind - walk->at) == length + 2 && strncasecmp(text, name, length) == 0;
    *word_r = (struct php_word){.at = text, .length = length, .quoted = true};
    pass(walk, *walk->at);
    walk->owner.at = NULL;
    walk->at = behind;
    return names;
}

bool php_next_word(struct php_walk *walk, struct php_word *word_r)
{
    while (*walk->at) {
        if (!walk->inside && !enter(walk))
            return false;
        walk->at = php_skip_blanks(walk->at);
        const char *at = walk->at, *behind = php_skip_string(at);
        bool variable = *at == '$' && at[1] && (php_is_word(at[1]) || strchr("${", at[1]));
        if (variable || php_is_word(*at)) {
            take_word(walk, variable, word_r);
            return true;
        }
        if (behind == at)
            take_sign(walk);
        else if (take_text(walk, behind, word_r))
            return true;
    }
    return false;
}

bool php_is(const struct php_word *word, const char *text)
{
    return word->at && !word->variable && !word->part && word->length == strlen(text) &&
           strncasecmp(word->at, text, word->length) == 0;
}

bool php_is_one_of(const struct php_word *word, const char *const words[])
{
    for (; *words; words++)
        if (php_is(word, *words))
            return true;
    return false;
}

bool php_is_assigned(struct php_walk walk, unsigned depth)
{
    const char *begin = walk.at;
    struct php_word word;
    while (walk.inside && *walk.at && walk.depth >= depth) {
        walk.at = php_skip_blanks(walk.at);
        const char *behind = php_skip_string(walk.at);
        if (behind > walk.at)
            take_text(&walk, behind, &word);
        else
            take_sign(&walk); /* a letter, too, is passed */
        if (walk.at - begin > ASSIGNED_MAX)
            return true;
    }
    return php_is_equals(php_skip_blanks(walk.at));
}
