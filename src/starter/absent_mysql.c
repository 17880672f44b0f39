/* SPDX-License-Identifier: MIT
 * In place of TLS, compression and the C library's name service, which libmariadb needs for servers
 * over a network: OpenSSL alone would be several times as large as all the rest of the static
 * program. Settings that need them never get here, see main.c.  Arguments are not looked at, so
 * none are declared. */
#include "absent.h"

#include "base/resolve.h"

#include <stddef.h>

#define EAI_FAIL       (-4) /* of getaddrinfo() */
#define Z_STREAM_ERROR (-2) /* of zlib */

/* Some function that libmariadb has no reason to call. */
#define ABSENT(TYPE, NAME, VALUE)                                                                  \
    TYPE NAME(void);                                                                               \
    TYPE NAME(void)                                                                                \
    {                                                                                              \
        absent_hand_over();                                                                        \
        return VALUE;                                                                              \
    }

/* One that it calls in any case, and that need not do anything. */
#define IDLE(TYPE, NAME)                                                                           \
    TYPE NAME(void);                                                                               \
    TYPE NAME(void)                                                                                \
    {                                                                                              \
        return 0;                                                                                  \
    }

/* ---- libmariadb's layer above OpenSSL ---- */

extern char tls_library_version[64];
char tls_library_version[64];

IDLE(int, ma_tls_start)
IDLE(int, ma_tls_end)
ABSENT(void *, ma_tls_init, NULL)
ABSENT(int, ma_tls_connect, 1)
ABSENT(long, ma_tls_read, -1)
ABSENT(long, ma_tls_read_async, -1)
ABSENT(long, ma_tls_write, -1)
ABSENT(long, ma_tls_write_async, -1)
ABSENT(int, ma_tls_close, 1)
ABSENT(int, ma_tls_verify_server_cert, 1)
ABSENT(const char *, ma_tls_get_cipher, NULL)
ABSENT(unsigned, ma_tls_get_finger_print, 0)
ABSENT(int, ma_tls_get_protocol_version, -1)
ABSENT(int, ma_tls_set_connection, 1)

/* ---- zlib ---- */

ABSENT(int, compress2, Z_STREAM_ERROR)
ABSENT(int, uncompress, Z_STREAM_ERROR)
ABSENT(unsigned long, crc32, 0)

/* ---- Names ---- */

IDLE(void *, getservbyname) /* the usual port, which a unix socket has no use for */
ABSENT(void *, getpwuid, NULL)
ABSENT(char *, getlogin, NULL)
ABSENT(int, getaddrinfo, EAI_FAIL)
ABSENT(int, getnameinfo, EAI_FAIL)
ABSENT(const char *, gai_strerror, "")
IDLE(int, freeaddrinfo)

struct resolver *resolver_new(const char *host, const char *port)
{
    (void)host, (void)port;
    absent_hand_over();
    return NULL;
}

enum resolved resolver_get(struct resolver *resolver, int64_t deadline,
                           struct addresses *addresses_r, struct reason *why)
{
    (void)resolver, (void)deadline;
    addresses_r->count = 0;
    reason_set(why, "a static program resolves no names");
    return RESOLVED_FAILED;
}

void resolver_free(struct resolver *resolver)
{
    (void)resolver;
}
