/* SPDX-License-Identifier: MIT
 *
 * resolver.c: getaddrinfo() and res_query() for tests, to be preloaded.  Names that end in .test
 * are what the file MEMBERCHAT_TEST_RESOLVER says: an address, "none" (there is no
 * such name) or "hang" (for ten seconds).  All others are 127.0.0.1.
 */
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found_r);
void freeaddrinfo(struct addrinfo *found);

static void read_orders(char *word, size_t size)
{
    const char *path = getenv("MEMBERCHAT_TEST_RESOLVER");
    FILE *file = path ? fopen(path, "re") : NULL;
    word[0] = '\0';
    if (file) {
        if (fgets(word, (int)size, file))
            word[strcspn(word, "\n")] = '\0';
        fclose(file);
    }
}

static unsigned char *put(unsigned char *at, unsigned number)
{
    *at++ = (unsigned char)(number >> 8);
    *at++ = (unsigned char)number;
    return at;
}

static unsigned char *put_name(unsigned char *at, const char *name)
{
    for (size_t length; (length = strcspn(name, ".")) > 0; name += length + (name[length] == '.')) {
        *at++ = (unsigned char)length;
        memcpy(at, name, length);
        at += length;
    }
    *at++ = 0;
    return at;
}

/* SRV records for any name: the lines of the file MEMBERCHAT_TEST_SRV, "PRIORITY WEIGHT PORT
 * HOST". */
int res_query(const char *name, int class, int type, unsigned char *answer, int length)
{
    const char *path = getenv("MEMBERCHAT_TEST_SRV");
    FILE *file = path ? fopen(path, "re") : NULL;
    unsigned priority, weight, port, count = 0;
    char host[100];
    (void)length;
    unsigned char *at = put_name(memset(answer, 0, NS_HFIXEDSZ) + NS_HFIXEDSZ, name);
    at = put(put(at, (unsigned)type), (unsigned)class);
    while (file && fscanf(file, "%u %u %u %99s", &priority, &weight, &port, host) == 4) {
        unsigned char *data = put(put(put(put(put(put(at, 0xc00c), ns_t_srv), ns_c_in), 0), 60), 0);
        at = put_name(put(put(put(data, priority), weight), port), host);
        put(data - 2, (unsigned)(at - data));
        count++;
    }
    if (file)
        fclose(file);
    put(answer + 4, 1);
    put(answer + 6, count);
    h_errno = HOST_NOT_FOUND;
    return count ? (int)(at - answer) : -1;
}

/* One block for all, so that freeaddrinfo() is free(). */
struct answer {
    struct addrinfo info;
    struct sockaddr_in address;
};

static int make_answer(unsigned address, int port, struct addrinfo **found_r)
{
    struct answer *answer = calloc(1, sizeof *answer);
    if (!answer)
        return EAI_MEMORY;
    answer->address.sin_family = AF_INET;
    answer->address.sin_port = htons((unsigned short)port);
    answer->address.sin_addr.s_addr = htonl(address);
    answer->info = (struct addrinfo){.ai_family = AF_INET,
                                     .ai_socktype = SOCK_STREAM,
                                     .ai_addr = (struct sockaddr *)&answer->address,
                                     .ai_addrlen = sizeof answer->address};
    *found_r = &answer->info;
    return 0;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found_r)
{
    char word[64];
    unsigned byte[4] = {127, 0, 0, 1};
    size_t length = name ? strlen(name) : 0;
    (void)hints;
    if (length > 5 && strcmp(name + length - 5, ".test") == 0) {
        read_orders(word, sizeof word);
        if (strcmp(word, "hang") == 0)
            sleep(10);
        if (sscanf(word, "%u.%u.%u.%u", &byte[0], &byte[1], &byte[2], &byte[3]) != 4)
            return EAI_NONAME;
    }
    return make_answer(byte[0] << 24 | byte[1] << 16 | byte[2] << 8 | byte[3],
                       service ? atoi(service) : 0, found_r);
}

void freeaddrinfo(struct addrinfo *found)
{
    free(found);
}
