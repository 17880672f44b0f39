/* SPDX-License-Identifier: MIT */
#include "scene.h"

#include "host/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void remove_folder(void)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(folder);
}

const char *scene_path(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    if (!folder[0]) {
        bool memory = access("/dev/shm", W_OK) == 0;
        snprintf(folder, sizeof folder, "%s/mc-fuzz-XXXXXX", memory ? "/dev/shm" : "/tmp");
        must(mkdtemp(folder));
        atexit(remove_folder);
        log_configure("/dev/null", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    }
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

const char *scene_write(const char *name, struct span content)
{
    const char *path = scene_path(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0);
    must(write(fd, content.data, content.length) == (ssize_t)content.length);
    close(fd);
    return path;
}

const char *scene_plugins(void)
{
    const char *plugins = getenv("FUZZ_PLUGINS");
    return plugins ? plugins : FUZZ_PLUGINS;
}

static const char configuration[] =
    "stores = { members = { plugin = \"file\"; path = \"members.csv\"; } }\n"
    "apps = { demo = {\n"
    "api_key = \"demo-key\"; api_secret = \"" SCENE_SECRET "\";\n"
    "chat_server_url = \"wss://chat.example.com/ws\"; store = \"members\";\n"
    "cors_origins = [ \"https://app.example.com\" ];\n"
    "token = { key_file = \"key\"; key_id = \"k1\"; }\n"
    "} }\n";

struct settings *scene_settings(void)
{
    return scene_settings_with("");
}

struct settings *scene_settings_with(const char *lines)
{
    struct bytes text = {0};
    struct config_report report = {0};
    scene_write("key", span_of(SCENE_KEY));
    scene_write("members.csv", span_of("appUserId,appUserName,appUserProfileImgUrl,role,state\n"
                                       "1,Ann,https://img.example.com/1.jpg,host,ACTIVE\n"
                                       "2,,,,\n"
                                       "3,Cleo,,,GONE\n"));
    bytes_add_string(&text, lines);
    bytes_add_string(&text, configuration);
    const char *path = scene_write("memberchat.conf", bytes_span(&text));
    struct settings *settings = settings_read(path, scene_plugins(), NULL, &report);
    if (!settings || !settings_open(settings, NULL, false, &report))
        config_report_print(&report, stderr);
    must(settings);
    config_report_free(&report);
    bytes_free(&text);
    return settings;
}
