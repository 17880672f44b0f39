/* SPDX-License-Identifier: MIT
 * Configurations that are read, and what is reported of them. */
#include "settings_fixture.h"

struct config_report report;

int settings_start(void **state)
{
    report = (struct config_report){0};
    int rc = scratch_start(state);
    scratch_write_basics();
    return rc;
}

int settings_stop(void **state)
{
    config_report_free(&report);
    return scratch_stop(state);
}

struct settings *load_text(const char *text)
{
    config_report_free(&report);
    report = (struct config_report){0};
    return settings_read(scratch_write("memberchat.conf", span_of(text)), plugins, NULL, &report);
}

struct settings *load(const struct config_texts *texts)
{
    return load_text(config_text(texts));
}

const char *told(void)
{
    return bytes_string(&report.text);
}

void check_mistakes(const struct mistake *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_null(load(&rows[i].texts));
        expect(report.errors == 1, "row %zu: %u errors:\n%s", i, report.errors, told());
        expect_contains(told(), rows[i].told);
        expect_contains(told(), scratch_path("memberchat.conf:"));
        expect_lacks(told(), "demo-secret-demo");
        expect_lacks(told(), "q7Zt2VbX");
        expect_lacks(told(), "c16ef9dc1eb3");
    }
}
