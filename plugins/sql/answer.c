/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include "base/fold.h"
#include "base/hash.h"

#include <string.h>

static const char *const aliases[] = {[SQL_ID] = "appUserId",
                                      [SQL_NAME] = "appUserName",
                                      [SQL_AVATAR] = "appUserProfileImgUrl",
                                      [SQL_ROLE] = "role",
                                      [SQL_STATE] = "state"};

/* ---- Columns ---- */

static enum sql_column find_alias(struct span name)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (span_equal_nocase(name, aliases[i]))
            return (enum sql_column)i;
    return SQL_ATTRIBUTE;
}

/* The name by which an attribute is set; SPAN_NONE: it is not wanted. */
static struct span find_wanted(struct span name, const struct memberchat_list *wanted)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (span_equal_nocase(name, wanted->items[i]))
            return span_of(wanted->items[i]);
    return SPAN_NONE;
}

bool sql_shape_add(struct sql_shape *shape, struct span name, const struct memberchat_list *wanted,
                   struct reason *why)
{
    enum sql_column column = find_alias(name);
    if (shape->count == SQL_COLUMNS_MAX) {
        reason_set(why, "the query has more than %d columns", SQL_COLUMNS_MAX);
        return false;
    }
    for (size_t i = 0; column < SQL_ATTRIBUTE && i < shape->count; i++)
        if (shape->columns[i] == column) {
            reason_set(why, "the query has two columns %s", aliases[column]);
            return false;
        }
    struct span attribute = column == SQL_ATTRIBUTE ? find_wanted(name, wanted) : SPAN_NONE;
    if (column == SQL_ATTRIBUTE && !attribute.length)
        column = SQL_UNUSED;
    memcpy(shape->names[shape->count], attribute.length ? attribute.data : "", attribute.length);
    shape->names[shape->count][attribute.length] = '\0';
    shape->columns[shape->count++] = column;
    return true;
}

bool sql_shape_equal(const struct sql_shape *a, const struct sql_shape *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++)
        equal = a->columns[i] == b->columns[i] && strcmp(a->names[i], b->names[i]) == 0;
    return equal;
}

bool sql_shape_has(const struct sql_shape *shape, const char *attribute)
{
    for (size_t i = 0; i < shape->count; i++)
        if (shape->columns[i] == SQL_ATTRIBUTE && strcmp(shape->names[i], attribute) == 0)
            return true;
    return false;
}

bool sql_shape_is_good(const struct sql_shape *shape, struct reason *why)
{
    for (size_t i = 0; i < shape->count; i++)
        if (shape->columns[i] == SQL_ID)
            return true;
    reason_set(why, "the query has no column appUserId: write \"SELECT ... AS appUserId\"");
    return false;
}

/* ---- Rows ---- */

static struct span find_value(const struct sql_shape *shape, const struct span values[],
                              enum sql_column column)
{
    for (size_t i = 0; i < shape->count; i++)
        if (shape->columns[i] == column)
            return values[i];
    return SPAN_NONE;
}

static bool stop(struct sql_answer *answer, enum memberchat_outcome outcome, const char *why)
{
    answer->outcome = outcome;
    if (why)
        answer->services->reason(answer->result, "%s", why);
    return false;
}

static bool is_active(const struct sql_answer *answer, struct span state)
{
    const struct memberchat_list *active = &answer->settings->active_values;
    if (!state.length)
        return true;
    for (size_t i = 0; i < active->count; i++)
        if (span_equal_nocase(state, active->items[i]))
            return true;
    return false;
}

/* Whether an attribute has this value already: a join repeats those of other columns. */
static bool is_known(struct sql_answer *answer, size_t column, struct span value)
{
    uint64_t hash = hash_keyed(answer->key, value.data, value.length);
    for (size_t i = 0; i < answer->value_count; i++)
        if (answer->values[i].column == column && answer->values[i].hash == hash)
            return true;
    if (answer->value_count == MEMBERCHAT_VALUES_MAX)
        return true;
    answer->values[answer->value_count].column = column;
    answer->values[answer->value_count++].hash = hash;
    return false;
}

static bool set_attributes(struct sql_answer *answer, const struct sql_shape *shape,
                           const struct span values[])
{
    bool good = true;
    for (size_t i = 0; i < shape->count; i++)
        if (shape->columns[i] == SQL_ATTRIBUTE && values[i].length &&
            !is_known(answer, i, values[i]))
            good &= answer->services->set_attribute(answer->result, shape->names[i],
                                                    strlen(shape->names[i]), values[i].data,
                                                    values[i].length);
    return good;
}

static bool set_fields(struct sql_answer *answer, const struct sql_shape *shape,
                       const struct span values[])
{
    static const enum memberchat_field fields[] = {[SQL_ID] = MEMBERCHAT_ID,
                                                   [SQL_NAME] = MEMBERCHAT_NAME,
                                                   [SQL_AVATAR] = MEMBERCHAT_AVATAR,
                                                   [SQL_ROLE] = MEMBERCHAT_ROLE};
    bool good = true;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct span value = find_value(shape, values, (enum sql_column)i);
        if (value.length)
            good &= answer->services->set(answer->result, fields[i], value.data, value.length);
    }
    return good;
}

/* Whether this is the person who was asked for: a collation may match others, too. */
static bool is_asked(const struct sql_answer *answer, struct span id)
{
    return text_fold_equal(id, answer->asked);
}

static void begin_member(struct sql_answer *answer, struct span id)
{
    memcpy(answer->id, id.data, id.length);
    answer->id_length = id.length;
    answer->outcome = MEMBERCHAT_FOUND;
    if (is_asked(answer, id))
        return;
    answer->outcome = MEMBERCHAT_NOT_FOUND;
    answer->services->reason(answer->result, "the query found \"%.*s\" instead", (int)id.length,
                             id.data);
}

/* One row that says that the member is not active is enough: their order may be any. */
static void judge_state(struct sql_answer *answer, struct span state)
{
    if (answer->outcome != MEMBERCHAT_FOUND || is_active(answer, state))
        return;
    answer->outcome = MEMBERCHAT_NOT_FOUND;
    answer->services->reason(answer->result, "its state is \"%.*s\"",
                             state.length < 64 ? (int)state.length : 64, state.data);
}

bool sql_answer_add(struct sql_answer *answer, const struct sql_shape *shape,
                    const struct span values[])
{
    struct span id = find_value(shape, values, SQL_ID);
    if (id.length > MEMBERCHAT_ID_MAX)
        return stop(answer, MEMBERCHAT_MISCONFIGURED,
                    "the query found a row whose appUserId is too long");
    if (!id.length) { /* outer joins and aggregates return such rows when nobody was found */
        if (!answer->rows)
            answer->services->reason(answer->result, "the query found a row without an appUserId");
        return ++answer->empty_rows <= SQL_ROWS_MAX;
    }
    if (answer->rows++ == SQL_ROWS_MAX)
        return stop(answer, MEMBERCHAT_MISCONFIGURED, "the query finds more than 1024 rows");
    if (answer->rows == 1)
        begin_member(answer, id);
    if (!span_equal(id, (struct span){answer->id, answer->id_length}))
        return stop(answer, MEMBERCHAT_MISCONFIGURED,
                    "the query finds rows with different ids: it must find one member");
    judge_state(answer, find_value(shape, values, SQL_STATE));
    return answer->outcome != MEMBERCHAT_FOUND ||
           ((answer->rows > 1 || set_fields(answer, shape, values)) &&
            set_attributes(answer, shape, values)) ||
           stop(answer, MEMBERCHAT_MISCONFIGURED, NULL);
}
