/* SPDX-License-Identifier: MIT
 * Questions to stores and directories. */
#ifndef QUESTION_H
#define QUESTION_H

#include "base/clock.h"
#include "members/store.h"

/* Until a time, as clock_monotonic_ms() tells it. */
#define QUESTION_UNTIL(id_, deadline_)                                                             \
    (&(const struct store_question){.id = (id_), .deadline = (deadline_)})

/* With so many milliseconds for the answer. */
#define QUESTION(id_, ms_) QUESTION_UNTIL(id_, clock_monotonic_ms() + (ms_))

/* The same for an app. */
#define QUESTION_OF(app_id_, id_, ms_)                                                             \
    (&(const struct store_question){                                                               \
        .id = (id_), .app_id = (app_id_), .deadline = clock_monotonic_ms() + (ms_)})

#endif
