/* SPDX-License-Identifier: MIT */
#include "route.h"

#include "base/text.h"

#include <string.h>

#define SEGMENTS_MAX 64
#define TAIL_MAX     6

/* A path, split at its slashes.  Empty segments are dropped, as every web server
 * does, but remembered: an empty member id is one of them. */
struct path {
    struct span segments[SEGMENTS_MAX];
    bool after_empty[SEGMENTS_MAX]; /* an empty segment stood before it */
    size_t count;
    bool encoded; /* the segments are percent-encoded */
};

static const struct pattern {
    enum route_kind kind;
    const char *methods;
    size_t count;
    const char *tail[TAIL_MAX]; /* NULL: the member's id */
    const char *mark;           /* what PATH_INFO begins with, where it has it at all */
} patterns[] = {
    {ROUTE_GUEST,
     "POST, OPTIONS",
     5,
     {"v2", "apps", "me", "members", "guest-chat-tokens"},
     "/v2/apps/me/members/"},
    {ROUTE_MEMBER,
     "POST, OPTIONS",
     6,
     {"v2", "apps", "me", "members", NULL, "chat-tokens"},
     "/v2/apps/me/members/"},
    {ROUTE_HEALTHZ, "GET, HEAD", 1, {"healthz"}, "/healthz"},
    {ROUTE_READYZ, "GET, HEAD", 1, {"readyz"}, "/readyz"},
    {ROUTE_JWKS, "GET, HEAD", 2, {".well-known", "jwks.json"}, "/.well-known/jwks.json"},
    {ROUTE_OPENAPI, "GET, HEAD", 1, {"openapi.json"}, "/openapi.json"},
    {ROUTE_METRICS, "GET, HEAD", 1, {"metrics"}, "/metrics"},
    {ROUTE_STATUS, "GET, HEAD", 1, {"status"}, "/status"},
};

/* The byte at *at, decoded (RFC 3986, section 2.1); -1 for a broken escape. */
static int next_byte(struct span text, size_t *at, bool encoded)
{
    char c = text.data[(*at)++];
    if (c != '%' || !encoded)
        return (unsigned char)c;
    int high = *at < text.length ? text_hex_digit(text.data[*at]) : -1;
    int low = *at + 1 < text.length ? text_hex_digit(text.data[*at + 1]) : -1;
    *at += 2;
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Whether the segment, decoded, is this text. */
static bool segment_is(const struct path *path, size_t index, const char *text)
{
    struct span segment = path->segments[index];
    size_t at = 0;
    while (at < segment.length && *text)
        if (next_byte(segment, &at, path->encoded) != (unsigned char)*text++)
            return false;
    return at == segment.length && !*text;
}

static bool well_formed(const struct path *path, size_t index)
{
    struct span segment = path->segments[index];
    size_t at = 0;
    while (at < segment.length)
        if (next_byte(segment, &at, path->encoded) < 0)
            return false;
    return !segment_is(path, index, ".") && !segment_is(path, index, "..");
}

/* False for a trailing slash, too many segments, dots and broken escapes. */
static bool split(struct span text, struct path *path_r)
{
    size_t at = 0;
    while (at < text.length) {
        size_t slashes = 0;
        while (at < text.length && text.data[at] == '/') {
            at++;
            slashes++;
        }
        const char *slash = memchr(text.data + at, '/', text.length - at);
        size_t length = slash ? (size_t)(slash - text.data) - at : text.length - at;
        if (length == 0 || path_r->count == SEGMENTS_MAX)
            return false;
        path_r->segments[path_r->count] = (struct span){text.data + at, length};
        path_r->after_empty[path_r->count] = slashes > 1;
        if (!well_formed(path_r, path_r->count++))
            return false;
        at += length;
    }
    return path_r->count > 0;
}

/* The path of a request target (RFC 9112, section 3.2): origin form, or absolute
 * form, which Apache hands on as it came. */
static struct span target_path(struct span target)
{
    if (target.data[0] != '/') {
        const char *authority = memmem(target.data, target.length, "://", 3);
        if (!authority)
            return SPAN_NONE;
        size_t skip = (size_t)(authority - target.data) + 3;
        while (skip < target.length && !memchr("/?#", target.data[skip], 3))
            skip++;
        target = (struct span){target.data + skip, target.length - skip};
    }
    size_t end = 0;
    while (end < target.length && target.data[end] != '?' && target.data[end] != '#')
        end++;
    return (struct span){target.data, end};
}

/* Takes the id; with one that is too long, it is still a member's route. */
static void take_id(const struct path *path, size_t index, struct route *route)
{
    struct span segment = path->segments[index];
    size_t at = 0;
    while (at < segment.length && !route->id_too_long) {
        int byte = next_byte(segment, &at, path->encoded);
        if (route->id_length == sizeof route->id)
            route->id_too_long = true;
        else
            route->id[route->id_length++] = (char)byte;
    }
}

/* Matches the tail of the path; returns how many segments are before it, or -1. */
static int match_tail(const struct path *path, const struct pattern *pattern, struct route *route)
{
    size_t last = pattern->count - 1;
    bool empty_id = pattern->kind == ROUTE_MEMBER && path->count > 1 &&
                    path->after_empty[path->count - 1] &&
                    segment_is(path, path->count - 2, "members");
    size_t taken = empty_id ? pattern->count - 1 : pattern->count;
    if (path->count < taken)
        return -1;
    size_t before = path->count - taken;
    for (size_t i = 0; i < last; i++)
        if (pattern->tail[i] && !segment_is(path, before + i, pattern->tail[i]))
            return -1;
    if (!segment_is(path, path->count - 1, pattern->tail[last]))
        return -1;
    route->kind = pattern->kind;
    route->methods = pattern->methods;
    if (pattern->kind == ROUTE_MEMBER && !empty_id)
        take_id(path, before + last - 1, route);
    return (int)before;
}

/* Whether the first `count` segments, decoded, are the base path ("" and "/" are
 * the root; the slash in front may be left out). */
static bool mount_is(const struct path *path, size_t count, struct span base)
{
    size_t at = 0;
    if (base.length && base.data[base.length - 1] == '/')
        base.length--;
    for (size_t i = 0; i < count; i++) {
        if ((i > 0 || (base.length && *base.data == '/')) &&
            (at == base.length || base.data[at++] != '/'))
            return false;
        for (size_t s = 0; s < path->segments[i].length;)
            if (at == base.length ||
                next_byte(path->segments[i], &s, path->encoded) != (unsigned char)base.data[at++])
                return false;
    }
    return at == base.length;
}

/* Routes outside the API do not exist below the API's own paths. */
static bool inside_api(const struct path *path, size_t count)
{
    for (size_t i = 0; i + 2 < count; i++)
        if (segment_is(path, i, "v2") && segment_is(path, i + 1, "apps") &&
            segment_is(path, i + 2, "me"))
            return true;
    return false;
}

/* Without a configured mount, the web server's PATH_INFO tells a path that is
 * deeper than the mount, where it has the route's mark at all. */
static bool deeper_than_mount(struct span path_info, const char *mark)
{
    const char *found =
        path_info.length ? memmem(path_info.data, path_info.length, mark, strlen(mark)) : NULL;
    return found && found != path_info.data;
}

static bool mount_fits(const struct http_request *request, const struct path *path,
                       const struct pattern *pattern, size_t before, struct span base_path)
{
    if (pattern->count <= 2 && inside_api(path, before))
        return false;
    if (base_path.data)
        return mount_is(path, before, base_path);
    return !path->encoded || !deeper_than_mount(request->path_info, pattern->mark);
}

static struct route match(const struct http_request *request, const struct path *path,
                          struct span base_path)
{
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct route route = {0};
        int before = match_tail(path, &patterns[i], &route);
        if (before >= 0)
            return mount_fits(request, path, &patterns[i], (size_t)before, base_path)
                       ? route
                       : (struct route){.elsewhere = base_path.data != NULL};
    }
    return (struct route){0};
}

struct route route_find(const struct http_request *request, struct span base_path)
{
    struct path path = {.count = 0};
    struct route none = {0};
    char joined[4096];
    if (request->uri.length) {
        path.encoded = true;
        return split(target_path(request->uri), &path) ? match(request, &path, base_path) : none;
    }
    /* a host that sends no REQUEST_URI: use the decoded variables instead */
    struct span info = request->path_info, script = request->script_name;
    if (info.length >= 4 && memcmp(info.data, "/v2/", 4) == 0)
        script = SPAN_NONE;
    if (script.length + info.length > sizeof joined)
        return none;
    if (script.length)
        memcpy(joined, script.data, script.length);
    if (info.length)
        memcpy(joined + script.length, info.data, info.length);
    struct span text = {joined, script.length + info.length};
    return split(text, &path) ? match(request, &path, SPAN_NONE) : none;
}

const char *route_name(enum route_kind kind)
{
    static const char *const names[] = {
        [ROUTE_NONE] = "none",       [ROUTE_GUEST] = "guest",     [ROUTE_MEMBER] = "member",
        [ROUTE_HEALTHZ] = "healthz", [ROUTE_READYZ] = "readyz",   [ROUTE_JWKS] = "jwks",
        [ROUTE_OPENAPI] = "openapi", [ROUTE_METRICS] = "metrics", [ROUTE_STATUS] = "status",
    };
    return names[kind];
}

bool route_allows(const struct route *route, struct span method)
{
    const char *rest = route->methods;
    while (*rest) {
        size_t length = strcspn(rest, ",");
        if (span_equal((struct span){rest, length}, method))
            return true;
        rest += length;
        rest += strspn(rest, ", ");
    }
    return false;
}
