/* SPDX-License-Identifier: MIT
 * FastCGI's way to say requests and answers, by libfcgi. */
#ifndef FASTCGI_H
#define FASTCGI_H

#include "frame.h"
#include "api/http.h"

/* One thread's use of libfcgi.  libfcgi reads from a descriptor; it gets a pipe
 * of its own, into which a screened request is written. */
struct fastcgi;

bool fastcgi_library_init(void);   /* once, before any thread */
struct fastcgi *fastcgi_new(void); /* NULL: no memory or no descriptors, see errno */
void fastcgi_free(struct fastcgi *fastcgi);

/* Decodes a complete request; *request_r borrows from both until one of the
 * other two is called.  False: libfcgi would not have it. */
bool fastcgi_begin(struct fastcgi *fastcgi, const struct frame *frame,
                   struct http_request *request_r);

/* Sends the answer on the connection.  False: the peer did not take it, and
 * libfcgi has closed the descriptor. */
bool fastcgi_answer(struct fastcgi *fastcgi, int fd, const struct http_request *request,
                    const struct http_response *response);

/* No answer now: the request will be begun again. */
void fastcgi_abandon(struct fastcgi *fastcgi);

#endif
