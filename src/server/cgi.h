/* SPDX-License-Identifier: MIT */
#ifndef CGI_H
#define CGI_H

#include <stdbool.h>

/* Whether this process was started for one CGI request (RFC 3875). */
bool cgi_is_request(void);

/* Serves it: variables from the environment, the body from standard input, the
 * answer to a descriptor.  A configuration that is not good is answered with
 * a 500, and told on standard error.  False: the answer could not be written. */
bool cgi_serve(const char *config_path, const char *plugin_folder, int answer_fd);

/* Puts back what was read of the body, so that another program can serve the request in this
 * process; it inherits the first three descriptors only.  False: the body does not fit into a pipe.
 */
bool cgi_unread(void);

#endif
