# SPDX-License-Identifier: MIT
"""make bench: memberchat beside its peers, in one run.

Everything takes turns: a round measures each candidate once, and what is printed are medians
over the rounds.  Ratios of loads are medians of the rounds' ratios, so that a machine that is
slower for a while is so for both.

BENCH_SECONDS (3) is the length of one load, BENCH_ROUNDS (5) how many rounds there are,
BENCH_ONLY a choice of: resident file cgi ldap token rest sql flood.
"""
import argparse
import dataclasses
import json
import os
import platform
import sys
import time

import cgi_process
import chart
import filestore
import fixtures
import flood
import ldap_store
import process
import report
import resident
import rest
import sql
import tokens

PARTS = ("resident", "file", "cgi", "ldap", "token", "rest", "sql", "flood")


@dataclasses.dataclass
class Programs:
    """Where things are; the build may be outside of the source."""
    build: str
    here: str = os.path.dirname(os.path.abspath(__file__))

    def __post_init__(self):
        self.responder = os.path.join(self.build, "src", "memberchat.fcgi")
        self.cgi = os.path.join(self.build, "src", "memberchat.cgi")
        self.command = os.path.join(self.build, "src", "memberchat")
        self.plugins = os.path.join(self.build, ".libs")

    def peer(self, name):
        return os.path.join(self.build, "bench", "peers", name)

    def source(self, *names):
        return os.path.join(self.here, *names)


def say(message):
    print(f"  ... {message}", file=sys.stderr, flush=True)


def number_from(name, default):
    text = os.environ.get(name) or str(default)
    if not text.isdigit() or int(text) < 1:
        process.die(f"{name}={text}: expected a number of 1 or more")
    return int(text)


def parts_wanted():
    parts = (os.environ.get("BENCH_ONLY") or " ".join(PARTS)).split()
    for part in parts:
        if part not in PARTS:
            process.die(f"BENCH_ONLY={part}: there are: {' '.join(PARTS)}")
    return parts


# What each part runs; php-fpm and php-cgi want both modules.
NEEDS = {
    "resident": ("lighttpd", "wrk", "php-fpm", "php opcache", "php sqlite"),
    "file": ("lighttpd", "wrk", "php-fpm", "php opcache", "php sqlite"),
    "cgi": ("php-cgi", "php opcache", "php sqlite"),
    "ldap": ("lighttpd", "wrk", "slapadd"),
    "token": ("openssl",),
    "rest": ("lighttpd", "wrk", "nginx", "openssl"),
    "sql": ("lighttpd", "wrk", "mariadbd", "php-fpm", "php opcache", "php sqlite", "php mysqli"),
    "flood": ("lighttpd", "wrk"),
}


def need_all(parts):
    """Names everything that is missing before anything has taken time."""
    wanted = sorted({name for part in parts for name in NEEDS[part]})
    missing = [name for name in wanted if not process.is_there(name)]
    if missing:
        packages = sorted({process.PACKAGES[name] for name in missing})
        process.die(f"missing: {', '.join(missing)} (Debian: apt-get install {' '.join(packages)})")


class Results:
    def __init__(self):
        self.lines, self.figures, self.data = [], [], {}

    def add(self, title, figures, before=()):
        self.figures += figures
        self.lines += report.section(title, figures, before)

    def head(self, seconds, rounds):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = [line.partition(":")[2].strip() for line in file
                     if line.startswith("model name")]
        self.lines += [
            f"memberchat beside its peers: {rounds} alternating rounds of {seconds} s, medians",
            f"  {os.cpu_count()} x {model[0] if model else platform.machine()}, "
            f"Linux {platform.release()}; load before: {os.getloadavg()[0]:.2f}",
            f"  wrk with {resident.CONNECTIONS} connections -> lighttpd (one process) -> "
            "unix sockets, all on this machine", ""]


def run_resident(results, programs, seconds, rounds, parts):
    with process.Area() as area:
        farm, cells = resident.build_farm(area, programs, say)
        if "resident" in parts:
            resident.run_rounds(farm, list(cells.values()), seconds, rounds, say)
            add_resident(results, farm, cells)
        if "file" in parts:
            fixtures.quote_csv(area.path("many.csv"), area.path("quoted.csv"))
            load = filestore.measure_load(programs, area.path("many.csv"), rounds, say)
            quoted = filestore.measure_load(programs, area.path("quoted.csv"), rounds, say)
            reload = filestore.measure_reload(farm, cells, seconds, rounds, say)
            results.data["file"] = {"load": load, "quoted": quoted, "reload": reload}
            results.add("File store, a million members in CSV",
                        report.file_figures(load, quoted, reload))


def add_resident(results, farm, cells):
    results.add("Resident (FastCGI): hello and memberchat with 8 threads where nothing else is "
                f"said, php-fpm with {resident.PHP_WORKERS} workers",
                report.resident_figures(cells, farm.responders),
                report.resident_table(cells, farm.responders))
    results.lines.insert(-1, "  hello: accepts by itself as memberchat does, and gets the same "
                             "requests; hello, library: in FCGX_Accept_r().")
    results.lines.insert(-1, "  PHP: members of 10^3 from an array "
                             "that opcache keeps, of 10^6 from SQLite over a persistent "
                             "connection.  CPU: of the responder, a request.")
    results.add("Growth", report.growth_figures(cells))
    results.data["resident"] = {
        name: {"rate": cell.median("rate"), "cpu": cell.median("cpu"), "p99": cell.median("p99"),
               "pss": farm.responders[cell.responder].memory[1]} for name, cell in cells.items()}


def run_cgi(results, programs, rounds):
    with process.Area() as area:
        cases = cgi_process.measure(area, programs, rounds, say)
    results.data["cgi"] = {name: case.median("wall") for name, case in cases.items()}
    notes = [] if "member of 10^6, cdb" in cases else [
        "  (no compiled members: this memberchat has no `memberchat index`)"]
    results.add("CGI: a process a request, from fork to exit",
                report.cgi_figures(cases), report.cgi_table(cases) + notes)


def run_tokens(results, programs, rounds):
    rates, ratios, theirs = tokens.measure(programs, rounds, say)
    results.data["token"] = rates
    results.add("Tokens: the library, one core", tokens.figures(rates, ratios),
                tokens.table(rates, theirs))


def run_ldap(results, programs, seconds, rounds):
    with process.Area() as area:
        measured = ldap_store.measure(area, programs, seconds, rounds, say)
    results.data["ldap"] = {name: {"rate": cell.median("rate"), "cpu": cell.median("cpu")}
                            for name, cell in measured["cells"].items()}
    results.add(f"LDAP store, {ldap_store.THREADS} threads; bare: libldap in a loop, nothing else",
                ldap_store.figures(measured, report), ldap_store.table(measured))


def run_rest(results, programs, seconds, rounds):
    with process.Area() as area:
        cells, crowd = rest.measure(area, programs, seconds, rounds, say)
    results.data["rest"] = {name: {"rate": cell.median("rate"), "cpu": cell.median("cpu")}
                            for name, cell in cells.items()} | {"crowd": crowd}
    results.add(f"REST store, {rest.THREADS} threads; bare: libcurl in a loop, nothing else",
                report.rest_figures(cells, rest.cpu_ratio(cells), crowd), report.rest_table(cells))


def run_sql(results, programs, seconds, rounds):
    cells, cgi = sql.measure(programs, seconds, rounds, say)
    results.data["sql"] = {name: {"rate": cell.median("rate"), "cpu": cell.median("cpu")}
                           for name, cell in cells.items()}
    results.data["sql-cgi"] = {name: case.median("wall") for name, case in cgi.items()}
    results.add(f"SQL stores, {sql.THREADS} threads; bare: libmariadb in a loop, nothing else; php: php-fpm with mysqli",
                sql.figures(cells, cgi, report), sql.table(cells, cgi, report))


def run_flood(results, programs, seconds, rounds):
    with process.Area() as area:
        measured = flood.measure(area, programs, seconds, rounds, say)
    results.data["flood"] = flood.data(measured)
    results.add("Operating: a flood of wrong secrets, the access log, the figures",
                flood.figures(measured, report), flood.table(measured))


def write_results(results, folder, took):
    os.makedirs(folder, exist_ok=True)
    results.lines += [report.summary(results.figures), f"({took:.0f} s)"]
    results.data["figures"] = [dataclasses.asdict(figure) for figure in results.figures]
    with open(os.path.join(folder, "results.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(results.lines) + "\n")
    with open(os.path.join(folder, "results.json"), "w", encoding="utf-8") as file:
        json.dump(results.data, file, indent=1)
    if all(part in results.data for part in ("resident", "cgi")):
        with open(os.path.join(folder, "results.svg"), "w", encoding="utf-8") as file:
            file.write(chart.draw(results.data))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build", help="the folder where memberchat was built")
    programs = Programs(os.path.abspath(parser.parse_args().build))
    seconds, rounds = number_from("BENCH_SECONDS", 3), number_from("BENCH_ROUNDS", 5)
    parts, results, began = parts_wanted(), Results(), time.monotonic()
    need_all(parts)
    results.head(seconds, rounds)
    if "resident" in parts or "file" in parts:
        run_resident(results, programs, seconds, rounds, parts)
    if "cgi" in parts:
        run_cgi(results, programs, 60 * rounds)
    if "ldap" in parts:
        run_ldap(results, programs, seconds, rounds)
    if "rest" in parts and rest.is_built(programs):
        run_rest(results, programs, seconds, rounds)
    if "sql" in parts and sql.is_built(programs):
        run_sql(results, programs, seconds, rounds)
    if "flood" in parts:
        run_flood(results, programs, seconds, rounds)
    if "token" in parts:
        run_tokens(results, programs, rounds)
    write_results(results, os.path.join(programs.build, "bench"), time.monotonic() - began)
    print("\n".join(results.lines))


if __name__ == "__main__":
    main()
