/* SPDX-License-Identifier: MIT */
#include "contract.h"

/* A string of SQL as the standard has it. */
static void add_string(struct bytes *out, const char *text)
{
    bytes_add_string(out, "'");
    for (; *text; text++)
        bytes_addf(out, *text == '\'' ? "''" : "%c", *text);
    bytes_add_string(out, "'");
}

void contract_write_sql(struct bytes *out)
{
    bytes_add_string(out, "INSERT INTO people VALUES ('1', 'Ann', '" CONTRACT_AVATAR
                          "', '" CONTRACT_ROLE "', 'ACTIVE');\n"
                          "INSERT INTO people VALUES ('2', NULL, '', NULL, NULL);\n"
                          "INSERT INTO people VALUES ('gone', 'Gone', NULL, NULL, 'LEFT');\n"
                          "INSERT INTO people VALUES ('long', '" CONTRACT_LONG
                          "', NULL, '" CONTRACT_LONG "', NULL);\n");
    for (size_t i = 0; i < contract_odd_count; i++) {
        bytes_add_string(out, "INSERT INTO people VALUES (");
        add_string(out, contract_odd_ids[i]);
        bytes_add_string(out, ", NULL, NULL, NULL, NULL);\n");
    }
}
