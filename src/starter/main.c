/* SPDX-License-Identifier: MIT
 * memberchat.cgi: the responder for plain CGI, linked statically, with the stores that need no
 * shared library.  It needs nothing of the host but the kernel, and starts as fast as a program
 * can.  Everything else is the ordinary programs': under the names memberchat.fcgi and memberchat
 * it starts those of the kit. */
#include "host/kit.h"
#include "members/plugin.h"
#include "server/cgi.h"
#include "server/listen.h"
#include "settings/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct memberchat_store_plugin *file_store(void);

static const struct plugin_builtin builtins[] = {{"file", file_store}, {NULL, NULL}};

/* A file in an encoding that takes a converter of the C library is read by the ordinary program;
 * so is whatever else is wrong with the store's settings: it says what. */
static bool check_file(const void *settings, const struct memberchat_services *services,
                       struct memberchat_result *result)
{
    char *const none[] = {NULL};
    struct reason why;
    if (memberchat_store_plugin()->check(settings, services, result))
        return true;
    kit_exec("memberchat.fcgi", none, &why);
    return false;
}

static const struct memberchat_store_plugin *file_store(void)
{
    static struct memberchat_store_plugin plugin;
    plugin = *memberchat_store_plugin();
    plugin.check = check_file;
    return &plugin;
}

int main(int argc, char **argv)
{
    struct reason why = {0};
    kit_find();
    bool is_command = strcmp(kit_program_name(), "memberchat") == 0;
    (void)argc;
    if (!is_command)
        kit_keep_errors();
    if (!is_command && cgi_is_request() && !listen_is_inherited()) {
        plugin_set_builtins(builtins);
        if (kit_offer_paths())
            cgi_serve(load_config_path(NULL), load_plugin_folder(NULL));
        return EXIT_SUCCESS;
    }
    kit_exec(is_command ? "memberchat" : "memberchat.fcgi", argv, &why);
    fprintf(stderr, "%s: %s\n", kit_program_name(), why.text);
    return EXIT_FAILURE;
}
