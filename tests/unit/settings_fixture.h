/* SPDX-License-Identifier: MIT
 * Configurations that are read, and what is reported of them. */
#ifndef SETTINGS_FIXTURE_H
#define SETTINGS_FIXTURE_H

#include "support.h"

extern struct config_report report; /* of the last load */

/* Around each case: a scratch folder with the basics. */
int settings_start(void **state);
int settings_stop(void **state);

/* NULL when the configuration is not good; then told() says why. */
struct settings *load(const struct config_texts *texts);
struct settings *load_text(const char *text);
const char *told(void);

/* Each row is one mistake: it draws one error, which has a file and a line and no secret. */
struct mistake {
    struct config_texts texts;
    const char *told;
};
void check_mistakes(const struct mistake *rows, size_t count);

#endif
