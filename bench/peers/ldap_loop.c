/* SPDX-License-Identifier: MIT
 *
 * ldap_loop: the least that a libldap program can do.  From the environment:
 * LDAP_URI, LDAP_DN, LDAP_PASSWORD, LDAP_BASE; LDAP_MEMBERS, their uids, a blank
 * between them; LDAP_HANDLES threads with a handle each, for LDAP_SECONDS.
 * Prints: look-ups, microseconds that they took, microseconds of CPU.
 *
 * With LDAP_SECONDS=0 it binds, looks the first member up, unbinds, and prints
 * the name: what a process for one request has to do.
 */
#include "clocks.h"

#include <ldap.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEMBERS_MAX 4096

static char *members[MEMBERS_MAX];
static size_t member_count;
static atomic_bool over;

static void must(int code, const char *what)
{
    if (code == LDAP_SUCCESS)
        return;
    fprintf(stderr, "ldap_loop: %s: %s\n", what, ldap_err2string(code));
    exit(1);
}

static LDAP *connect_and_bind(void)
{
    const int version = LDAP_VERSION3;
    char *password = getenv("LDAP_PASSWORD");
    struct berval secret = {strlen(password), password};
    LDAP *handle;
    must(ldap_initialize(&handle, getenv("LDAP_URI")), "initialize");
    ldap_set_option(handle, LDAP_OPT_PROTOCOL_VERSION, &version);
    must(ldap_sasl_bind_s(handle, getenv("LDAP_DN"), LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL),
         "bind");
    return handle;
}

/* Everything that the store takes from an entry, too. */
static void look_up(LDAP *handle, const char *uid, int print)
{
    char *attributes[] = {"uid", "displayName", "cn", NULL}, filter[256];
    LDAPMessage *answer;
    snprintf(filter, sizeof filter, "(&(objectClass=inetOrgPerson)(uid=%s))", uid);
    must(ldap_search_ext_s(handle, getenv("LDAP_BASE"), LDAP_SCOPE_SUBTREE, filter, attributes, 0,
                           NULL, NULL, NULL, 2, &answer),
         "search");
    LDAPMessage *entry = ldap_first_entry(handle, answer);
    if (!entry) {
        fprintf(stderr, "ldap_loop: %s: not found\n", uid);
        exit(1);
    }
    for (size_t i = 0; attributes[i]; i++) {
        struct berval **values = ldap_get_values_len(handle, entry, attributes[i]);
        if (print && values)
            printf("%s ", values[0]->bv_val);
        ldap_value_free_len(values);
    }
    ldap_msgfree(answer);
}

static void *look_up_often(void *start)
{
    LDAP *handle = connect_and_bind();
    long count = 0;
    for (size_t at = (size_t)start; !over; at++, count++)
        look_up(handle, members[at % member_count], 0);
    ldap_unbind_ext_s(handle, NULL, NULL);
    return (void *)count;
}

static void run(size_t handles, unsigned seconds)
{
    pthread_t threads[256];
    long count = 0, began = now_us(), cpu = cpu_us();
    for (size_t i = 0; i < handles; i++)
        if (pthread_create(&threads[i], NULL, look_up_often, (void *)(i * 61)) != 0)
            exit(1);
    nanosleep(&(struct timespec){.tv_sec = seconds}, NULL);
    over = 1;
    for (size_t i = 0; i < handles; i++) {
        void *done;
        pthread_join(threads[i], &done);
        count += (long)done;
    }
    printf("%ld %ld %ld\n", count, now_us() - began, cpu_us() - cpu);
}

int main(void)
{
    size_t handles = strtoul(getenv("LDAP_HANDLES"), NULL, 10);
    unsigned seconds = (unsigned)strtoul(getenv("LDAP_SECONDS"), NULL, 10);
    char *rest = getenv("LDAP_MEMBERS"), *member;
    while ((member = strtok_r(rest, " ", &rest)) && member_count < MEMBERS_MAX)
        members[member_count++] = member;
    if (seconds > 0) {
        run(handles < 256 ? handles : 256, seconds);
    } else {
        LDAP *handle = connect_and_bind();
        look_up(handle, members[0], 1);
        ldap_unbind_ext_s(handle, NULL, NULL);
    }
    return 0;
}
