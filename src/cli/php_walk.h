/* SPDX-License-Identifier: MIT
 * From word to word of a PHP file, past comments and strings, with the brackets around each. */
#ifndef PHP_WALK_H
#define PHP_WALK_H

#include <stdbool.h>
#include <stddef.h>

enum { PHP_NESTING_MAX = 32 };

struct php_word {
    const char *at;
    size_t length;  /* 0: $$name or ${...}, a variable whose name is not written here */
    bool variable;  /* it has a $ */
    bool part;      /* of another thing: ->define, Class::define, $$x */
    bool quoted;    /* 'define': a function's name that is passed to another */
    bool begins;    /* a statement that is in no brackets and depends on no condition before it */
    char before[2]; /* the last two bytes in front, without blanks and comments; '\0': none */
};

struct php_bracket {
    char sign;
    bool indexes;          /* an element of something: $a[ */
    bool declares;         /* the parameters of a function */
    bool of_each;          /* behind the "as" of a foreach */
    struct php_word owner; /* the word in front: of a call or a condition; without `at`: none */
};

struct php_walk {
    const char *at;
    bool inside;   /* <?php ... ?> */
    bool declares; /* a function, whose parameters or body come */
    char before[2];
    unsigned depth; /* brackets of all kinds that are open */
    unsigned body;  /* the depth of the body of a function; 0: in none */
    struct php_bracket brackets[PHP_NESTING_MAX]; /* the outer ones */
    struct php_word owner;    /* the word that was just passed; without `at`: there is none */
    struct php_word constant; /* the "const" that the statement begins with, in the same way */
};

bool php_next_word(struct php_walk *walk, struct php_word *word_r);

bool php_is(const struct php_word *word, const char *text); /* not that of a variable */
bool php_is_one_of(const struct php_word *word, const char *const words[]); /* ends with NULL */

/* Whether the bracket at `depth`, 1 for the outermost, closes in front of a "=": [$a, $b] = f().
 * True, too, if that is too far away to see. */
bool php_is_assigned(struct php_walk walk, unsigned depth);

#endif
