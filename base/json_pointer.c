/* SPDX-License-Identifier: MIT
 * RFC 6901. */
#include "json.h"

#include <string.h>

bool json_is_pointer(const char *text)
{
    if (*text && *text != '/')
        return false;
    for (const char *at = text; (at = strchr(at, '~')); at++)
        if (at[1] != '0' && at[1] != '1')
            return false;
    return true;
}

struct search {
    const char *step; /* of the pointer, up to its slash or end */
    struct json_object *found;
};

/* Goes on while the name is not that of the step. */
static bool pass_by(void *context, struct span name, struct json_object *value)
{
    struct search *search = context;
    const char *at = search->step;
    size_t i = 0;
    for (; *at && *at != '/' && i < name.length; at++, i++) {
        char c = *at;
        if (c == '~')
            c = *++at == '0' ? '~' : '/';
        if (c != name.data[i])
            return true;
    }
    if ((*at && *at != '/') || i < name.length)
        return true;
    search->found = value;
    return false;
}

static bool enter_object(struct json_object **value, const char *step)
{
    struct search search = {.step = step};
    bool found = !json_each_member(*value, pass_by, &search);
    *value = search.found;
    return found;
}

static bool enter_array(struct json_object **value, const char *step)
{
    size_t index = 0, digits = strspn(step, "0123456789"), length = json_length(*value);
    if (!digits || (step[digits] && step[digits] != '/') || (*step == '0' && digits > 1))
        return false;
    for (size_t i = 0; i < digits && index < length; i++)
        index = 10 * index + (size_t)(step[i] - '0');
    if (index >= length)
        return false;
    *value = json_element(*value, index);
    return true;
}

enum json_kind json_at(struct json_object *document, const char *pointer,
                       struct json_object **value_r)
{
    *value_r = document;
    for (const char *step = pointer; *step; step += strcspn(step, "/")) {
        enum json_kind kind = json_kind_of(*value_r);
        bool found = false;
        step++;
        if (kind == JSON_OBJECT)
            found = enter_object(value_r, step);
        else if (kind == JSON_ARRAY)
            found = enter_array(value_r, step);
        if (!found)
            return JSON_ABSENT;
    }
    return json_kind_of(*value_r);
}
