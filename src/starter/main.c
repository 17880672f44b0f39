/* SPDX-License-Identifier: MIT
 * memberchat.cgi: the responder for plain CGI, linked statically, with the stores that need no
 * shared library.  It needs nothing of the host but the kernel, and starts as fast as a program
 * can.  What it cannot do itself, the ordinary responder does in its place. */
#include "host/kit.h"
#include "members/plugin.h"
#include "server/cgi.h"
#include "settings/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

int main(void)
{
    char *const none[] = {NULL};
    struct reason why = {0};
    kit_find();
    kit_keep_errors();
    if (!cgi_is_request())
        kit_exec("memberchat.fcgi", none, &why);
    else if (kit_offer_paths()) {
        plugin_set_builtins(builtins);
        cgi_serve(load_config_path(NULL), load_plugin_folder(NULL), STDOUT_FILENO);
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "memberchat.cgi: %s\n", *why.text ? why.text : "out of memory");
    return EXIT_FAILURE;
}
