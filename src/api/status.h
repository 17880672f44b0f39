/* SPDX-License-Identifier: MIT
 * /status: what is wrong now, and the state of stores, apps and processes.  One report becomes a
 * page, JSON, or lines for the command. */
#ifndef STATUS_H
#define STATUS_H

#include "exchange.h"
#include "figures/read.h"

#define STATUS_HOURS   24
#define STATUS_RECENT  50
#define STATUS_REASONS (FIGURES_CODES + 1)

/* What is wrong, and what to do about it. */
struct status_finding {
    const char *what, *remedy;
    struct status_finding *next;
};

struct status_store {
    const char *name;
    enum figures_state state;
    int64_t since; /* of the state; 0: unknown */
    uint64_t outcomes[FIGURES_OUTCOMES], lookups;
    uint64_t cache[FIGURES_CACHES], entries;
    double median_ms, p99_ms;
    int64_t members;       /* -1: it does not tell */
    int64_t breaker_since; /* 0: closed */
};

struct status_reason {
    const char *code;
    uint64_t count;
};

struct status_app {
    const char *name; /* "": requests whose credentials name no app */
    uint64_t tokens[FIGURES_KINDS], today[FIGURES_KINDS];
    uint64_t hours[STATUS_HOURS][FIGURES_KINDS]; /* the last one is the present hour */
    uint64_t throttled, refused;
    struct status_reason *reasons; /* the most frequent one first */
    size_t reason_count;
};

struct status_process {
    int64_t pid, started, reloaded_at;
    uint64_t threads, busy, in_flight, reloads;
    bool resident, reload_failed;
    char version[sizeof(uint64_t) + 1];
};

/* A key or certificate file. */
struct status_file {
    const char *owner; /* "app demo", "store crm" */
    const char *what;  /* "key 2026-11, ES256"; "ca_file" */
    const char *path;
    int64_t changed; /* -1: not known, ... */
    int error;       /* ... for this reason: an errno; ENOENT: it is not there */
    bool authority;  /* certificates that we trust, not one of our own */
    int64_t expires; /* of certificates; 0: no certificates, or not known */
};

struct status_report {
    int64_t now;
    bool shared; /* the figures are in a file */
    struct status_finding *findings, **last_finding;
    struct status_store *stores;
    struct status_app *apps;
    struct status_process *processes;
    struct status_process *gone; /* it should run, but does not, nor does another; NULL: none */
    struct status_file *files;
    struct figures_past *recent;
    size_t store_count, app_count, process_count, file_count, recent_count;
    bool show_ids;
    struct arena arena; /* all of it */
};

enum outcome status_answer(struct exchange *exchange);

/* ---- status_gather.c ---- */

/* False: no memory.  status_free() in any case. */
bool status_gather(const struct settings *settings, const struct figures_view *view,
                   struct status_report *report_r);
void status_free(struct status_report *report);

/* ---- status_certificate.c ---- */

/* A chain ends with the first of its certificates that expires; a file of authorities is of use
 * until the last one does. */
enum status_expiry { STATUS_FIRST, STATUS_LAST };

/* When the certificates of a PEM file expire.  False: none can be read. */
bool status_read_expiry(const char *path, enum status_expiry which, int64_t *expires_r);

/* The same of one certificate in DER. */
bool status_read_certificate(struct span der, int64_t *expires_r);

/* ---- status_findings.c ---- */

void status_find(const struct settings *settings, struct status_report *report);

/* ---- status_html.c, status_json.c, status_text.c ---- */

void status_write_html(const struct status_report *report, struct bytes *out);
void status_write_json(const struct status_report *report, struct bytes *out);
void status_write_text(const struct status_report *report, struct bytes *out);

/* "3 minutes" */
void status_add_age(struct bytes *out, int64_t seconds);

const char *status_state_name(enum figures_state state);

#endif
