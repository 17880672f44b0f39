/* SPDX-License-Identifier: MIT
 *
 * ldap_answer.h: what is in the answer to a search.
 */
#ifndef MEMBERCHAT_LDAP_ANSWER_H
#define MEMBERCHAT_LDAP_ANSWER_H

#include "ldap_handle.h"

struct ldapmsg; /* of libldap: a chain of messages */

/* Adds the entries to *found, and reads the entry if it is the only one there.
 * False: what came is damaged. */
bool ldap_answer_entries(struct ldap *handle, struct ldapmsg *answer,
                         const struct ldap_reader *reader, struct ldap_found *found);

/* Adds where else to search: search references, and a referral instead of an answer. */
void ldap_answer_referrals(struct ldap *handle, struct ldapmsg *answer, struct ldap_found *found);

#endif
