/* SPDX-License-Identifier: MIT
 * Whether the settings of a REST store fit together. */
#ifndef REST_CHECK_H
#define REST_CHECK_H

#include "base/reason.h"
#include "settings.h"

/* Asks no network and opens no file. */
bool rest_check_settings(const struct rest_settings *settings, struct reason *why);

/* Whether {appId} is in what is sent. */
bool rest_check_per_app(const struct rest_settings *settings);

#endif
