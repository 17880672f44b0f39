/* SPDX-License-Identifier: MIT */
#include "file_fixture.h"

#include "plugins/file/index.h"

#include <fcntl.h>

const struct memberchat_store_plugin *plugin;
struct fake_services fake;
struct fake_result result;
char folder[64], path[128], other[128];
void *settings, *store;
time_t written;

static const char *const wanted[] = {"team", "shoe size", "state"};

int fixture_start(void **state)
{
    (void)state;
    plugin = memberchat_store_plugin();
    fake_services_start(&fake);
    set_wanted(0);
    strcpy(folder, "/tmp/memberchat-store-file-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/members.csv", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    written = time(NULL) - 100000;
    settings = fake_settings_new(plugin);
    *(const char **)fake_settings_at(plugin, settings, "path") = path;
    return 0;
}

int fixture_stop(void **state)
{
    (void)state;
    if (store)
        plugin->close(store);
    store = NULL;
    free(settings);
    fake_services_stop(&fake);
    (void)remove(path);
    (void)remove(other);
    return rmdir(folder);
}

void set_wanted(size_t count)
{
    fake.table.wanted = (struct memberchat_list){wanted, count};
}

void set_text(const char *key, const char *value)
{
    *(const char **)fake_settings_at(plugin, settings, key) = value;
}

void put(const char *to, const char *text)
{
    struct timespec times[2] = {{0, UTIME_OMIT}, {written++, 0}};
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    size_t length = strlen(text);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), length);
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

void replace(const char *text)
{
    put(other, text);
    assert_int_equal(rename(other, path), 0);
}

const char *compile(const char *text)
{
    static char compiled[140];
    static const char *const active[] = {"ACTIVE"};
    struct file_settings csv = {
        .path = other,
        .encoding = "UTF-8",
        .columns = {"appUserId", "appUserName", "appUserProfileImgUrl", "role", "state"},
        .active_values = {active, 1},
        .max_bad = 100};
    const struct table_report report = {&fake.table, MEMBERCHAT_LOG_WARNING};
    struct reason why;
    struct index index;
    bool synced;
    snprintf(compiled, sizeof compiled, "%s/members.cdb", folder);
    put(other, text);
    return index_make(&csv, &report, compiled, &index, &why) && index_place(&index, &synced, &why)
               ? compiled
               : NULL;
}

void remove_compiled(void)
{
    char name[140];
    snprintf(name, sizeof name, "%s/members.cdb", folder);
    unlink(name);
}

bool open_store(uint32_t how)
{
    store = plugin->open(settings, &fake.table, how, fake_result_start(&result));
    return store != NULL;
}

void open_with(const char *text)
{
    put(path, text);
    assert_true(open_store(0));
    fake_services_forget(&fake);
}

void tick(int64_t milliseconds)
{
    fake.clock += milliseconds;
    plugin->reload(store, false);
}

enum memberchat_outcome lookup(const char *id)
{
    return plugin->lookup(store, id, strlen(id), fake.clock + 1000, fake_result_start(&result));
}

void assert_name(const char *id, const char *name)
{
    assert_int_equal(lookup(id), MEMBERCHAT_FOUND);
    assert_string_equal(result.fields[MEMBERCHAT_ID], id);
    assert_string_equal(result.fields[MEMBERCHAT_NAME], name);
}
