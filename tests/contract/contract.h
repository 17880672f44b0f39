/* SPDX-License-Identifier: MIT
 * The contract of stores: the same cases for each.  A fixture makes a directory of
 * these members, in whatever form its store reads:
 *   id "1", name "Ann", avatar and role; id "2" without anything else;
 *   "long", with a name and a role of CONTRACT_LONG; the ids of contract_odd_ids; and "gone", who
 * is not active, where the store knows of such. */
#ifndef CONTRACT_H
#define CONTRACT_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

#define CONTRACT_AVATAR "https://img.example.com/1.jpg"
#define CONTRACT_ROLE   "host"

/* 300 bytes: too long for a name or a role. */
#define CONTRACT_TEN "0123456789"
#define CONTRACT_100                                                                               \
    CONTRACT_TEN CONTRACT_TEN CONTRACT_TEN CONTRACT_TEN CONTRACT_TEN CONTRACT_TEN CONTRACT_TEN     \
        CONTRACT_TEN CONTRACT_TEN CONTRACT_TEN
#define CONTRACT_LONG CONTRACT_100 CONTRACT_100 CONTRACT_100

/* Of the table "people" of the SQL fixtures. */
#define CONTRACT_QUERY                                                                             \
    "SELECT id AS appUserId, name AS appUserName, picture AS appUserProfileImgUrl, role, state "   \
    "FROM people WHERE id = {id}"

/* Adds the INSERTs for these members. */
void contract_write_sql(struct bytes *out);

extern const char *const contract_odd_ids[];
extern const size_t contract_odd_count;

struct contract_fixture {
    const char *name;
    const char *const *folder; /* of the plugin */
    const char *plugin;
    const char *keys;     /* of the configuration; paths begin at the scratch folder */
    bool all_fields;      /* the store has more than id and name */
    bool signs_in;        /* connecting takes more than some milliseconds */
    bool (*make)(void);   /* the members above; false: it cannot be made here */
    void (*rename)(void); /* the name of "1" becomes "Anna", seen after a reload; NULL: it cannot */
    void (*hang)(void);   /* the directory does not answer; NULL: it always does */
    void (*stop)(void);   /* the directory is down; NULL: it never is */
    void (*free)(void);   /* what make() started; NULL: nothing */
};

#define CONTRACT_FIXTURES_MAX 12

/* One for each store; NULL ends the list. */
extern const struct contract_fixture *const contract_fixtures[CONTRACT_FIXTURES_MAX];

extern const struct contract_fixture contract_file_csv, contract_file_cdb, contract_slow;
extern const struct contract_fixture contract_ldap;
extern const struct contract_fixture contract_rest;
extern const struct contract_fixture contract_mysql, contract_pgsql, contract_sqlite;

#endif
