# SPDX-License-Identifier: MIT
"""The figures beside their aims, in words."""
import dataclasses

import resident


@dataclasses.dataclass
class Figure:
    """One ratio with its aim; `least`: more is better."""
    name: str
    value: float
    aim: float
    least: bool
    detail: str = ""

    @property
    def passed(self):
        return self.value >= self.aim if self.least else self.value <= self.aim

    def line(self):
        bound = "at least" if self.least else "at most"
        verdict = "PASS" if self.passed else "missed"
        text = f"  {self.name:<58} {self.value:>7.2f}   {bound:<8} {self.aim:>5.2f}   {verdict}"
        return text + (f"   ({self.detail})" if self.detail else "")


def at_least(name, value, aim, detail=""):
    return Figure(name, value, aim, True, detail)


def at_most(name, value, aim, detail=""):
    return Figure(name, value, aim, False, detail)


# ---- Resident ----

CHAT = ("guest", "member of 10^3", "member of 10^6")


def resident_table(cells, responders):
    lines = ["", f"  {'':<20} {'requests/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'CPU us':>8} "
                 f"{'Rss MB':>8} {'Pss MB':>8} {'failed':>7}"]
    for cell in cells.values():
        rss, pss = responders[cell.responder].memory
        failed = sum(sample["failed"] for sample in cell.samples)
        lines.append(f"  {cell.name:<20} {cell.median('rate'):>10.0f} "
                     f"{cell.median('p50') / 1000:>8.2f} {cell.median('p99') / 1000:>8.2f} "
                     f"{cell.median('cpu'):>8.1f} {rss / 1e6:>8.1f} {pss / 1e6:>8.1f} "
                     f"{failed:>7}")
    return lines + [""]


def resident_figures(cells, responders):
    ratio = resident.ratio
    hellos = {name: cells["hello" if name == "guest" else "hello, member"] for name in CHAT}
    figures = []
    for name, hello in hellos.items():
        figures.append(at_least(f"throughput / hello-world's: {name}",
                                ratio(cells[name], hello, "rate"), 0.95))
    for name, hello in hellos.items():
        figures.append(at_most(f"CPU of the responder / hello-world's: {name}",
                               ratio(cells[name], hello, "cpu"), 1.25))
    for name in CHAT:
        php = cells[f"php {name}"]
        figures.append(at_least(f"throughput / php-fpm's: {name}", ratio(cells[name], php, "rate"),
                                1.3))
        figures.append(at_most(f"CPU / php-fpm's: {name}", ratio(cells[name], php, "cpu"), 0.25))
    memory = responders["chat"].memory[1] / responders["php"].memory[1]
    figures.append(at_most("memory (Pss) / php-fpm's: guests and 10^3 members", memory, 0.25))
    return figures


def growth_figures(cells):
    ratio = resident.ratio
    guest = cells["guest"]
    return [
        at_least("throughput of members: 10^6 / 10^3",
                 ratio(cells["member of 10^6"], cells["member of 10^3"], "rate"), 0.97),
        at_least("throughput of guests: 1000 apps / 1",
                 ratio(cells["guest, 1000 apps"], guest, "rate"), 0.97),
        at_least("throughput of guests: 8 threads / 1",
                 ratio(guest, cells["guest, 1 thread"], "rate"), 0.97),
        at_least("throughput of guests: 64 threads / 1",
                 ratio(cells["guest, 64 threads"], cells["guest, 1 thread"], "rate"), 0.97),
        at_least("throughput of guests: 64 threads / 8",
                 ratio(cells["guest, 64 threads"], guest, "rate"), 0.97),
    ]


# ---- CGI ----

def cgi_table(cases):
    lines = ["", f"  {'':<28} {'ms':>8} {'CPU ms':>8} {'runs':>6}"]
    for case in cases.values():
        lines.append(f"  {case.name:<28} {case.median('wall') / 1000:>8.2f} "
                     f"{case.median('cpu') / 1000:>8.2f} {len(case.wall):>6}")
    return lines + [""]


CGI_AIMS = {
    "guest": 1.15, "member of 10, CSV": 1.4, "member of 10^3, CSV": 1.4, "member of 10, cdb": 1.25,
    "member of 10^6, cdb": 1.25, "guest, memberchat.fcgi": 1.9,
    "kit: guest": 1.15, "kit: member of 10^3, CSV": 1.4, "kit: member of 10^6, cdb": 1.25,
}


def cgi_figures(cases):
    hello = cases["hello"].median("wall")
    figures = [at_most(f"whole process / bare C CGI: {name}", cases[name].median("wall") / hello, aim)
               for name, aim in CGI_AIMS.items() if name in cases]
    guest = cases["guest"].median("wall")
    figures += [at_least(f"{name} / whole process: guest", case.median("wall") / guest, 12)
                for name, case in cases.items() if name.startswith("php-cgi")]
    if "member of 10^6, cdb" in cases:
        few, many = cases["member of 10, cdb"], cases["member of 10^6, cdb"]
        figures.append(at_most("whole process, compiled members: 10^6 / 10",
                               many.median("wall") / few.median("wall"), 1.03))
    return figures


# ---- File store ----

def load_figure(name, load):
    return at_most(name, load["ratio"], 1.5,
                   f"{load['store_us'] / 1000:.0f} ms, libcsv {load['csv_us'] / 1000:.0f} ms")


def file_figures(load, quoted, reload):
    return [
        load_figure("load of 10^6 members / libcsv's parsing alone", load),
        load_figure("the same, every field in quotes", quoted),
        at_most("resident after it / bytes of the file", load["resident"] / load["file"], 1.7,
                f"{load['resident'] / 1e6:.0f} MB, file {load['file'] / 1e6:.0f} MB"),
        at_most("requests that failed in reloads under load", reload["failed"], 0,
                f"of {reload['requests']}; {reload['within']} of {reload['reloads']} reloads "
                "ended within the load"),
        at_most("p99 while it reloads / quiet", reload["ratio"], 2,
                f"{reload['reload_p99'] / 1000:.2f} ms, quiet {reload['quiet_p99'] / 1000:.2f} ms"),
    ]


# ---- REST store ----

def rest_table(cells):
    lines = ["", f"  {'':<20} {'requests/s':>10} {'CPU us':>8} {'failed':>7}"]
    for cell in cells.values():
        failed = sum(sample["failed"] for sample in cell.samples)
        lines.append(f"  {cell.name:<20} {cell.median('rate'):>10.0f} {cell.median('cpu'):>8.1f} {failed:>7}")
    return lines + [""]


def rest_figures(cells, cpu, crowd):
    ratio = resident.ratio
    return [
        at_least("service with 4 ms of delay: look-ups / bare libcurl's",
                 ratio(cells["delayed"], cells["bare delayed"], "rate"), 0.95),
        at_least("the same: https / http",
                 ratio(cells["tls-delayed"], cells["delayed"], "rate"), 0.9),
        at_most("no delay: (CPU - file look-up's) / bare libcurl's", cpu, 1.3,
                f"{cells['static'].median('cpu'):.0f} us, {cells['file'].median('cpu'):.0f} us, "
                f"{cells['bare static'].median('cpu'):.0f} us"),
        at_most("the same, the store without a responder: CPU / bare libcurl's",
                ratio(cells["store alone"], cells["bare static"], "cpu"), 1.3),
        at_least("cache on and hot: throughput / file store's",
                 ratio(cells["cached"], cells["file"], "rate"), 0.97),
        at_most("500 clients, 200 ms: time / (500 / connections) x 200 ms",
                crowd["took"] / crowd["ideal"], 1.25, f"{crowd['took']:.2f} s, {crowd['failed']} failed"),
        at_most("the same: sockets at once / connections", crowd["sockets"] / 25, 1),
    ]


# ---- All ----

def section(title, figures, before=()):
    head = f"  {'ratio':<58} {'':>7}   aim"
    return [title, *before, head, *(figure.line() for figure in figures), ""]


def summary(figures):
    missed = [figure for figure in figures if not figure.passed]
    line = f"{len(figures) - len(missed)} aims reached, {len(missed)} missed"
    return line + (": " + "; ".join(figure.name for figure in missed) if missed else "")
