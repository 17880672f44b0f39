/* SPDX-License-Identifier: MIT
 * memberchat.fcgi: the responder. */
#include "base/file.h"
#include "base/text.h"
#include "cgi.h"
#include "dumps.h"
#include "figures/figures.h"
#include "listen.h"
#include "sandbox.h"
#include "server.h"
#include "settings/load.h"
#include "upkeep.h"

#include <fcgiapp.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define EXIT_USAGE      64   /* sysexits.h */
#define GRACE_MS        6000 /* mod_fcgid kills after 8 seconds */
#define LOG_PATIENCE_MS 500

static const char usage_text[] =
    "usage: memberchat.fcgi [-c FILE] [-L PLUGINDIR] [-s ADDRESS] [-t] [-V]\n"
    "  -c FILE       configuration (else $MEMBERCHAT_CONF, else " DEFAULT_CONFIG ")\n"
    "  -L PLUGINDIR  folder of the store plugins\n"
    "  -s ADDRESS    listen on unix:/path/to/socket or 127.0.0.1:9000; behind the path may\n"
    "                stand ,mode=0660 and ,group=www-data\n"
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

/* But for those that a fault of this process raises: blocked, they end it without a handler. */
static void block_signals(sigset_t *before)
{
    static const int faults[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
    sigset_t all;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&all, faults[i]);
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

/* A peer that has gone, and a file that may not grow, are errors like others. */
static void ignore_signals(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
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

static void serve_until_stopped(struct server *server, struct upkeep *upkeep,
                                struct listener *listener)
{
    while (!stop_wanted) {
        server_poll(server, 500);
        upkeep_poll(upkeep);
        listen_look(listener);
        if (reload_wanted) {
            reload_wanted = 0;
            upkeep_reload(upkeep);
        }
    }
    listen_remove_path(listener);
    if (!server_stop(server, GRACE_MS)) {
        log_warning("stopped with requests in hand that did not end in %d s", GRACE_MS / 1000);
        log_flush(LOG_PATIENCE_MS);
        _Exit(EXIT_SUCCESS);
    }
}

/* Serves a socket that is open already.  An own one takes its place last, when nothing can
 * keep this process from serving any more: until then another one may serve well there. */
static bool serve(struct settings *settings, struct listener *listener, const char *config,
                  const char *plugins, const sigset_t *signals)
{
    unsigned threads = (unsigned)settings->top.threads;
    unsigned readers = server_workers(threads); /* of settings; and the upkeep thread */
    struct snapshots *snapshots = snapshots_new(settings, readers + 1);
    struct upkeep *upkeep = snapshots ? upkeep_new(snapshots, readers, config, plugins) : NULL;
    if (!upkeep) {
        log_error("cannot start serving: out of memory");
        return false;
    }
    struct reason why, place;
    figures_use(settings->status.file, FIGURES_RESIDENT);
    if (listener->lasting)
        figures_note_lasting();
    struct server *server = server_start(listener->fd, threads, snapshots);
    if (!server)
        return false;
    upkeep_start(upkeep);
    listen_describe(listener, &place); /* before: libc may not survive it without memory */
    if (!listen_take_place(listener, &why)) {
        log_error("%s", why.text);
        return false;
    }
    handle_signals(server, signals);
    log_info("memberchat %s: ready, %u look-up%s at once, on %s", PACKAGE_VERSION, threads,
             text_plural(threads), place.text);
    serve_until_stopped(server, upkeep, listener);
    upkeep_stop(upkeep);
    server_free(server);
    snapshots_free(snapshots);
    log_info("stopped");
    log_flush(LOG_PATIENCE_MS);
    return true;
}

static bool listen_somewhere(const char *address, struct listener *listener_r)
{
    struct reason why;
    if (!address)
        return listen_inherit(listener_r);
    if (listen_open(address, listener_r, &why))
        return true;
    log_error("%s", why.text);
    return false;
}

/* False: nothing is served outside of a sandbox that there should be. */
static bool enter_sandbox(const struct settings *settings)
{
    struct reason why;
    enum sandbox_result result = settings->top.sandbox ? sandbox_enter(&why) : SANDBOX_ON;
    if (result == SANDBOX_NOT_HERE)
        log_warning("there is no sandbox: %s (sandbox = false in the configuration says that you "
                    "know)",
                    why.text);
    if (result == SANDBOX_FAILED)
        log_error("cannot enter the sandbox: %s", why.text);
    return result != SANDBOX_FAILED;
}

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
    block_signals(&before); /* an early signal stays pending until everything is set up */
    raise_descriptor_limit();
    struct settings *settings = load_resident(config, plugins, NULL);
    bool served = settings && listen_somewhere(options->address, &listener) &&
                  enter_sandbox(settings) && serve(settings, &listener, config, plugins, &before);
    listen_remove_path(&listener);
    if (!served) {
        log_flush(LOG_PATIENCE_MS);
        _Exit(EXIT_FAILURE); /* threads may run that use what would be freed */
    }
    return EXIT_SUCCESS;
}

static int test_config(const struct options *options)
{
    const char *path = load_config_path(options->config);
    struct config_report report = {0};
    log_configure("stderr", LOG_LEVEL_WARNING, LOG_FORMAT_COMMAND);
    struct settings *settings = load_tried(path, load_plugin_folder(options->plugins), &report);
    bool good = settings != NULL;
    config_report_print(&report, stderr);
    if (good)
        printf("%s: ok\n", path);
    settings_free(settings);
    config_report_free(&report);
    return good && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The answer has a descriptor of its own: libraries that print something in their distress (Cyrus
 * SASL does) print it on standard error. */
static bool serve_as_cgi(void)
{
    int answer_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (answer_fd >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        close(STDOUT_FILENO);
    return cgi_serve(load_config_path(NULL), load_plugin_folder(NULL),
                     answer_fd < 0 ? STDOUT_FILENO : answer_fd);
}

int main(int argc, char **argv)
{
    struct options options = {0};
    file_fill_standard();
    bool is_cgi = cgi_is_request() && FCGX_IsCGI() && !listen_is_inherited();
    ignore_signals(); /* behind libfcgi, which sets a handler of its own */
    /* As CGI the command line is ignored: the web server may have made it
     * from the query (RFC 3875, section 4.4). */
    if (is_cgi) {
        bool good = serve_as_cgi();
        log_flush(LOG_PATIENCE_MS);
        /* libraries of stores may ask for memory at exit(), and abort */
        _Exit(good ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    dumps_forbid();
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
