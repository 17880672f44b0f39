/* SPDX-License-Identifier: MIT
 *
 * resolver.c: a getaddrinfo() for tests, to be preloaded.  Names that end in .test
 * are what the file MEMBERCHAT_TEST_RESOLVER says: an address, "none" (there is no
 * such name) or "hang" (for ten seconds).  All others are 127.0.0.1.
 */
#include <netdb.h>
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
