/* SPDX-License-Identifier: MIT
 * Servers of SQL databases for the contract.  One does for all cases, as starting it takes
 * seconds. */
#ifndef SQL_SERVERS_H
#define SQL_SERVERS_H

#include "contract.h"

#include <sys/types.h>

struct sql_server {
    const char *kind, *client; /* a command that reads SQL, with the folder in it */
    const char *table;
    pid_t pid; /* 0: not started */
    char folder[64];
};

/* Starts it if need be, and makes the members. */
void sql_server_make_people(struct sql_server *server);
void sql_server_rename_member(struct sql_server *server);
void sql_server_stop(struct sql_server *server);

/* Of the configuration; `socket` is what is behind the folder. */
const char *sql_server_keys(const struct sql_server *server, const char *socket);

#endif
