/* SPDX-License-Identifier: MIT */
#include "census.h"

#include <stdio.h>
#include <string.h>

enum { LINE_MAX_LENGTH = 64 + CENSUS_STATE_MAX };

void census_add(struct census *census, struct span state, bool active, size_t by)
{
    size_t i = 0;
    census->members += by;
    census->active += active ? by : 0;
    if (!state.length) {
        census->stateless += by;
        return;
    }
    state.length = state.length < CENSUS_STATE_MAX ? state.length : CENSUS_STATE_MAX;
    while (i < census->state_count && !span_equal(state, span_of(census->states[i].name)))
        i++;
    if (i == CENSUS_STATES)
        return;
    if (i == census->state_count) {
        census->state_count++;
        memcpy(census->states[i].name, state.data, state.length);
    }
    census->states[i].count += by;
}

bool census_is_complete(const struct census *census)
{
    size_t sum = census->stateless;
    for (size_t i = 0; i < census->state_count; i++)
        sum += census->states[i].count;
    return sum == census->members;
}

void census_write(const struct census *census, struct bytes *out)
{
    bytes_addf(out, "%zu %zu %zu\n", census->column, census->stateless, census->state_count);
    for (size_t i = 0; i < census->state_count; i++)
        bytes_addf(out, "%zu %zu %s\n", census->states[i].count, strlen(census->states[i].name),
                   census->states[i].name);
}

/* Drops `length` bytes and the line end that follows them. */
static bool drop_line(struct span *rest, size_t length)
{
    if (length >= rest->length || rest->data[length] != '\n')
        return false;
    *rest = (struct span){rest->data + length + 1, rest->length - length - 1};
    return true;
}

bool census_read(struct census *census, struct span *rest)
{
    char copy[LINE_MAX_LENGTH];
    int end = 0;
    if (sscanf(span_copy(*rest, copy, sizeof copy), "%zu %zu %zu%n", &census->column,
               &census->stateless, &census->state_count, &end) != 3 ||
        census->state_count > CENSUS_STATES || !drop_line(rest, (size_t)end))
        return false;
    for (size_t i = 0; i < census->state_count; i++) {
        size_t length = 0;
        if (sscanf(span_copy(*rest, copy, sizeof copy), "%zu %zu%n", &census->states[i].count,
                   &length, &end) != 2 ||
            length > CENSUS_STATE_MAX || rest->length < (size_t)end + 1 + length)
            return false;
        memcpy(census->states[i].name, rest->data + end + 1, length);
        census->states[i].name[length] = '\0';
        if (!drop_line(rest, (size_t)end + 1 + length))
            return false;
    }
    return true;
}
