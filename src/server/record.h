/* SPDX-License-Identifier: MIT
 * Writes FastCGI records (FastCGI 1.0, section 3.3), by the names of libfcgi's fastcgi.h. */
#ifndef RECORD_H
#define RECORD_H

#include "base/bytes.h"

#define RECORD_HEADER_LENGTH 8
#define RECORD_CONTENT_MAX   65528 /* a multiple of 8, below the limit of 65535 */

/* One record; `content` has at most RECORD_CONTENT_MAX bytes. */
void record_append(struct bytes *out, int type, uint16_t id, struct span content);

/* A whole answer on FCGI_STDOUT, however long, and the end of its request. */
void record_append_answer(struct bytes *out, uint16_t id, struct span content);

/* A query whether the peer is a memberchat, the answer to it, and whether that says so. */
void record_append_query(struct bytes *out);
void record_append_query_answer(struct bytes *out, struct span query);
bool record_is_our_answer(struct span bytes);

#endif
