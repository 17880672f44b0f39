/* SPDX-License-Identifier: MIT
 *
 * file_members.c: one way to ask, for both formats, and what a row says.
 */
#include "members.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One of the two is there. */
struct file_members {
    struct file_table *table;
    struct file_cdb *cdb;
};

static struct file_members *members_new(struct file_table *table, struct file_cdb *cdb)
{
    struct file_members *members = malloc(sizeof *members);

    if (members == NULL) {
        file_table_free(table);
        file_cdb_close(cdb);
        return NULL;
    }
    *members = (struct file_members){table, cdb};
    return members;
}

struct file_members *file_members_from_table(struct file_table *table)
{
    return members_new(table, NULL);
}

struct file_members *file_members_from_cdb(struct file_cdb *cdb)
{
    return members_new(NULL, cdb);
}

void file_members_free(struct file_members *members)
{
    if (members == NULL)
        return;
    file_table_free(members->table);
    file_cdb_close(members->cdb);
    free(members);
}

const struct file_header *file_members_header(const struct file_members *members)
{
    return members->cdb != NULL ? file_cdb_header(members->cdb) : &members->table->header;
}

size_t file_members_count(const struct file_members *members)
{
    return members->cdb != NULL ? file_cdb_members(members->cdb) : members->table->members;
}

const struct file_table *file_members_table(const struct file_members *members)
{
    return members->table;
}

size_t file_members_longest(const struct file_members *members)
{
    return members->cdb != NULL ? file_cdb_longest(members->cdb) : members->table->longest;
}

enum file_answer file_members_find(const struct file_members *members, struct file_csv *csv,
                                   const char *id, size_t length, struct file_row *row_r,
                                   struct file_twin *twin_r)
{
    const struct file_twin *twin = NULL;
    enum file_answer answer;

    if (members->cdb != NULL)
        return file_cdb_find(members->cdb, csv, id, length, row_r, twin_r);
    answer = file_table_find(members->table, csv, id, length, row_r, &twin);
    if (answer == FILE_TWICE)
        *twin_r = *twin;
    return answer;
}

static bool row_is_active(const struct file_settings *settings, const struct file_header *header,
                          const struct file_row *row)
{
    const struct memberchat_list *values = &settings->active_values;
    const struct file_text *state;
    size_t i, column = 0;

    while (column < header->count && header->kinds[column] != FILE_STATE)
        column++;
    if (column == header->count || row->fields[column].length == 0)
        return true;
    state = &row->fields[column];
    for (i = 0; i < values->count; i++)
        if (strlen(values->items[i]) == state->length &&
            strncasecmp(values->items[i], state->bytes, state->length) == 0)
            return true;
    return false;
}

enum memberchat_outcome file_members_tell(const struct file_members *members,
                                          const struct file_settings *settings,
                                          const struct file_row *row,
                                          const struct memberchat_services *services,
                                          struct memberchat_result *result)
{
    static const enum memberchat_field fields[] = {[FILE_ID] = MEMBERCHAT_ID,
                                                   [FILE_NAME] = MEMBERCHAT_NAME,
                                                   [FILE_AVATAR] = MEMBERCHAT_AVATAR,
                                                   [FILE_ROLE] = MEMBERCHAT_ROLE};
    const struct file_header *header = file_members_header(members);
    bool good = true;
    size_t i;

    if (!row_is_active(settings, header, row))
        return MEMBERCHAT_NOT_FOUND;
    for (i = 0; i < row->count; i++) {
        const struct file_text *field = &row->fields[i];
        enum file_kind kind = header->kinds[i];

        if (field->length == 0)
            continue;
        if (kind < FILE_STATE)
            good &= services->set(result, fields[kind], field->bytes, field->length);
        else if (kind == FILE_ATTRIBUTE)
            good &= services->set_attribute(result, header->names[i], strlen(header->names[i]),
                                            field->bytes, field->length);
    }
    return good ? MEMBERCHAT_FOUND : MEMBERCHAT_MISCONFIGURED;
}
