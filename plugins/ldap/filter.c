/* SPDX-License-Identifier: MIT
 *
 * ldap_filter.c: see ldap_filter.h.
 */
#include "filter.h"

#include <string.h>

#define PLACE        "{id}"
#define PLACE_LENGTH 4
#define LETTERS      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS       "0123456789"
#define DEPTH_MAX    16

struct scan {
    const char *at;
    size_t places; /* how many {id} were passed */
    int depth;
};

static const char *scan_filter(struct scan *scan);

/* libldap allows blanks between parts. */
static void scan_blanks(struct scan *scan)
{
    scan->at += strspn(scan->at, " \t\r\n");
}

/* attr, or attr;option, or an OID, and then :dn and :rule of an extensible match.
 * Looser than RFC 4512, but nothing that ends a filter gets through. */
static const char *scan_attribute(struct scan *scan)
{
    size_t length = strspn(scan->at, LETTERS DIGITS ".;-_:");

    if (strncmp(scan->at + length, PLACE, PLACE_LENGTH) == 0)
        return "has {id} in the place of an attribute";
    if (length == 0)
        return "lacks an attribute's name";
    scan->at += length;
    if (strchr("<>~", *scan->at) != NULL && *scan->at != '\0')
        scan->at++;
    if (*scan->at != '=')
        return "lacks a = behind an attribute's name";
    scan->at++;
    return NULL;
}

/* RFC 4515: value-encoding, in which \xx stands for special bytes; * is for
 * presence and substrings. */
static const char *scan_value(struct scan *scan)
{
    for (; *scan->at != ')'; scan->at++) {
        switch (*scan->at) {
        case '\0':
            return "lacks a closing parenthesis";
        case '(':
            return "has a parenthesis in a value; write \\28";
        case '\\':
            if (strspn(scan->at + 1, DIGITS "abcdefABCDEF") < 2)
                return "has a backslash without two hexadecimal digits (libconfig wants \\\\ for "
                       "each)";
            scan->at += 2;
            break;
        case '{':
            if (strncmp(scan->at, PLACE, PLACE_LENGTH) != 0)
                return "has { that does not begin {id}; write \\7b for the byte";
            scan->places++;
            scan->at += PLACE_LENGTH - 1;
            break;
        default:
            break;
        }
    }
    return NULL;
}

/* One filter behind !, any number behind & and |. */
static const char *scan_set(struct scan *scan)
{
    bool single = *scan->at++ == '!';
    const char *fault = NULL;

    if (++scan->depth > DEPTH_MAX)
        return "is nested too deeply";
    scan_blanks(scan);
    if (single)
        fault = scan_filter(scan);
    else
        while (fault == NULL && *scan->at == '(') {
            fault = scan_filter(scan);
            scan_blanks(scan);
        }
    scan->depth--;
    return fault;
}

static const char *scan_filter(struct scan *scan)
{
    const char *fault;

    if (*scan->at != '(')
        return "lacks an opening parenthesis";
    scan->at++;
    scan_blanks(scan);
    if (*scan->at == '&' || *scan->at == '|' || *scan->at == '!') {
        fault = scan_set(scan);
    } else {
        fault = scan_attribute(scan);
        if (fault == NULL)
            fault = scan_value(scan);
    }
    if (fault != NULL)
        return fault;
    if (*scan->at != ')')
        return "lacks a closing parenthesis";
    scan->at++;
    return NULL;
}

const char *ldap_filter_check(const char *text, bool id)
{
    struct scan scan = {.at = text};
    const char *fault = scan_filter(&scan);

    if (fault != NULL)
        return fault;
    if (*scan.at != '\0')
        return "has something behind its last parenthesis";
    if (id && scan.places == 0)
        return "has no {id}: it would find the same for everybody";
    return !id && scan.places > 0 ? "has {id}, which only \"filter\" has" : NULL;
}

size_t ldap_filter_size(const char *filter, const char *active, size_t length)
{
    size_t size = strlen(filter) + 1;
    const char *at;

    for (at = strstr(filter, PLACE); at != NULL; at = strstr(at + PLACE_LENGTH, PLACE))
        size += 3 * length;
    return active != NULL ? size + strlen(active) + strlen("(&)") : size;
}

static char *add(char *out, const char *bytes, size_t length)
{
    memcpy(out, bytes, length);
    return out + length;
}

static char *add_escaped(char *out, const char *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    size_t i;

    for (i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        if (byte != '\0' && strchr(LETTERS DIGITS "-._@", byte) != NULL) {
            *out++ = (char)byte;
        } else {
            *out++ = '\\';
            *out++ = digits[byte >> 4];
            *out++ = digits[byte & 15];
        }
    }
    return out;
}

void ldap_filter_fill(const char *filter, const char *active, const char *id, size_t length,
                      char *out)
{
    const char *at;

    if (active != NULL)
        out = add(out, "(&", 2);
    while ((at = strstr(filter, PLACE)) != NULL) {
        out = add(out, filter, (size_t)(at - filter));
        out = add_escaped(out, id, length);
        filter = at + PLACE_LENGTH;
    }
    out = add(out, filter, strlen(filter));
    if (active != NULL) {
        out = add(out, active, strlen(active));
        out = add(out, ")", 1);
    }
    *out = '\0';
}
