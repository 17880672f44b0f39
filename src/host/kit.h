/* SPDX-License-Identifier: MIT
 * The kit for shared hosts: a folder "memberchat" with a configuration, and in its lib/ the
 * programs, the plugins, and the loader and libraries that they run with. */
#ifndef KIT_H
#define KIT_H

#include "base/reason.h"

#include <stdbool.h>

/* Finds the kit that the running program belongs to: $MEMBERCHAT_HOME, else the first line of
 * a file memberchat.home beside the program, else the nearest folder upwards that has
 * memberchat/memberchat.conf with the owner of the program.  Without a kit the program was
 * installed in the ordinary way. */
void kit_find(void);

/* Sets the variables that lead the programs to the configuration and the plugins of the kit, unless
 * they are set.  False: no memory. */
bool kit_offer_paths(void);

/* The name of the running program's file. */
const char *kit_program_name(void);

/* Sends standard error to log/memberchat.log of the kit, if that can be written. */
void kit_keep_errors(void);

/* Starts lib/PROGRAM of the kit with the kit's loader in place of this process, or without a kit
 * the installed responder.  What the environment does not say comes from the kit: configuration,
 * plugins, encodings, and the certificates that this host trusts.  Returns only when that fails. */
void kit_exec(const char *program, char *const *argv, struct reason *why);

#endif
