/* SPDX-License-Identifier: MIT
 * What the configuration says of an SQL store, and what ids it can have. */
#ifndef SQL_SETTINGS_H
#define SQL_SETTINGS_H

#include "base/bytes.h"
#include "base/reason.h"
#include "memberchat_store.h"

enum sql_id_type { SQL_TEXT, SQL_INTEGER, SQL_UUID };
enum sql_tls { SQL_TLS_VERIFY, SQL_TLS_REQUIRE, SQL_TLS_OFF };

struct sql_settings {
    const char *query;
    int64_t id_type; /* enum sql_id_type */
    struct memberchat_list active_values;
    int64_t timeout;
    const char *path; /* SQLite only; what follows is not for SQLite */
    struct memberchat_list hosts;
    const char *socket;
    int64_t port;
    const char *database, *user, *password_file;
    const char *ca_file;
    int64_t tls; /* enum sql_tls */
    bool allow_cleartext;
    int64_t connect_timeout, connections, idle_timeout, max_age;
};

#define SQL_KEY(MEMBER, TYPE, DEFAULT, MIN, MAX, HELP)                                             \
    MEMBERCHAT_KEY(struct sql_settings, MEMBER, #MEMBER, TYPE, DEFAULT, MIN, MAX, HELP)

/* The rows that all have. */
#define SQL_KEYS                                                                                   \
    {SQL_KEY(query, STRING, NULL, 1, 65536, "the SELECT that finds a member by {id}"),             \
     .flags = MEMBERCHAT_KEY_REQUIRED},                                                            \
        {SQL_KEY(id_type, CHOICE, "text", 0, 0, "what ids look like"),                             \
         .choices = "text integer uuid"},                                                          \
    {                                                                                              \
        SQL_KEY(active_values, LIST, "ACTIVE", 1, 64,                                              \
                "states of active members, in any case; no state means active"),                   \
            .flags = MEMBERCHAT_KEY_NUMBERS                                                        \
    }

/* Whether an id has the form of its type: no other can be in the database.  An integer has 64
 * bits and is written as the database writes it; *number_r: its value. */
bool sql_id_fits(struct span id, enum sql_id_type type, int64_t *number_r);

/* Whether it can be the name of a machine, or an address. */
bool sql_host_fits(const char *host);

#endif
