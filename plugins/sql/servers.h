/* SPDX-License-Identifier: MIT
 * Connects to the configured servers in order; shared by the stores that use a network. */
#ifndef SERVERS_H
#define SERVERS_H

#include "backend.h"

enum { SQL_HOSTS_MAX = 16, SQL_ADDRESS_MAX = 128 };

/* One server, as a client library needs it. */
struct sql_target {
    const char *host;    /* its name; NULL: a unix socket */
    const char *address; /* of the host, numeric; or the socket's path */
    unsigned port;
    bool encrypt, verify;
    const char *ca_file; /* NULL: there are none that the system trusts */
    const char *password;
};

/* What a connection begins with. */
struct sql_link {
    const struct sql_client *client;
    int fd; /* -1: none yet */
    size_t server;
    uint64_t session;         /* the server's number for it */
    struct sql_target target; /* without address and password */
    char address[SQL_ADDRESS_MAX];
};

/* What a client library does with one connection: memory of `size` bytes, zero at first, that
 * begins with a struct sql_link.  False: with a fault; disconnect() follows. */
struct sql_protocol {
    size_t size;
    bool (*sign_in)(void *connection, const struct sql_target *target, int64_t deadline,
                    struct sql_fault *fault);
    /* Makes the session read-only, and prepares the query. */
    bool (*prepare)(void *connection, int64_t deadline, struct sql_fault *fault);
    /* Ends another session of the same user. */
    void (*end_session)(void *connection, uint64_t session, int64_t deadline);
    void (*disconnect)(void *client, void *connection); /* also one that is not complete */
};

/* For struct sql_backend. */
bool sql_servers_check(const struct sql_client *client, struct reason *why);
bool sql_servers_open(struct sql_client *client, struct reason *why, unsigned usual_port,
                      const struct sql_protocol *protocol);
void sql_servers_close(struct sql_client *client);
void *sql_servers_connect(struct sql_client *client, int64_t deadline, struct sql_fault *fault);
void sql_servers_cancel(void *client, const void *link, int64_t deadline);
bool sql_servers_note(void *client, const void *link, const struct sql_fault *fault);
/* Whether there is memory for a new connection.  libmariadb, libpq and OpenSSL may end the
 * process when memory runs out, so it is asked for first. */
bool sql_servers_have_memory(void);
bool sql_servers_is_good(void *client, const void *link);
void sql_servers_forgive(struct sql_client *client);

/* Whether a library's message means that TLS with a server will not work until someone has
 * mended something, rather than that a connection with TLS broke.  No library reports this in
 * any other way. */
bool sql_servers_tls_is_wrong(const char *message);

/* Waits until the descriptor is ready for `events` (of poll()); what it is ready for, 0: the
 * deadline has passed. */
int sql_servers_await(int fd, int events, int64_t deadline);

/* The rows of the key tables. */
#define SQL_SERVER_KEYS                                                                            \
    {SQL_KEY(hosts, LIST, NULL, 0, SQL_HOSTS_MAX, "names or addresses of servers, in order")},     \
        {SQL_KEY(socket, PATH, NULL, 0, 0, "the unix socket to connect to, or its folder")},       \
        {SQL_KEY(port, INTEGER, "0", 0, 65535, "the port; 0: the usual one")},                     \
        {SQL_KEY(database, STRING, NULL, 1, 128, "the name of the database"),                      \
         .flags = MEMBERCHAT_KEY_REQUIRED},                                                        \
        {SQL_KEY(user, STRING, NULL, 1, 128, "the user to sign in as"),                            \
         .flags = MEMBERCHAT_KEY_REQUIRED},                                                        \
        {SQL_KEY(password_file, PATH, NULL, 0, 0, "file with the password of \"user\"")},          \
        {SQL_KEY(ca_file, PATH, NULL, 0, 0, "file with the only CAs to trust, PEM")},              \
        {SQL_KEY(tls, CHOICE, "verify", 0, 0, "how connections over a network are protected"),     \
         .choices = "verify require off"},                                                         \
        {SQL_KEY(allow_cleartext, BOOL, "false", 0, 0,                                             \
                 "whether tls may be off with another machine")},                                  \
        {SQL_KEY(connect_timeout, DURATION, "2s", 1, 60000,                                        \
                 "how long a new connection may take")},                                           \
        {SQL_KEY(timeout, DURATION, "2s", 1, 60000, "how long a query may take")},                 \
        {SQL_KEY(connections, INTEGER, "0", 0, 1024,                                               \
                 "how many connections there may be at once; 0: any number")},                     \
        {SQL_KEY(idle_timeout, DURATION, "60s", 1000, 86400000,                                    \
                 "how long a connection may idle")},                                               \
    {                                                                                              \
        SQL_KEY(max_age, DURATION, "10m", 1000, 86400000, "how old a connection may become")       \
    }

#endif
