/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>

void watch_begin(struct watch *watch, const char *config_path)
{
    const char *home = getenv("MEMBERCHAT_HOME");
    if (!home || !*home)
        return;
    snprintf(watch->program_path, sizeof watch->program_path, "%s/lib/memberchat.fcgi", home);
    watch->config_path = config_path;
    file_stamp_read(watch->program_path, &watch->program);
    file_stamp_read(config_path, &watch->config);
    watch->seen = watch->config;
}

enum watch_change watch_look(struct watch *watch)
{
    struct file_stamp program, config;
    if (!*watch->program_path)
        return WATCH_NOTHING;
    file_stamp_read(watch->program_path, &program);
    if (!file_stamp_equal(&program, &watch->program))
        return WATCH_PROGRAM;
    bool there = file_stamp_read(watch->config_path, &config);
    bool still = file_stamp_equal(&config, &watch->seen);
    watch->seen = config;
    if (!there || !still || file_stamp_equal(&config, &watch->config))
        return WATCH_NOTHING;
    watch->config = config;
    return WATCH_CONFIG;
}
