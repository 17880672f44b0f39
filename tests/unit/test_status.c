/* SPDX-License-Identifier: MIT
 * What a report says is wrong, and how it looks as lines, JSON and a page. */
#include "api/status.h"

#include "support.h"

#include <errno.h>
#include <string.h>

#define NOW  1795600000
#define HOUR 3600
#define DAY  (24 * HOUR)

static struct settings *settings;

static int start(void **state)
{
    int rc = scratch_start(state);
    settings = settings_from(&(struct config_texts){.top = "status = { file = \"figures\" }"});
    return rc;
}

static int stop(void **state)
{
    settings_free(settings);
    return scratch_stop(state);
}

/* A report of what is well, which a case spoils. */
struct scene {
    struct status_store store;
    struct status_process processes[2];
    struct status_file file;
    struct figures_past recent[8];
    struct status_report report;
};

static struct scene good_scene(void)
{
    return (struct scene){
        .store = {.name = "members", .state = FIGURES_UP, .since = NOW - HOUR, .members = 3},
        .processes =
            {{.pid = 1, .started = NOW - DAY, .threads = 8, .resident = true, .version = "1.0"},
             {.pid = 2, .started = NOW - DAY, .threads = 8, .resident = true, .version = "1.0"}},
        .file = {.owner = "store members",
                 .what = "cert_file",
                 .path = "/a.pem",
                 .changed = NOW - DAY,
                 .expires = NOW + 365 * DAY},
        .report = {
            .now = NOW, .shared = true, .store_count = 1, .process_count = 2, .file_count = 1}};
}

static void find(struct scene *scene)
{
    struct status_report *report = &scene->report;
    report->stores = report->store_count ? &scene->store : NULL;
    report->processes = scene->processes;
    report->files = &scene->file;
    report->recent = scene->recent;
    report->last_finding = &report->findings;
    status_find(settings, report);
}

/* The one thing that is wrong; "": nothing. */
static const char *found(const struct scene *scene)
{
    const struct status_finding *finding = scene->report.findings;
    assert_true(!finding || (!finding->next && *finding->remedy));
    return finding ? finding->what : "";
}

static void expect_everywhere(const struct scene *scene, const char *part)
{
    static void (*const writers[])(const struct status_report *, struct bytes *) = {
        status_write_text, status_write_json, status_write_html};
    for (size_t i = 0; i < COUNT(writers); i++) {
        struct bytes out = {0};
        writers[i](&scene->report, &out);
        expect_contains(bytes_string(&out), part);
        bytes_free(&out);
    }
}

#define EXPECT_FOUND(words)                                                                        \
    do {                                                                                           \
        find(&scene);                                                                              \
        expect_contains(found(&scene), words);                                                     \
        expect_everywhere(&scene, words);                                                          \
        arena_free(&scene.report.arena);                                                           \
        scene = good_scene();                                                                      \
    } while (0)

static void stores(void **state)
{
    struct scene scene = good_scene();
    (void)state;
    find(&scene);
    assert_string_equal(found(&scene), "");
    expect_everywhere(&scene, "members");
    scene.store.state = FIGURES_DOWN;
    scene.store.breaker_since = NOW - HOUR; /* of which the state says enough */
    EXPECT_FOUND("Store members has not answered for 60 minutes");
    scene.store.state = FIGURES_WRONG;
    EXPECT_FOUND("Store members has been misconfigured for 60 minutes");
    scene.store.breaker_since = NOW - HOUR;
    EXPECT_FOUND("Store members keeps failing");
    scene.store.members = 0;
    EXPECT_FOUND("Store members has no member");
    scene.store.members = -1;
    find(&scene);
    assert_string_equal(found(&scene), "");
    scene.report.store_count = 0;
    EXPECT_FOUND("There are no figures");
    scene.report.shared = false;
    EXPECT_FOUND("cannot be used: these figures are of this process only");
}

static void processes(void **state)
{
    struct scene scene = good_scene();
    (void)state;
    scene.processes[1].reload_failed = true;
    EXPECT_FOUND("Process 2 refused the configuration");
    scene.processes[0].busy = 8;
    EXPECT_FOUND("All 8 threads of process 1 are busy");
    strcpy(scene.processes[1].version, "1.1");
    EXPECT_FOUND("Processes of versions 1.0 and 1.1 run side by side");
    scene.report.process_count = 0;
    find(&scene);
    assert_string_equal(found(&scene), "");
    scene.report.gone = scene.processes;
    EXPECT_FOUND("No memberchat runs: process 1, which began 24 hours ago, has ended");
    scene.processes[0].resident = false; /* of one request, which is busy with it */
    scene.processes[0].busy = 8;
    scene.processes[1].threads = 0;
    find(&scene);
    assert_string_equal(found(&scene), "");
}

static void files(void **state)
{
    struct scene scene = good_scene();
    (void)state;
    scene.file.expires = NOW;
    EXPECT_FOUND("(cert_file of store members) expired ");
    scene.file.expires = NOW + DAY;
    EXPECT_FOUND("(cert_file of store members) expires in ");
    scene.file.authority = true;
    scene.file.expires = NOW - DAY;
    find(&scene);
    expect_contains(scene.report.findings->remedy, "Put the authority's present certificate there");
    arena_free(&scene.report.arena);
    scene = good_scene();
    for (int i = 0; i < 3; i++) {
        scene.file.changed = -1;
        scene.file.expires = 0;
        scene.file.error = i == 0 ? ENOENT : i == 1 ? ENOTDIR : EACCES;
        EXPECT_FOUND(i < 2 ? "cannot be found" : "cannot be examined: Permission denied");
    }
}

static void refusals(void **state)
{
    struct scene scene = good_scene();
    (void)state;
    for (size_t i = 0; i < COUNT(scene.recent); i++) {
        strcpy(scene.recent[i].code, "INVALID_APP_CREDENTIALS");
        scene.recent[i].time = NOW - 60;
    }
    scene.report.recent_count = COUNT(scene.recent);
    find(&scene);
    expect_contains(found(&scene), "Of the newest 8 refusals, 8 within ten minutes had a wrong");
    arena_free(&scene.report.arena);
    scene.report.findings = NULL;
    for (size_t i = 0; i < COUNT(scene.recent); i++)
        scene.recent[i].time = NOW - HOUR;
    find(&scene);
    assert_string_equal(found(&scene), "");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {TEST(stores), TEST(processes), TEST(files), TEST(refusals)};
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
