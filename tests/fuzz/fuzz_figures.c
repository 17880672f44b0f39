/* SPDX-License-Identifier: MIT
 * Figures that somebody else has written over, as they are read: see hostile.h. */
#include "hostile.h"

#include "base/date.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

const char fuzz_corpus[] = "figures";

#define NOW UINT64_C(1764547200) /* Unix time */

/* ---- What may be shown ---- */

static void check_name(const char *name)
{
    must(memchr(name, '\0', FIGURES_NAME_MAX + 1) && text_is_plain(span_of(name)));
}

UNTRACED static void check_recent(const struct figures *figures)
{
    struct figures_past past;
    for (unsigned i = 0; i < FIGURES_RECENT + 2; i++) {
        if (!figures_read_recent(figures, i, &past))
            continue;
        must(i < FIGURES_RECENT && past.time >= 0 && past.time <= DATE_LATEST);
        check_name(past.app);
        check_name(past.code);
        check_name(past.request_id);
        check_name(past.id);
    }
}

static void check_histogram(const struct figures_histogram *histogram)
{
    static const double shares[] = {0, 0.5, 0.99, 1};
    double before = 0;
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        double here = figures_quantile(histogram, shares[i]);
        must(isfinite(here) && here >= before && here <= figures_bounds[FIGURES_BUCKETS - 2]);
        before = here;
    }
}

UNTRACED static void check_hours(const struct figures_app *app, uint64_t hour)
{
    for (unsigned kind = 0; kind < FIGURES_KINDS; kind++)
        for (unsigned i = 0; i < FIGURES_HOURS; i++)
            must(figures_of_hour(app, (enum figures_kind)kind, hour + i) < UINT64_C(1) << 40);
}

/* Each name is that of one place, where it is counted, and what is counted there is sound. */
static void check_table(struct figures *figures, enum figures_table table)
{
    char name[FIGURES_NAME_MAX + 1];
    for (unsigned i = 0; i < figures_places(figures, table); i++)
        if (figures_place_name(figures, table, i, name)) {
            check_name(name);
            must(figures_is_place_of(figures, table, i, span_of(name)));
            must(figures_place_of(figures, table, span_of(name)) == i);
            if (table == FIGURES_OF_STORES)
                check_histogram(&figures->stores[i].counted.durations);
            if (table == FIGURES_OF_APPS)
                check_hours(&figures->apps[i].counted, NOW / 3600);
        }
    must(figures_place_name(figures, table, figures_places(figures, table), name));
    must(strcmp(name, "other") == 0);
}

/* Nobody lives but this process, whatever stands there. */
UNTRACED static void check_processes(const struct figures_view *view)
{
    static struct figures_sum sum;
    unsigned living = 0;
    for (unsigned i = 0; i < FIGURES_PROCESSES; i++)
        living += figures_process_lives(view, i);
    must(living <= 1);
    figures_sum_processes(view, &sum);
    must(living || (!sum.started && !sum.in_flight && !sum.busy && !sum.reloads_failed));
    must(sum.reloads_failed <= living);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct figures_view view = hostile_figures(data, size);
    struct figures *figures = view.figures;
    for (enum figures_table table = FIGURES_OF_ROUTES; table <= FIGURES_OF_APPS; table++)
        check_table(figures, table);
    check_recent(figures);
    check_processes(&view);
    check_histogram(&figures->durations);
    return 0;
}
