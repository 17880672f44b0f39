/* SPDX-License-Identifier: MIT
 * Figures that somebody else has written over.  An input is patches: where (three bytes, in
 * words), how many words are repeated (one byte), and the word; what is left over is a name that
 * is counted, and a file of figures. */
#include "scene.h"

#include "api/handler.h"
#include "api/status.h"
#include "base/json.h"
#include "figures/read.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char fuzz_corpus[] = "figures";

static const struct settings *settings;

/* ---- Hostile content ---- */

static struct span patch(struct figures *figures, struct span input)
{
    char *memory = (char *)figures;
    const size_t words = FIGURES_SIZE / sizeof(uint64_t);
    while (input.length >= 12 && input.data[0] != '=') {
        const uint8_t *at = (const uint8_t *)input.data;
        size_t where = ((size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2]) % words;
        if (where < 8) /* in the place of this process, which is another each time */
            where = (size_t)((char *)figures_own_process() - memory) / sizeof(uint64_t) + 2 * where;
        for (size_t i = 0; i <= at[3] && where + i < words; i++)
            memcpy(memory + (where + i) * sizeof(uint64_t), at + 4, sizeof(uint64_t));
        input = (struct span){input.data + 12, input.length - 12};
    }
    return input;
}

static void count(struct span name)
{
    char text[FIGURES_NAME_MAX + 40];
    size_t length = name.length < sizeof text - 1 ? name.length : sizeof text - 1;
    memcpy(text, name.data, length);
    text[length] = '\0';
    const struct figures_refusal refusal = {text, text, text, span_of(text)};
    figures_request_begins();
    figures_count_request(text, length % 2 ? 200 : 404, (int64_t)length * 1000);
    figures_count_token(text, FIGURES_MEMBER);
    figures_count_refusal(&refusal);
    figures_count_throttled(text);
    figures_count_lookup(text, FIGURES_FOUND, (int64_t)length);
    figures_count_cache(text, FIGURES_HIT);
    figures_note_store(text, FIGURES_UNAVAILABLE);
    figures_note_breaker(text, length % 2);
    figures_note_cache(text, length);
    figures_note_members(text, length);
    figures_request_ends();
}

/* ---- What is shown of them ---- */

/* No mark of a page that is not its own: each tag that opens is closed before the next. */
static void check_page(struct span page)
{
    bool inside = false, style = false;
    for (size_t i = 0; i < page.length; i++) {
        char c = page.data[i];
        must((unsigned char)c >= 0x20 || c == '\n' || c == '\t');
        if (style) {
            style = page.length - i < 8 || memcmp(page.data + i, "</style>", 8) != 0;
            continue;
        }
        must(c != '<' || !inside);
        must(c != '>' || inside);
        style = c == '<' && page.length - i > 6 && memcmp(page.data + i, "<style", 6) == 0;
        inside = c == '<' || (inside && c != '>');
    }
    must(!memmem(page.data, page.length, "<script", 7) && !memmem(page.data, page.length, "<x", 2));
}

static void check_json(struct span text)
{
    struct json_object *report = NULL;
    struct reason why;
    must(json_read(text, JSON_UNIQUE | JSON_DEEP, &report, &why) == JSON_GOOD);
    json_release(report);
}

/* Lines "# ..." or "name{...} number", each name of ours. */
static void check_metrics(struct span text)
{
    while (text.length) {
        const char *end = memchr(text.data, '\n', text.length);
        must(end);
        struct span line = {text.data, (size_t)(end - text.data)};
        must(line.length > 2 && (*line.data == '#' || memcmp(line.data, "memberchat_", 11) == 0 ||
                                 memcmp(line.data, "process_", 8) == 0));
        text = (struct span){end + 1, text.length - line.length - 1};
    }
}

static void check_report(const struct figures_view *view)
{
    struct status_report report;
    struct bytes page = {0}, json = {0}, text = {0};
    must(status_gather(settings, view, &report));
    status_write_html(&report, &page);
    status_write_json(&report, &json);
    status_write_text(&report, &text);
    must(!page.failed && !json.failed && !text.failed);
    check_page(bytes_span(&page));
    check_json(bytes_span(&json));
    for (size_t i = 0; i < text.length; i++)
        must((unsigned char)text.data[i] >= 0x20 || text.data[i] == '\n');
    status_free(&report);
    bytes_free(&page);
    bytes_free(&json);
    bytes_free(&text);
}

static void check_route(const char *path, void (*check)(struct span body))
{
    struct http_request request = {.method = span_of("GET"),
                                   .uri = span_of(path),
                                   .remote_addr = span_of("127.0.0.1"),
                                   .deadline = INT64_MAX};
    struct http_response response = {0};
    must(handler_serve(settings, &request, &response) && response.status == 200);
    check(bytes_span(&response.body));
    http_response_free(&response);
}

/* ---- A file ---- */

/* It is replaced by a good one, or left alone; and never believed. */
static void check_file(struct span content)
{
    const char *path = scene_write("figures", content);
    struct figures_view view;
    struct reason why;
    struct stat st;
    int fd;
    must(content.length >= FIGURES_SIZE || !figures_view_file(path, &view, &why));
    if (figures_open_file(path, &fd, &why) == FIGURES_OPENED) {
        must(fstat(fd, &st) == 0 && (size_t)st.st_size == FIGURES_SIZE);
        close(fd);
    } else {
        must(*why.text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!settings)
        settings =
            scene_settings_with("status = { allow = [ \"127.0.0.1\" ]; show_ids = true; }\n");
    figures_use(NULL, FIGURES_RESIDENT);
    struct figures *figures = figures_in_use();
    must(figures);
    struct span rest = patch(figures, (struct span){(const char *)data, size});
    count(rest);
    const struct figures_view view = figures_view_own();
    check_report(&view);
    check_route("/metrics", check_metrics);
    check_route("/status", check_page);
    check_route("/status?json", check_json);
    check_file(rest);
    figures_close();
    return 0;
}
