/* SPDX-License-Identifier: MIT
 * memberchat.cgi: the responder for plain CGI, linked statically, with the stores that need no
 * shared library.  It needs nothing of the host but the kernel, and starts as fast as a program
 * can.  What it cannot do itself, the ordinary responder does in its place. */
#include "absent.h"

#include "base/file.h"
#include "host/kit.h"
#include "members/plugin.h"
#include "plugins/sql/settings.h"
#include "server/cgi.h"
#include "settings/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The ordinary program in place of this one, with the whole request; returns when it cannot be
 * started. */
static void hand_over(void)
{
    char *const none[] = {NULL};
    struct reason why = {"the body cannot be handed over"};
    if (cgi_unread())
        kit_exec("memberchat.fcgi", none, &why);
    fprintf(stderr, "memberchat.cgi: %s\n", why.text);
}

/* ---- The stores that are linked in ---- */

/* A file in an encoding that takes a converter of the C library is read by the ordinary program;
 * so is whatever else is wrong with the store's settings: it says what. */
static bool check_file(const void *settings, const struct memberchat_services *services,
                       struct memberchat_result *result)
{
    if (memberchat_store_plugin()->check(settings, services, result))
        return true;
    hand_over();
    return false;
}

static const struct memberchat_store_plugin *file_store(void)
{
    static struct memberchat_store_plugin plugin;
    plugin = *memberchat_store_plugin();
    plugin.check = check_file;
    return &plugin;
}

#ifdef HAVE_STATIC_MYSQL
const struct memberchat_store_plugin *store_mysql(void);

/* Servers over a network take TLS and names. */
static bool check_mysql(const void *settings, const struct memberchat_services *services,
                        struct memberchat_result *result)
{
    if (((const struct sql_settings *)settings)->hosts.count)
        hand_over();
    return store_mysql()->check(settings, services, result);
}

static const struct memberchat_store_plugin *mysql_store(void)
{
    static struct memberchat_store_plugin plugin;
    plugin = *store_mysql();
    plugin.check = check_mysql;
    return &plugin;
}
#endif

#ifdef HAVE_STATIC_SQLITE
const struct memberchat_store_plugin *store_sqlite(void);
#endif

static const struct plugin_builtin builtins[] = {{"file", file_store},
#ifdef HAVE_STATIC_MYSQL
                                                 {"mysql", mysql_store},
#endif
#ifdef HAVE_STATIC_SQLITE
                                                 {"sqlite", store_sqlite},
#endif
                                                 {NULL, NULL}};

int main(void)
{
    char *const none[] = {NULL};
    struct reason why = {0};
    file_fill_standard();
    kit_find();
    kit_keep_errors();
    if (!cgi_is_request())
        kit_exec("memberchat.fcgi", none, &why);
    else if (kit_offer_paths()) {
        absent_hand_over = hand_over;
        plugin_set_builtins(builtins);
        cgi_serve(load_config_path(NULL), load_plugin_folder(NULL), STDOUT_FILENO);
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "memberchat.cgi: %s\n", *why.text ? why.text : "out of memory");
    return EXIT_FAILURE;
}
