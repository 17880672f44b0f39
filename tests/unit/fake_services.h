/* SPDX-License-Identifier: MIT
 *
 * fake_services.h: a host for tests of stores: it keeps what a plugin logs and
 * says of a member, and its clock stands still unless it is told otherwise.
 */
#ifndef MEMBERCHAT_FAKE_SERVICES_H
#define MEMBERCHAT_FAKE_SERVICES_H

#include "memberchat_store.h"

#include <pthread.h>
#include <stdatomic.h>

struct fake_services {
    struct memberchat_services table; /* first: the plugin's view of it */
    _Atomic int64_t clock;            /* milliseconds */
    bool real_clock;                  /* now() is the system's clock, `clock` is not used */
    pthread_mutex_t lock;
    char *log; /* "W text\n" for each line, with the level's initial */
    size_t log_length;
};

enum { FAKE_ATTRIBUTES = 32, FAKE_FIELDS = MEMBERCHAT_ROLE + 1 };

/* What a plugin said in one call.  Text is kept as a C string beside its length. */
struct fake_result {
    char fields[FAKE_FIELDS][4097];
    size_t lengths[FAKE_FIELDS];
    char names[FAKE_ATTRIBUTES][65], values[FAKE_ATTRIBUTES][4097];
    size_t attributes;
    char reason[256];
    int64_t retry_after;
    bool refused; /* something was too long for the host */
};

void fake_services_start(struct fake_services *fake);
void fake_services_stop(struct fake_services *fake);
void fake_services_forget(struct fake_services *fake);

/* How often `text` stands in the log. */
size_t fake_services_count(struct fake_services *fake, const char *text);

/* Empties the result, and returns it as the plugin gets it. */
struct memberchat_result *fake_result_start(struct fake_result *result);

/* The value of an attribute; NULL when it was not set. */
const char *fake_result_attribute(const struct fake_result *result, const char *name);

/* Settings as a host would fill them from a configuration without any key:
 * from calloc, for the caller to free after the store. */
void *fake_settings_new(const struct memberchat_store_plugin *plugin);

/* Where the value of a key lies in them; fails the test if there is no such key. */
void *fake_settings_at(const struct memberchat_store_plugin *plugin, void *settings,
                       const char *key);

#endif
