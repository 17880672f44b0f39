/* SPDX-License-Identifier: MIT
 * A file store on a members file in a folder of its own. */
#ifndef MEMBERCHAT_FILE_FIXTURE_H
#define MEMBERCHAT_FILE_FIXTURE_H

#include "fake_services.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define HEADER       "appUserId,appUserName\n"

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, fixture_start, fixture_stop)

extern const struct memberchat_store_plugin *plugin;
extern struct fake_services fake;
extern struct fake_result result; /* of the last call */
extern char folder[64], path[128], other[128];
extern void *settings, *store;
extern time_t written; /* the time that the next content gets */

int fixture_start(void **state);
int fixture_stop(void **state);

/* Templates name so many of "team", "shoe size" and "state"; none at the start. */
void set_wanted(size_t count);

void set_text(const char *key, const char *value);

/* Writes in place, and leaves a time that no other content had. */
void put(const char *to, const char *text);

/* Puts a new file in the place of the old one. */
void replace(const char *text);

/* The path of a compiled file of this text; NULL: no memory. */
const char *compile(const char *text);
void remove_compiled(void);

bool open_store(uint32_t how);

/* Opens a store with this content, and forgets what it logged. */
void open_with(const char *text);

/* Lets time pass, and the store look at its file. */
void tick(int64_t milliseconds);

enum memberchat_outcome lookup(const char *id);
void assert_name(const char *id, const char *name);

#endif
