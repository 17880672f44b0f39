/* SPDX-License-Identifier: MIT
 * The list of ids that get no token from an app, kept by moderators in a file.  A line is
 *
 *     ID [UNTIL] [# a comment]
 *
 * where an id with blanks, quotes or a "#" in front stands in quotes, and UNTIL is a date (all of
 * that day) or a time.  Letter case does not count (ASCII).  A change of the file counts at once:
 * no cache of members is asked. */
#ifndef DENIED_H
#define DENIED_H

#include "base/bytes.h"
#include "base/reason.h"

#define DENIED_ID_MAX  160
#define DENIED_FOREVER INT64_MAX

/* ---- Lines ---- */

/* A line that denies somebody denies them also where something is wrong with the rest of it. */
struct denied_line {
    char id[DENIED_ID_MAX];
    size_t id_length;    /* 0: the line denies nobody */
    int64_t until;       /* unix seconds, or DENIED_FOREVER */
    const char *fault;   /* what is wrong with the line, of static storage; NULL: nothing */
    struct span comment; /* from its "#" on, or empty */
};

/* `line` has no line end. */
void denied_read_line(struct span line, struct denied_line *line_r);

/* Reads an end as it is written in a line. */
bool denied_parse_until(struct span text, int64_t *until_r);

/* Adds the line, with a line end, that denies somebody. */
void denied_add_line(struct bytes *out, struct span id, int64_t until, struct span comment);

bool denied_same_id(struct span a, struct span b);

/* Takes a byte order mark off the front of a list. */
void denied_skip_mark(struct span *list);

/* Adds the list with this id denied once, or, `until` NULL, not at all; the other lines stay as
 * they are.  False: the id was not in it. */
bool denied_rewrite(struct span list, struct span id, const int64_t *until, struct bytes *out);

/* ---- Lists ---- */

struct denied;

/* Called for each line with something wrong. */
typedef void (*denied_tell)(void *context, unsigned line, const char *fault);

/* Reads the list of an app.  `path` and `app_id` are borrowed.  NULL: *why. */
struct denied *denied_open(const char *path, const char *app_id, denied_tell tell, void *context,
                           struct reason *why);
void denied_free(struct denied *denied);

/* Whether an id is denied now; nobody is where there is no list (NULL).  Looks at the file a few
 * times a second; what cannot be read leaves the last list in force. */
bool denied_has(struct denied *denied, struct span id);

#endif
