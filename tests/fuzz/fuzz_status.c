/* SPDX-License-Identifier: MIT
 * What is shown of figures that somebody else has written over.  The first byte chooses the form;
 * the rest is as in hostile.h. */
#include "hostile.h"
#include "scene.h"

#include "api/handler.h"
#include "api/status.h"
#include "base/json.h"

#include <string.h>

const char fuzz_corpus[] = "status";

static const struct settings *settings;

/* No mark of a page that is not its own: each tag that opens is closed before the next. */
UNTRACED static void check_page(struct span page)
{
    static const char style_end[] = "</style>";
    const char *style = memmem(page.data, page.length, "<style>", 7);
    const char *end = style ? memmem(style, (size_t)(page.data + page.length - style), style_end,
                                     sizeof style_end - 1)
                            : NULL;
    bool inside = false;
    must(style && end);
    for (const char *at = page.data; at < page.data + page.length; at++) {
        must((unsigned char)*at >= 0x20 || *at == '\n' || *at == '\t');
        if (at > style && at < end)
            continue;
        must(*at != '<' || !inside || at == end);
        must(*at != '>' || inside);
        inside = *at == '<' || (inside && *at != '>');
    }
    must(!memmem(page.data, page.length, "<script", 7) && !memmem(page.data, page.length, "<x", 2));
}

/* Lines "# ..." or "name{...} number", each name of ours. */
UNTRACED static void check_lines(struct span text)
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

/* What a form makes of the figures. */
static void write_form(const struct figures_view *view,
                       void (*write)(const struct status_report *report, struct bytes *out),
                       struct bytes *out)
{
    struct status_report report;
    must(status_gather(settings, view, &report));
    write(&report, out);
    must(!out->failed);
    status_free(&report);
}

static void check_html(const struct figures_view *view)
{
    struct bytes page = {0};
    write_form(view, status_write_html, &page);
    check_page(bytes_span(&page));
    bytes_free(&page);
}

static void check_json(const struct figures_view *view)
{
    struct bytes text = {0};
    struct json_object *report = NULL;
    struct reason why;
    write_form(view, status_write_json, &text);
    must(json_read(bytes_span(&text), JSON_UNIQUE | JSON_DEEP, &report, &why) == JSON_GOOD);
    json_release(report);
    bytes_free(&text);
}

UNTRACED static void check_text(const struct figures_view *view)
{
    struct bytes text = {0};
    write_form(view, status_write_text, &text);
    for (size_t i = 0; i < text.length; i++)
        must((unsigned char)text.data[i] >= 0x20 || text.data[i] == '\n');
    bytes_free(&text);
}

/* Through the whole API, which counts this request, too. */
static void check_metrics(const struct figures_view *view)
{
    struct http_request request = {.method = span_of("GET"),
                                   .uri = span_of("/metrics"),
                                   .remote_addr = span_of("127.0.0.1"),
                                   .deadline = INT64_MAX};
    struct http_response response = {0};
    (void)view;
    must(handler_serve(settings, &request, &response) && response.status == 200);
    check_lines(bytes_span(&response.body));
    http_response_free(&response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const forms[])(const struct figures_view *view) = {check_html, check_json,
                                                                     check_text, check_metrics};
    if (size == 0)
        return 0;
    if (!settings)
        settings =
            scene_settings_with("status = { allow = [ \"127.0.0.1\" ]; show_ids = true; }\n");
    const struct figures_view view = hostile_figures(data + 1, size - 1);
    forms[data[0] % 4](&view);
    return 0;
}
