/* SPDX-License-Identifier: MIT
 * The Basic Encoding Rules, as far as LDAP needs them (RFC 4511, section 5.1; X.690):
 * single-byte tags and definite lengths.  Pure. */
#ifndef MEMBERCHAT_LDAP_BER_H
#define MEMBERCHAT_LDAP_BER_H

#include "base/bytes.h"

enum {
    BER_BOOLEAN = 0x01,
    BER_INTEGER = 0x02,
    BER_STRING = 0x04,
    BER_ENUMERATED = 0x0a,
    BER_SEQUENCE = 0x30,
    BER_SET = 0x31,
    BER_CONTEXT = 0x80,
    BER_CONSTRUCTED = 0x20 /* added to the one above */
};

/* Writes an element around what is added between the two calls. */
size_t ldap_ber_begin(struct bytes *out, int tag);
void ldap_ber_end(struct bytes *out, size_t start); /* what ldap_ber_begin() returned */

void ldap_ber_add(struct bytes *out, int tag, struct span content);
void ldap_ber_add_number(struct bytes *out, int tag, int64_t number); /* 0 to 2^31 - 1 */

/* The size of the first element, and of its head alone.  0: the head is not whole yet.
 * False: it is not BER as LDAP has it. */
bool ldap_ber_size(struct span in, size_t *head_r, size_t *size_r);

/* Takes the first element off *in.  False: there is no whole element. */
bool ldap_ber_take(struct span *in, int *tag_r, struct span *content_r);

/* The same for an element that must have this tag. */
bool ldap_ber_take_as(struct span *in, int tag, struct span *content_r);

/* The same for a number from 0 to 2^31 - 1. */
bool ldap_ber_take_number(struct span *in, int tag, int32_t *number_r);

#endif
