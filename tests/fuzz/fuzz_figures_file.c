/* SPDX-License-Identifier: MIT
 * A file of figures that somebody else has put there: it is replaced by a good one, or left alone,
 * and never believed.  The first byte chooses its size and its mode; the rest is its content. */
#include "scene.h"

#include "figures/read.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char fuzz_corpus[] = "figures_file";

enum { AS_WRITTEN, RIGHT, LONGER, SIZES };

static void make(const char *path, uint8_t how, struct span content)
{
    const char *written = scene_write("figures", content);
    off_t size = (off_t)FIGURES_SIZE + (how % SIZES == LONGER);
    must(strcmp(written, path) == 0);
    must(how % SIZES == AS_WRITTEN || truncate(path, size) == 0);
    must(chmod(path, how & 0x80 ? 0666 : 0640) == 0);
}

/* What another process would see of it; nothing is mapped. */
static bool can_be_read(const char *path)
{
    struct figures_view view;
    struct figures_sum sum;
    struct reason why = {""};
    if (!figures_view_file(path, &view, &why)) {
        must(*why.text);
        return false;
    }
    figures_sum_processes(&view, &sum);
    must(!sum.in_flight && !sum.started); /* no process holds a lock, so none is running */
    figures_view_close(&view);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[256], aside[256];
    struct stat before, after;
    struct reason why = {""};
    int fd;
    if (size == 0)
        return 0;
    snprintf(path, sizeof path, "%s", scene_path("figures"));
    snprintf(aside, sizeof aside, "%s", scene_path("figures.broken"));
    make(path, data[0], (struct span){(const char *)data + 1, size - 1});
    must(stat(path, &before) == 0);
    bool readable = can_be_read(path), usable = figures_try(path, &why);
    must(usable || *why.text);
    bool opened = figures_open_file(path, &fd, &why);
    must(opened == usable);
    if (opened) {
        must(fstat(fd, &after) == 0 && (size_t)after.st_size == FIGURES_SIZE);
        must(!(after.st_mode & 0137) && can_be_read(path));
        must(after.st_ino != before.st_ino || readable);
        must(!(data[0] & 0x80));
        close(fd);
    } else {
        must(*why.text && stat(path, &after) == 0 && after.st_ino == before.st_ino);
    }
    unlink(path);
    unlink(aside);
    return 0;
}
