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

/* Which byte stands where in the text; -1 is a hyphen. */
static const signed char guid_order[] = {3,  2, 1, 0,  -1, 5,  4,  -1, 7,  6,
                                         -1, 8, 9, -1, 10, 11, 12, 13, 14, 15};

bool ldap_guid_parse(struct span text, char guid_r[LDAP_GUID_BYTES])
{
    const char *at = text.data;
    if (text.length != LDAP_GUID_TEXT)
        return false;
    for (size_t i = 0; i < sizeof guid_order; i++) {
        if (guid_order[i] < 0) {
            if (*at++ != '-')
                return false;
            continue;
        }
        int high = text_hex_digit(at[0]), low = text_hex_digit(at[1]);
        if (high < 0 || low < 0)
            return false;
        guid_r[guid_order[i]] = (char)(high * 16 + low);
        at += 2;
    }
    return true;
}

bool ldap_guid_format(struct span guid, char text_r[LDAP_GUID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    if (guid.length != LDAP_GUID_BYTES)
        return false;
    for (size_t i = 0; i < sizeof guid_order; i++) {
        if (guid_order[i] < 0) {
            *text_r++ = '-';
            continue;
        }
        unsigned byte = (unsigned char)guid.data[guid_order[i]];
        *text_r++ = digits[byte >> 4];
        *text_r++ = digits[byte & 15];
    }
    return true;
}
