/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include "base/text.h"
#include "ber.h"

#include <string.h>

#define LETTERS   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS    "0123456789"
#define DEPTH_MAX 16

/* RFC 4511, section 4.5.1: the tags of Filter and its parts. */
enum {
    FILTER_NOT = 0xa2,
    FILTER_EQUAL = 0xa3,
    FILTER_SUBSTRINGS = 0xa4,
    FILTER_PRESENT = 0x87,
    FILTER_EXTENSIBLE = 0xa9,
    PART_INITIAL = 0x80,
    PART_ANY = 0x81,
    PART_FINAL = 0x82,
    RULE = 0x81,
    RULE_ATTRIBUTE = 0x82,
    RULE_VALUE = 0x83,
    RULE_DN = 0x84
};

static const struct {
    char sign;
    int tag;
} operators[] = {{'>', 0xa5}, {'<', 0xa6}, {'~', 0xa8}};

static const struct {
    char name[5];
    enum ldap_places place;
} places[] = {{"{id}", 1}, {"{dn}", 2}};

struct scan {
    const char *at;
    const struct ldap_terms *terms;
    struct bytes *out;          /* NULL: only look */
    struct ldap_claims *claims; /* NULL: they are not wanted */
    bool vague;                 /* {id} is where the filter says nothing certain about it */
    unsigned found;             /* places that were passed */
    int depth, negations;
    const char *why;
};

/* One comparison: attribute, operator and value. */
struct item {
    struct span attribute, rule, value;
    int tag;
    bool dn, pattern, has_id;
};

static bool fail(struct scan *scan, const char *why)
{
    scan->why = why;
    return false;
}

static bool scan_filter(struct scan *scan);

/* Blanks are allowed between parts, as libldap does. */
static void scan_blanks(struct scan *scan)
{
    scan->at += strspn(scan->at, " \t\r\n");
}

/* ---- Values ---- */

/* The place at the start of a text; -1: there is none. */
static int place_at(const char *text)
{
    for (int i = 0; i < 2; i++)
        if (strncmp(text, places[i].name, 4) == 0)
            return i;
    return -1;
}

static void add_value(struct bytes *out, struct span value, const struct ldap_terms *terms)
{
    for (size_t i = 0; i < value.length; i++) {
        char byte = value.data[i];
        if (byte == '{') {
            bytes_add_span(out, place_at(value.data + i) == 0 ? terms->id : terms->dn);
            i += 3;
            continue;
        }
        if (byte == '\\') {
            byte =
                (char)(text_hex_digit(value.data[i + 1]) * 16 + text_hex_digit(value.data[i + 2]));
            i += 2;
        }
        bytes_add(out, &byte, 1);
    }
}

void ldap_filter_value(struct span value, const struct ldap_terms *terms, struct bytes *out)
{
    add_value(out, value, terms);
}

/* RFC 4515: value-encoding, in which \xx stands for special bytes; * is for presence and
 * substrings. */
static bool scan_value(struct scan *scan, struct item *item)
{
    const char *start = scan->at;
    for (; *scan->at != ')'; scan->at++) {
        int place;
        switch (*scan->at) {
        case '\0':
            return fail(scan, "lacks a closing parenthesis");
        case '(':
            return fail(scan, "has a parenthesis in a value; write \\28");
        case '*':
            if (item->tag != FILTER_EQUAL)
                return fail(scan, "has a * where no pattern may stand; write \\2a");
            item->pattern = true;
            break;
        case '\\':
            if (text_hex_digit(scan->at[1]) < 0 || text_hex_digit(scan->at[2]) < 0)
                return fail(scan, "has a backslash without two hexadecimal digits (libconfig "
                                  "wants \\\\ for each)");
            scan->at += 2;
            break;
        case '{':
            place = place_at(scan->at);
            if (place < 0)
                return fail(scan, "has { that does not begin {id}; write \\7b for the byte");
            scan->found |= places[place].place;
            item->has_id |= place == 0;
            scan->at += 3;
            break;
        default:
            break;
        }
    }
    item->value = (struct span){start, (size_t)(scan->at - start)};
    return true;
}

/* ---- Comparisons ---- */

/* The parts behind the attribute of an extensible match: [:dn][:rule]: */
static bool scan_rule(struct scan *scan, struct span parts, struct item *item)
{
    while (parts.length > 1) {
        struct span part = {parts.data + 1, 0};
        while (part.length + 1 < parts.length && part.data[part.length] != ':')
            part.length++;
        if (span_equal_nocase(part, "dn") && !item->dn && !item->rule.length)
            item->dn = true;
        else if (part.length && !item->rule.length)
            item->rule = part;
        else
            return fail(scan, "has a matching rule that cannot be read");
        parts.data += 1 + part.length;
        parts.length -= 1 + part.length;
    }
    if (parts.length != 1 || (!item->attribute.length && !item->rule.length))
        return fail(scan, "has a matching rule that cannot be read");
    return true;
}

/* attr, or attr;option, or an OID, and then :dn and :rule of an extensible match. Looser than
 * RFC 4512, but nothing that could end a filter gets through. */
static bool scan_attribute(struct scan *scan, struct item *item)
{
    size_t whole = strspn(scan->at, LETTERS DIGITS ".;-_:");
    size_t name = strcspn(scan->at, ":");
    if (place_at(scan->at + whole) >= 0)
        return fail(scan, "has {id} in the place of an attribute");
    if (whole == 0)
        return fail(scan, "lacks an attribute's name");
    item->attribute = (struct span){scan->at, name < whole ? name : whole};
    item->tag = FILTER_EQUAL;
    if (name < whole) {
        item->tag = FILTER_EXTENSIBLE;
        if (!scan_rule(scan, (struct span){scan->at + name, whole - name}, item))
            return false;
    }
    scan->at += whole;
    for (size_t i = 0; item->tag == FILTER_EQUAL && i < 3; i++)
        if (*scan->at == operators[i].sign) {
            item->tag = operators[i].tag;
            scan->at++;
        }
    if (*scan->at != '=')
        return fail(scan, "lacks a = behind an attribute's name");
    scan->at++;
    return true;
}

static void write_value(const struct scan *scan, int tag, struct span value)
{
    size_t start = ldap_ber_begin(scan->out, tag);
    add_value(scan->out, value, scan->terms);
    ldap_ber_end(scan->out, start);
}

/* The pieces between the stars.  Empty ones say nothing. */
static void write_pattern(const struct scan *scan, struct span value)
{
    size_t start = ldap_ber_begin(scan->out, BER_SEQUENCE);
    int tag = PART_INITIAL;
    for (size_t begin = 0, end; begin <= value.length; begin = end + 1) {
        const char *star = memchr(value.data + begin, '*', value.length - begin);
        end = star ? (size_t)(star - value.data) : value.length;
        if (end > begin)
            write_value(scan, star ? tag : PART_FINAL,
                        (struct span){value.data + begin, end - begin});
        tag = PART_ANY;
    }
    ldap_ber_end(scan->out, start);
}

static bool is_only_stars(struct span value)
{
    size_t i = 0;
    while (i < value.length && value.data[i] == '*')
        i++;
    return i == value.length;
}

static void write_item(const struct scan *scan, const struct item *item)
{
    static const char yes[] = {'\xff'};
    struct bytes *out = scan->out;
    bool anybody = scan->terms->anybody && item->has_id;
    if (anybody || (item->pattern && is_only_stars(item->value))) {
        bool named = item->attribute.length; /* an attribute is optional if there is a rule */
        ldap_ber_add(out, FILTER_PRESENT, named ? item->attribute : span_of("objectClass"));
        return;
    }
    size_t start = ldap_ber_begin(out, item->pattern ? FILTER_SUBSTRINGS : item->tag);
    if (item->tag == FILTER_EXTENSIBLE) {
        if (item->rule.length)
            ldap_ber_add(out, RULE, item->rule);
        if (item->attribute.length)
            ldap_ber_add(out, RULE_ATTRIBUTE, item->attribute);
        write_value(scan, RULE_VALUE, item->value);
        if (item->dn)
            ldap_ber_add(out, RULE_DN, (struct span){yes, 1});
    } else {
        ldap_ber_add(out, BER_STRING, item->attribute);
        if (item->pattern)
            write_pattern(scan, item->value);
        else
            write_value(scan, BER_STRING, item->value);
    }
    ldap_ber_end(out, start);
}

/* A server calls an attribute by its name, also where the filter has its OID. */
static void note_claim(struct scan *scan, const struct item *item)
{
    struct ldap_claims *claims = scan->claims;
    bool exact = item->tag == FILTER_EXTENSIBLE ? item->attribute.length && !item->dn
                                                : item->tag == FILTER_EQUAL && !item->pattern;
    if (!exact || scan->negations || claims->count == LDAP_CLAIMS_MAX ||
        strchr(DIGITS, item->attribute.data[0]))
        scan->vague = true;
    else
        claims->items[claims->count++] = (struct ldap_claim){item->attribute, item->value};
}

static bool scan_item(struct scan *scan)
{
    struct item item = {.tag = 0};
    if (!scan_attribute(scan, &item) || !scan_value(scan, &item))
        return false;
    if (scan->out)
        write_item(scan, &item);
    if (scan->claims && item.has_id)
        note_claim(scan, &item);
    return true;
}

/* ---- Whole filters ---- */

/* One filter behind !, any number behind & and |. */
static bool scan_set(struct scan *scan)
{
    char sign = *scan->at++;
    bool good = true;
    size_t start = 0;
    if (++scan->depth > DEPTH_MAX)
        return fail(scan, "is nested too deeply");
    scan->negations += sign == '!';
    if (scan->out)
        start = ldap_ber_begin(scan->out, sign == '!'   ? FILTER_NOT
                                          : sign == '|' ? LDAP_FILTER_AND + 1
                                                        : LDAP_FILTER_AND);
    scan_blanks(scan);
    if (sign == '!')
        good = scan_filter(scan);
    else
        while (good && *scan->at == '(') {
            good = scan_filter(scan);
            scan_blanks(scan);
        }
    if (scan->out)
        ldap_ber_end(scan->out, start);
    scan->negations -= sign == '!';
    scan->depth--;
    return good;
}

static bool scan_filter(struct scan *scan)
{
    if (*scan->at != '(')
        return fail(scan, "lacks an opening parenthesis");
    scan->at++;
    scan_blanks(scan);
    bool set = *scan->at == '&' || *scan->at == '|' || *scan->at == '!';
    if (!(set ? scan_set(scan) : scan_item(scan)))
        return false;
    if (*scan->at != ')')
        return fail(scan, "lacks a closing parenthesis");
    scan->at++;
    return true;
}

bool ldap_filter_check(const char *text, enum ldap_places allowed, const char **why_r)
{
    struct scan scan = {.at = text};
    bool good = scan_filter(&scan);
    if (good && *scan.at)
        good = fail(&scan, "has something behind its last parenthesis");
    else if (good && allowed && !scan.found)
        good = fail(&scan, "has no {id}: it would find the same for everybody");
    else if (good && scan.found & ~(unsigned)allowed)
        good = fail(&scan, scan.found & 2 ? "has {dn}, which only \"group_filter\" has"
                                          : "has {id}, which only \"filter\" has");
    *why_r = scan.why;
    return good;
}

void ldap_filter_write(const char *text, const struct ldap_terms *terms, struct bytes *out)
{
    struct scan scan = {.at = text, .terms = terms, .out = out};
    scan_filter(&scan);
}

void ldap_filter_claims(const char *text, struct ldap_claims *claims_r)
{
    struct scan scan = {.at = text, .claims = claims_r};
    claims_r->count = 0;
    scan_filter(&scan);
    if (scan.vague)
        claims_r->count = 0;
}
