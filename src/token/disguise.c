/* SPDX-License-Identifier: MIT
 * Public and private keys that are taken for a secret.  No list of formats is complete, so whatever
 * a text decodes to, again and again, is searched for what all keys have in common. */
#include "keys_private.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define DECODE_DEPTH 4  /* base64 of hexadecimal of UTF-16 of ... */
#define TOKEN_MIN    16 /* characters: less encodes no key */

struct search {
    const char *form; /* NULL: nothing was found */
    bool failed;      /* no memory */
};

/* ---- What keys have in common ---- */

#define ANY (-1)

/* Whether bytes are somewhere in the content; ANY stands for each byte. */
static bool has_pattern(struct span content, const short *pattern, size_t length)
{
    for (size_t at = 0; at + length <= content.length; at++) {
        size_t i = 0;
        while (i < length &&
               (pattern[i] == ANY || pattern[i] == (unsigned char)content.data[at + i]))
            i++;
        if (i == length)
            return true;
    }
    return false;
}

/* X.690: the object identifiers of algorithms, which PKCS #8, SubjectPublicKeyInfo, certificates
 * and SEC 1 have in them, and the heads of PKCS #1, which has none. */
static bool has_der_key(struct span content)
{
    static const struct {
        short bytes[10];
        size_t length;
    } rows[] = {
        {{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01}, 7},           /* PKCS: RSA */
        {{0x2a, 0x86, 0x48, 0xce, 0x3d}, 5},                       /* ANSI X9.62: EC, P-256 */
        {{0x2a, 0x86, 0x48, 0xce, 0x38, 0x04}, 6},                 /* DSA */
        {{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00}, 6},                 /* SEC 2: P-384, P-521 */
        {{0x30, 0x05, 0x06, 0x03, 0x2b, 0x65}, 6},                 /* RFC 8410: Ed25519 */
        {{0x30, 0x82, ANY, ANY, 0x02, 0x82, ANY, ANY, 0x00}, 9},   /* RSAPublicKey */
        {{0x30, 0x81, ANY, 0x02, 0x81, ANY, 0x00}, 7},             /* a short one */
        {{0x30, 0x82, ANY, ANY, 0x02, 0x01, 0x00, 0x02, 0x82}, 9}, /* RSAPrivateKey */
        {{0x30, ANY, 0x02, 0x01, 0x01, 0x04, 0x20}, 7},            /* ECPrivateKey */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (has_pattern(content, rows[i].bytes, rows[i].length))
            return true;
    return false;
}

/* The same of keys that none of these knows: a SEQUENCE that is all there is, and begins as public
 * and private keys do. */
static bool is_der_key(struct span content)
{
    const uint8_t *der = (const uint8_t *)content.data;
    if (content.length < 5 || der[0] != 0x30)
        return false;
    size_t head = der[1] == 0x82 ? 4 : der[1] == 0x81 ? 3 : 2;
    size_t length = head == 4 ? (size_t)der[2] << 8 | der[3] : der[head - 1];
    return length == content.length - head && (der[head] == 0x30 || der[head] == 0x02);
}

/* Words that stand in keys, or around them, and in no secret by chance. */
static const char *find_word(struct span content)
{
    static const struct {
        const char *word, *form;
    } rows[] = {
        {"-----begin", "a key in PEM"},
        {"---- begin", "a key of SSH"},
        {"ssh-rsa", "a key of SSH"},
        {"ssh-dss", "a key of SSH"},
        {"ssh-ed25519", "a key of SSH"},
        {"ecdsa-sha2-", "a key of SSH"},
        {"sk-ssh-", "a key of SSH"},
        {"openssh-key-v1", "a key of SSH"},
        {"putty-user-key", "a key of PuTTY"},
        {"public key", "a key with words around it"},
        {"private key", "a key with words around it"},
        {"public-key", "a key with words around it"},
        {"private-key", "a key with words around it"},
        {"publickey", "a key with words around it"},
        {"privatekey", "a key with words around it"},
        {"certificate", "a certificate with words around it"},
        {"modulus", "an RSA key in numbers"},
        {"exponent", "an RSA key in numbers"},
        {"keyvalue>", "a key in XML"},
        {"\"kty\"", "a JWK"},
        {"'kty'", "a JWK"},
        {"kty:", "a JWK in YAML"},
        {"http://", "a URL"},
        {"https://", "a URL"},
    };
    static const char first[] = "-sopcmek\"'h"; /* letters of them */
    for (size_t at = 0; at < content.length; at++) {
        int c = tolower((unsigned char)content.data[at]);
        if (!memchr(first, c, sizeof first - 1))
            continue;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            size_t length = strlen(rows[i].word);
            if (c == *rows[i].word && length <= content.length - at &&
                strncasecmp(content.data + at, rows[i].word, length) == 0)
                return rows[i].form;
        }
    }
    return NULL;
}

/* RFC 3986, section 3.1: a scheme at the start. */
static bool is_url(struct span content)
{
    size_t length = 0;
    while (length < content.length &&
           (isalnum((unsigned char)content.data[length]) || strchr("+-.", content.data[length])))
        length++;
    return length > 1 && content.length - length > 3 && isalpha((unsigned char)*content.data) &&
           memcmp(content.data + length, "://", 3) == 0;
}

/* ---- Decoding ---- */

static void search_in(struct search *search, struct span content, size_t depth);

/* Drops every NUL and byte order mark: UTF-16 and UTF-32 in both byte orders, of ASCII. */
static bool narrow(struct span content, struct bytes *out)
{
    size_t nuls = 0;
    for (size_t i = 0; i < content.length; i++)
        nuls += content.data[i] == '\0';
    if (nuls < content.length / 3)
        return false;
    char *room = bytes_reserve(out, content.length);
    for (size_t i = 0; room && i < content.length; i++)
        if (content.data[i] && (unsigned char)content.data[i] < 0x80)
            room[out->length++] = content.data[i];
    return true;
}

/* Digits of hexadecimal, in both ways in which two of them may be a byte. */
static void search_digits(struct search *search, struct span digits, size_t depth)
{
    struct bytes out = {0};
    for (size_t shift = 0; shift < 2 && !search->form && !search->failed; shift++) {
        bytes_reset(&out);
        char *room = bytes_reserve(&out, digits.length / 2 + 1);
        for (size_t i = shift; room && i + 1 < digits.length; i += 2)
            room[out.length++] = (char)(digits.data[i] << 4 | digits.data[i + 1]);
        search->failed = out.failed;
        if (has_der_key(bytes_span(&out)))
            search->form = "a key in the hexadecimal digits of DER";
        else if (shift == 0)
            search_in(search, bytes_span(&out), depth - 1);
    }
    bytes_free(&out);
}

/* Each run of hexadecimal digits, whatever separates them (0x30, \x30, 30:82). */
static void search_hex(struct search *search, struct span content, size_t depth)
{
    struct bytes run = {0}; /* the digits' values */
    char *room = bytes_reserve(&run, content.length);
    search->failed = search->failed || !room;
    for (size_t i = 0; room && i <= content.length && !search->form; i++) {
        char c = i < content.length ? content.data[i] : '\0';
        char next = i + 1 < content.length ? content.data[i + 1] : '\0';
        if ((c == '0' || c == '\\') && (next == 'x' || next == 'X')) {
            i++;
            continue;
        }
        if (c && strchr(" \t\r\n:,;%{}[]()\"'-", c))
            continue;
        int digit = text_hex_digit(c);
        if (digit >= 0) {
            room[run.length++] = (char)digit;
            continue;
        }
        if (run.length >= 2 * TOKEN_MIN)
            search_digits(search, bytes_span(&run), depth);
        run.length = 0;
    }
    bytes_free(&run);
}

/* In both alphabets; -1 for another character. */
static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Decodes a token in the four ways in which characters before it may have shifted it. */
static void search_base64(struct search *search, struct span token, size_t depth)
{
    struct bytes out = {0};
    for (size_t shift = 0; shift < 4 && !search->form && !search->failed; shift++) {
        unsigned bits = 0, held = 0;
        bytes_reset(&out);
        char *room = bytes_reserve(&out, token.length);
        for (size_t i = shift; room && i < token.length; i++) {
            int value = base64_value(token.data[i]);
            if (value < 0)
                continue; /* a line end inside */
            held = held << 6 | (unsigned)value;
            bits += 6;
            if (bits >= 8) {
                bits -= 8;
                room[out.length++] = (char)(held >> bits & 0xff);
            }
        }
        search->failed = out.failed;
        if (has_der_key(bytes_span(&out)))
            search->form = "a key in the base64 of DER";
        else if (shift == 0)
            search_in(search, bytes_span(&out), depth - 1);
    }
    bytes_free(&out);
}

/* Each run of characters of base64, once with and once without the line ends between them. */
static void search_tokens(struct search *search, struct span content, bool joined, size_t depth)
{
    size_t start = 0;
    for (size_t i = 0; i <= content.length && !search->form; i++) {
        char c = i < content.length ? content.data[i] : '\0';
        if (base64_value(c) >= 0 || (joined && c && strchr(" \t\r\n", c)))
            continue;
        if (i - start >= TOKEN_MIN)
            search_base64(search, (struct span){content.data + start, i - start}, depth);
        start = i + 1;
    }
}

/* JSON: a text in quotes is what it says; an object with "kty" or "keys" is a JWK. */
static void search_json(struct search *search, struct span content, size_t depth)
{
    struct json_object *value;
    struct reason ignored;
    enum json_result result = json_read(content, JSON_ANY, &value, &ignored);
    enum json_kind kind = json_kind_of(value);
    if (result == JSON_NO_MEMORY)
        search->failed = true;
    else if (kind == JSON_STRING)
        search_in(search, json_text(value), depth - 1);
    else if (kind == JSON_OBJECT || kind == JSON_ARRAY)
        search->form = "JSON";
    json_release(value);
}

static bool has_line_end(struct span content)
{
    return memchr(content.data, '\n', content.length) || memchr(content.data, '\r', content.length);
}

static void search_in(struct search *search, struct span content, size_t depth)
{
    struct bytes out = {0};
    if (search->form || search->failed || depth == 0 || content.length < TOKEN_MIN)
        return;
    if (memcmp(content.data, "\xef\xbb\xbf", 3) == 0) /* the byte order mark of UTF-8 */
        content = (struct span){content.data + 3, content.length - 3};
    search->form = has_der_key(content) || is_der_key(content) ? "a key in DER"
                   : is_url(content)                           ? "a URL"
                                                               : find_word(content);
    if (!search->form && narrow(content, &out))
        search_in(search, bytes_span(&out), depth - 1);
    if (!search->form && memchr("\"{[ \t\r\n", *content.data, 7))
        search_json(search, content, depth);
    search->failed |= out.failed;
    bytes_free(&out);
    if (!search->form)
        search_hex(search, content, depth);
    if (!search->form)
        search_tokens(search, content, false, depth);
    if (!search->form && has_line_end(content))
        search_tokens(search, content, true, depth);
}

/* ---- What people may guess ---- */

static bool is_text(struct span content)
{
    while (content.length) {
        size_t length = text_utf8_sequence(content);
        if (!length ||
            (iscntrl((unsigned char)*content.data) && !isspace((unsigned char)*content.data)))
            return false;
        content = (struct span){content.data + length, content.length - length};
    }
    return true;
}

/* Whether it is one text, of at most half its length, again and again. */
static bool is_repeated(struct span content)
{
    for (size_t period = 1; period <= content.length / 2; period++)
        if (memcmp(content.data, content.data + period, content.length - period) == 0)
            return true;
    return false;
}

/* Runs of letters that are as rich in vowels as language is. */
static bool is_of_words(struct span content)
{
    size_t in_words = 0, vowels = 0, run = 0, run_vowels = 0;
    for (size_t i = 0; i <= content.length; i++) {
        unsigned char c = i < content.length ? (unsigned char)content.data[i] : 0;
        bool goes_on = islower(c) || (run == 0 && isupper(c));
        if (!goes_on && run >= 4) {
            in_words += run;
            vowels += run_vowels;
        }
        run = goes_on ? run + 1 : isupper(c) != 0;
        run_vowels = (goes_on ? run_vowels : 0) + (c && strchr("aeiouyAEIOUY", c));
    }
    return in_words > content.length / 2 && 4 * vowels >= in_words;
}

static const char *find_weakness(struct span content)
{
    bool seen[256] = {false};
    size_t different = 0, steps = 0;
    for (size_t i = 0; i < content.length; i++) {
        unsigned char c = (unsigned char)content.data[i];
        different += !seen[c];
        seen[c] = true;
        int step = i ? c - (unsigned char)content.data[i - 1] : 2;
        steps += step >= -1 && step <= 1;
    }
    if (different < 10)
        return "made of few different characters";
    if (steps > content.length / 2)
        return "made of characters in their order";
    if (is_repeated(content))
        return "one piece that repeats itself";
    return is_text(content) && is_of_words(content) ? "a text of words" : NULL;
}

enum disguise_verdict disguise_find(struct span secret, const char **form_r)
{
    struct search search = {0};
    search_in(&search, secret, DECODE_DEPTH);
    *form_r = search.form;
    if (search.failed)
        return DISGUISE_NO_MEMORY;
    if (search.form)
        return DISGUISE_KEY;
    *form_r = find_weakness(secret);
    return *form_r ? DISGUISE_WEAK : DISGUISE_NONE;
}
