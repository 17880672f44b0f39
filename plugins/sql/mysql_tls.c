/* SPDX-License-Identifier: MIT */
#include "mysql_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <mysql.h>
#include <mysql/plugin_auth.h>
#include <poll.h>
#include <stdarg.h>

/* We register as an authentication plugin, since libmariadb calls that right before the
 * handshake.  The server then names the method that it wants. */
#define STAND_IN "memberchat_tls"

enum { TYPE_AUTHENTICATION = 2, INTERFACE_VERSION = 0x100 };

/* As in mysql/client_plugin.h, which needs a header that is not installed. */
struct authentication {
    int type;
    unsigned interface_version;
    const char *name, *author, *description;
    unsigned version[3];
    const char *license;
    void *api;
    int (*init)(char *, size_t, int, va_list);
    int (*deinit)(void);
    int (*options)(const char *, const void *);
    int (*authenticate)(MYSQL_PLUGIN_VIO *vio, MYSQL *mysql);
};

/* The handshake under way in this thread: libmariadb passes only the socket. */
static _Thread_local struct {
    const char *host;
    int64_t deadline;
    enum mysql_tls state;
} handshake;

static int await_handshake(my_socket fd, my_bool reads, int timeout_ms)
{
    (void)timeout_ms;
    if (sql_servers_await((int)fd, reads ? POLLIN : POLLOUT, handshake.deadline))
        return 1;
    handshake.state = MYSQL_TLS_LATE;
    return 0;
}

static bool make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static int begin(MYSQL_PLUGIN_VIO *vio, MYSQL *mysql)
{
    MYSQL_PLUGIN_VIO_INFO info = {.socket = -1};
    vio->info(vio, &info);
    if (!(mysql->server_capabilities & CLIENT_SSL))
        handshake.state = MYSQL_TLS_NONE;
    if (handshake.state == MYSQL_TLS_NONE || !handshake.host || !make_nonblocking(info.socket))
        return CR_ERROR;
    char *given = mysql->host;
    mysql->host = (char *)(uintptr_t)handshake.host;
    handshake.state = MYSQL_TLS_GOOD;
    int error = vio->write_packet(vio, (const unsigned char *)"", 0); /* after the handshake */
    mysql->host = given;
    return error ? CR_ERROR : CR_OK;
}

bool mysql_tls_register(void)
{
    static struct authentication stand_in = {.type = TYPE_AUTHENTICATION,
                                             .interface_version = INTERFACE_VERSION,
                                             .name = STAND_IN,
                                             .author = "memberchat",
                                             .description = "TLS with a deadline",
                                             .version = {1, 0, 0},
                                             .license = "MIT",
                                             .authenticate = begin};
    MYSQL *mysql = mysql_init(NULL);
    bool good = mysql && mysql_client_register_plugin(
                             mysql, (struct st_mysql_client_plugin *)&stand_in) != NULL;
    mysql_close(mysql);
    return good;
}

/* libmariadb drops a text that it could not copy, says nothing, and gives none back.  But where
 * malloc() fails it sets errno, which nothing here sets otherwise. */
bool mysql_tls_restrict(MYSQL *mysql, const char *ways)
{
#if MARIADB_PACKAGE_VERSION_ID >= 30300
    errno = 0;
    return mysql_options(mysql, MARIADB_OPT_RESTRICTED_AUTH, ways) == 0 && errno == 0;
#else
    (void)mysql;
    (void)ways;
    return true;
#endif
}

bool mysql_tls_begin(MYSQL *mysql, const struct sql_target *target, int64_t deadline)
{
    handshake.host = target->host;
    handshake.deadline = deadline;
    handshake.state = MYSQL_TLS_FAILED;
    mysql_options(mysql, MYSQL_DEFAULT_AUTH, STAND_IN);
    mysql_optionsv(mysql, MARIADB_OPT_IO_WAIT, await_handshake);
    return target->verify || mysql_tls_restrict(mysql, STAND_IN "," MYSQL_TLS_HASHES);
}

enum mysql_tls mysql_tls_end(MYSQL *mysql)
{
    handshake.host = NULL;
    if (handshake.state == MYSQL_TLS_GOOD &&
        (!mysql_get_ssl_cipher(mysql) || !make_nonblocking((int)mysql_get_socket(mysql))))
        handshake.state = MYSQL_TLS_FAILED;
    return handshake.state;
}
