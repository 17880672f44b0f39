/* SPDX-License-Identifier: MIT
 * memberchat.fcgi: the responder. */
#include "cgi.h"
#include "fastcgi.h"
#include "listen.h"
#include "settings/load.h"
#include "server.h"
#include "upkeep.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define EXIT_USAGE 64   /* sysexits.h */
#define GRACE_MS   6000 /* mod_fcgid kills after 8 seconds */

static const char usage_text[] =
    "usage: memberchat.fcgi [-c FILE] [-L PLUGINDIR] [-s ADDRESS] [-t] [-V]\n"
    "  -c FILE       configuration (else $MEMBERCHAT_CONF, else " DEFAULT_CONFIG ")\n"
    "  -L PLUGINDIR  folder of the store plugins\n"
    "  -s ADDRESS    listen on unix:/path/to/socket or 127.0.0.1:9000\n"
    "  -t            check the configuration and exit\n"
    "  -V            print the version and exit\n"
    "Without -s it must be started by a web server, as FastCGI or as CGI, or by systemd.\n";

struct options {
    const char *config, *plugins, *address;
    bool test, version;
};

static bool parse_options(int argc, char **argv, struct options *options_r)
{
    int option;
    while ((option = getopt(argc, argv, "c:L:s:tV")) != -1) {
        switch (option) {
        case 'c':
            options_r->config = optarg;
            break;
        case 'L':
            options_r->plugins = optarg;
            break;
        case 's':
            options_r->address = optarg;
            break;
        case 't':
            options_r->test = true;
            break;
        case 'V':
            options_r->version = true;
            break;
        default:
            return false;
        }
    }
    return optind == argc;
}

/* ---- Signals ---- */

static volatile sig_atomic_t stop_wanted, reload_wanted;
static struct server *signalled; /* set before the handlers are */

static void on_stop(int number)
{
    (void)number;
    stop_wanted = 1;
    server_wake(signalled);
}

static void on_reload(int number)
{
    (void)number;
    reload_wanted = 1;
    server_wake(signalled);
}

static void block_signals(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

/* Handlers in this thread only: all others were started with signals blocked. */
static void handle_signals(struct server *server, const sigset_t *before)
{
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
    signalled = server;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    action.sa_handler = on_reload;
    sigaction(SIGHUP, &action, NULL);
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

static void ignore_sigpipe(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
}

/* ---- Serving ---- */

/* As many descriptors as the system lets us have. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int serve_until_stopped(struct server *server, struct upkeep *upkeep,
                               struct listener *listener)
{
    while (!stop_wanted) {
        server_poll(server, 500);
        if (reload_wanted) {
            reload_wanted = 0;
            upkeep_reload(upkeep);
        }
    }
    listen_remove_path(listener);
    upkeep_stop(upkeep);
    if (!server_stop(server, GRACE_MS)) {
        log_warning("stopped with requests in hand that did not end in %d s", GRACE_MS / 1000);
        _Exit(EXIT_SUCCESS);
    }
    return EXIT_SUCCESS;
}

static int serve(struct settings *settings, struct listener *listener, const char *config,
                 const char *plugins, const sigset_t *signals)
{
    unsigned threads = (unsigned)settings->top.threads;
    unsigned workers = server_workers(threads); /* and the upkeep thread read settings */
    struct snapshots *snapshots = snapshots_new(settings, workers + 1);
    if (!snapshots || !fastcgi_library_init())
        return EXIT_FAILURE;
    raise_descriptor_limit();
    struct server *server = server_start(listener->fd, threads, snapshots);
    struct upkeep *upkeep = server ? upkeep_start(snapshots, workers, config, plugins) : NULL;
    if (!upkeep)
        return EXIT_FAILURE;
    ignore_sigpipe(); /* again: libfcgi has a handler of its own */
    handle_signals(server, signals);
    log_info("memberchat %s: ready, %u requests at once", PACKAGE_VERSION, threads);

    int status = serve_until_stopped(server, upkeep, listener);
    server_free(server);
    snapshots_free(snapshots);
    log_info("stopped");
    return status;
}

static bool listen_somewhere(const char *address, struct listener *listener_r)
{
    struct bytes why = {0};
    bool good = address ? listen_open(address, listener_r, &why) : listen_inherit(listener_r);
    if (!good)
        log_error("%s", bytes_string(&why));
    bytes_free(&why);
    return good;
}

/* The configuration is good before the socket is taken over from a process that
 * serves well. */
static int load_and_serve(const struct options *options)
{
    const char *config = load_config_path(options->config);
    const char *plugins = load_plugin_folder(options->plugins);
    struct listener listener = {.fd = -1};
    sigset_t before;
    if (!options->address && !listen_is_inherited()) {
        fputs(usage_text, stderr);
        return EXIT_USAGE;
    }
    block_signals(&before); /* one that comes early is looked at when all is ready */
    struct settings *settings = load_resident(config, plugins, NULL);
    if (!settings)
        return EXIT_FAILURE;
    if (!listen_somewhere(options->address, &listener)) {
        settings_free(settings);
        return EXIT_FAILURE;
    }
    int status = serve(settings, &listener, config, plugins, &before);
    listen_remove_path(&listener);
    return status;
}

static int test_config(const struct options *options)
{
    const char *path = load_config_path(options->config);
    struct config_report report = {0};
    struct settings *settings = settings_read(path, load_plugin_folder(options->plugins), NULL, &report);
    bool good = settings != NULL;
    config_report_print(&report, stderr);
    if (good)
        printf("%s: ok\n", path);
    settings_free(settings);
    config_report_free(&report);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    ignore_sigpipe();
    /* As CGI the command line is not looked at: the web server may have made it
     * from the query (RFC 3875, section 4.4). */
    if (cgi_is_request() && !listen_is_inherited()) {
        cgi_serve(load_config_path(NULL), load_plugin_folder(NULL));
        return EXIT_SUCCESS;
    }
    if (!parse_options(argc, argv, &options)) {
        fputs(usage_text, stderr);
        return EXIT_USAGE;
    }
    if (options.version) {
        printf("memberchat %s\n", PACKAGE_VERSION);
        return EXIT_SUCCESS;
    }
    return options.test ? test_config(&options) : load_and_serve(&options);
}
