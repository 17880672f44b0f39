/* SPDX-License-Identifier: MIT
 * Members in a CSV file, as text and compiled. */
#include "contract.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 4180, section 2: a field in quotation marks, those inside doubled. */
static void add_field(struct bytes *out, const char *text)
{
    bytes_add_string(out, "\"");
    for (; *text; text++)
        bytes_addf(out, *text == '"' ? "\"\"" : "%c", *text);
    bytes_add_string(out, "\"");
}

static void write_members(const char *name)
{
    struct bytes text = {0};
    bytes_add_string(&text, "appUserId,appUserName,appUserProfileImgUrl,role,state\n");
    bytes_addf(&text,
               "1,%s,%s,%s,ACTIVE\n2,,,,\ngone,Gone,,,LEFT\n"
               "long," CONTRACT_LONG ",," CONTRACT_LONG ",\n",
               name, CONTRACT_AVATAR, CONTRACT_ROLE);
    for (size_t i = 0; i < contract_odd_count; i++) {
        add_field(&text, contract_odd_ids[i]);
        bytes_add_string(&text, ",,,,\n");
    }
    /* a new file in the place of the old one is read at once */
    scratch_write("members.new", bytes_span(&text));
    assert_int_equal(rename(scratch_path("members.new"), scratch_path("members.csv")), 0);
    bytes_free(&text);
}

static bool make_csv(void)
{
    write_members("Ann");
    return true;
}

static void rename_csv(void)
{
    write_members("Anna");
}

const struct contract_fixture contract_file_csv = {
    .name = "file",
    .folder = &plugins,
    .plugin = "file",
    .keys = "path = \"members.csv\"",
    .all_fields = true,
    .make = make_csv,
    .rename = rename_csv,
};

/* ---- Compiled, by the command that is made for it ---- */

static void compile(void)
{
    struct bytes command = {0};
    bytes_addf(&command, "'%s' index '%s' '%s' >/dev/null", COMMAND, scratch_path("members.csv"),
               scratch_path("members.cdb"));
    assert_int_equal(system(bytes_string(&command)), 0);
    bytes_free(&command);
}

static bool make_cdb(void)
{
    write_members("Ann");
    compile();
    return true;
}

static void rename_cdb(void)
{
    write_members("Anna");
    compile();
}

const struct contract_fixture contract_file_cdb = {
    .name = "file, compiled",
    .folder = &plugins,
    .plugin = "file",
    .keys = "path = \"members.cdb\"",
    .all_fields = true,
    .make = make_cdb,
    .rename = rename_cdb,
};
