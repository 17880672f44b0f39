/* SPDX-License-Identifier: MIT
 * Columns and rows that a database sends.  An input is lines: the first names the columns, the
 * others are rows, with tabs between; an empty field is NULL. */
#include "fuzz.h"

#include "base/fold.h"
#include "plugins/sql/answer.h"

#include <string.h>

const char fuzz_corpus[] = "sql_answer";

static const struct span asked = {"m1", 2};

struct memberchat_result {
    size_t ids, values;
};

static bool set(struct memberchat_result *result, enum memberchat_field field, const char *value,
                size_t length)
{
    must(field >= MEMBERCHAT_ID && field <= MEMBERCHAT_ROLE && value && length > 0);
    if (field == MEMBERCHAT_ID) {
        must(text_fold_equal((struct span){value, length}, asked));
        result->ids++;
    }
    return true;
}

static bool set_attribute(struct memberchat_result *result, const char *name, size_t name_length,
                          const char *value, size_t value_length)
{
    must(name_length == strlen(name) && name_length > 0 && value && value_length > 0);
    must(++result->values <= MEMBERCHAT_VALUES_MAX);
    return true;
}

static void take_reason(struct memberchat_result *result, const char *format, ...)
{
    (void)result;
    must(format && *format);
}

/* The next field of a line. */
static struct span take_field(struct span *line)
{
    const char *end = line->length ? memchr(line->data, '\t', line->length) : NULL;
    struct span field = {line->data, end ? (size_t)(end - line->data) : line->length};
    size_t taken = field.length + (end != NULL);
    *line = (struct span){line->data + taken, line->length - taken};
    return field.length ? field : SPAN_NONE;
}

static void add_rows(struct sql_answer *answer, const struct sql_shape *shape, struct span rest)
{
    struct span line;
    bool more = true;
    while (more && span_next_line(&rest, &line)) {
        struct span values[SQL_COLUMNS_MAX];
        for (size_t i = 0; i < shape->count; i++)
            values[i] = take_field(&line);
        more = sql_answer_add(answer, shape, values);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const active[] = {"ACTIVE", "1"}, *const wanted_names[] = {"team", "mail"};
    static const struct memberchat_list wanted = {wanted_names, 2};
    static const struct sql_settings settings = {.active_values = {active, 2}};
    static const struct memberchat_services services = {
        .size = sizeof services, .set = set, .set_attribute = set_attribute, .reason = take_reason};
    struct memberchat_result result = {0, 0};
    struct sql_answer answer = {.settings = &settings,
                                .services = &services,
                                .result = &result,
                                .asked = asked,
                                .outcome = MEMBERCHAT_NOT_FOUND};
    struct sql_shape shape = {.count = 0};
    struct span rest = {(const char *)data, size}, line;
    struct reason why;
    bool good = span_next_line(&rest, &line);
    while (good && line.length)
        good = sql_shape_add(&shape, take_field(&line), &wanted, &why);
    if (!good || !sql_shape_is_good(&shape, &why))
        return 0;
    add_rows(&answer, &shape, rest);
    must(answer.outcome == MEMBERCHAT_FOUND || answer.outcome == MEMBERCHAT_NOT_FOUND ||
         answer.outcome == MEMBERCHAT_MISCONFIGURED);
    must(answer.outcome != MEMBERCHAT_FOUND || result.ids == 1);
    /* a later row may say that the member is not active */
    must(answer.outcome != MEMBERCHAT_NOT_FOUND || answer.rows > 1 ||
         (!result.ids && !result.values));
    return 0;
}
