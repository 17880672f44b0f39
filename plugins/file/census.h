/* SPDX-License-Identifier: MIT
 * How many members a file has, and in which states.  Pure. */
#ifndef CENSUS_H
#define CENSUS_H

#include "base/bytes.h"

enum {
    CENSUS_STATES = 16,
    CENSUS_STATE_MAX = 65 /* one byte more than "active_values" may have */
};

struct census {
    size_t members, active;
    size_t column;    /* that has the states; SIZE_MAX: none */
    size_t stateless; /* members without a state */
    size_t state_count;
    struct {
        char name[CENSUS_STATE_MAX + 1]; /* a longer one is cut */
        size_t count;
    } states[CENSUS_STATES]; /* the first that were seen */
};

/* Counts a member (`by` 1), or takes it back (SIZE_MAX). */
void census_add(struct census *census, struct span state, bool active, size_t by);

/* Whether the states of all members are in the list. */
bool census_is_complete(const struct census *census);

/* Lines of text, without the numbers of members and of active ones. */
void census_write(const struct census *census, struct bytes *out);
bool census_read(struct census *census, struct span *rest); /* false: damaged */

#endif
