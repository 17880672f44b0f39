/* SPDX-License-Identifier: MIT */
#include "id.h"

#include "base/text.h"

#include <locale.h>
#include <pthread.h>
#include <wctype.h>

static locale_t unicode; /* 0: the system has none, and only ASCII letters have a case */
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

static void prepare(void)
{
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

#define END ((wint_t)-1)

/* Takes the next character off, in lower case.  A byte that is not UTF-8 equals no
 * character. */
static wint_t take(struct span *text)
{
    static const unsigned char masks[] = {0xff, 0xff, 0x1f, 0x0f, 0x07};
    while (text->length && *text->data == ' ')
        *text = (struct span){text->data + 1, text->length - 1};
    if (!text->length)
        return END;
    size_t length = text_utf8_sequence(*text), taken = length ? length : 1;
    wint_t character = (unsigned char)text->data[0] & masks[length];
    for (size_t i = 1; i < length; i++)
        character = character << 6 | ((unsigned char)text->data[i] & 0x3f);
    *text = (struct span){text->data + taken, text->length - taken};
    if (character >= 'A' && character <= 'Z')
        return character + 'a' - 'A';
    if (!length)
        return character + (1u << 24);
    return character >= 0x80 && unicode ? towlower_l(character, unicode) : character;
}

bool ldap_id_same(struct span a, struct span b)
{
    wint_t x, y;
    pthread_once(&prepared, prepare);
    do {
        x = take(&a);
        y = take(&b);
    } while (x == y && x != END);
    return x == y;
}
