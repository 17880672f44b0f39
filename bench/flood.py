# SPDX-License-Identifier: MIT
"""What it costs to be watched and attacked: rightful requests beside a flood of wrong secrets, an access
log, and the figures that all processes share."""
import base64
import contextlib
import statistics
import subprocess

import cgi_process
import fixtures
import process
import resident

MEMBERS = 1000
FLOOD_CONNECTIONS = 2
ATTACKER = "127.0.0.2"  # by X-Forwarded-For: wrk cannot choose its own address


def wrong_request(mount, number):
    secret = base64.b64encode(f"{fixtures.app_name(0)}:wrong-{number}".encode()).decode()
    good = fixtures.raw_request(mount, fixtures.GUEST_PATH, fixtures.guest_body(number), 0)
    return good.replace(fixtures.authorization(0), f"Basic {secret}").replace(
        "Host: localhost\r\n", f"Host: localhost\r\nX-Forwarded-For: {ATTACKER}\r\n")


# ---- Resident ----

def build_farm(area, programs):
    farm = resident.Farm(area, programs)
    members = area.path("members.csv")
    fixtures.write_csv(members, MEMBERS)
    trusted = 'trusted_proxies = [ "127.0.0.1" ]\n'
    figures = f'status = {{ file = "{area.path("figures")}" }}\n'
    farm.add_memberchat("chat", members, before=trusted + figures)
    farm.add_memberchat("logged", members, before=trusted + (
        f'log = {{ target = "{area.path("log")}"; access = true }}\n'))
    farm.add_memberchat("silent", members, before=trusted)
    farm.start_web_server(list(farm.responders))
    return farm


@contextlib.contextmanager
def flooded(farm, seconds):
    """As fast as FLOOD_CONNECTIONS connections can; its sample is in the list when it is over."""
    path = farm.area.write("wrong.lua", fixtures.lua_table(
        [wrong_request(farm.mount_of("chat"), number) for number in range(fixtures.REQUESTS)]))
    command = [process.find_program("wrk"), "-t1", f"-c{FLOOD_CONNECTIONS}", f"-d{seconds}s", "--latency",
               "-s", farm.programs.source("peers", "load.lua"), f"http://127.0.0.1:{farm.port}/", "--", path]
    found = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield found
        finally:
            found.append(resident.sample_of(running.communicate()[0], 0))


def check_flood(farm):
    """Before anything is timed: is it held off, and nobody else?"""
    wrong = wrong_request(farm.mount_of("chat"), 1)
    seen = {farm.ask(wrong)[0] for _ in range(40)}
    if seen != {401, 429}:
        process.die(f"flood: wrong secrets are answered with {seen}")


def run_flood(farm, quiet, beside, flood, seconds, rounds, say):
    for cell in (quiet, beside):
        resident.check_cell(farm, cell)
        resident.run_wrk(farm, cell, 1)
    check_flood(farm)
    for turn in range(rounds):
        say(f"flood, round {turn + 1} of {rounds}")
        for cell in (quiet, beside) if turn % 2 else (beside, quiet):
            with flooded(farm, seconds) if cell is beside else contextlib.nullcontext() as found:
                cell.samples.append(resident.run_wrk(farm, cell, seconds))
            if cell is beside:
                flood += found


# ---- Figures ----

def measure_figures(area, programs, rounds):
    """Nanoseconds that counting one request takes: one thread, and two at once."""
    command = [programs.peer("figures_rate"), area.path("rate-figures")]
    taken = {"1": [], "2": []}
    for _ in range(rounds):
        for threads, values in taken.items():
            output = subprocess.run([*command, threads], check=True, capture_output=True, text=True).stdout
            values.append(float(output))
    return {threads: statistics.median(values) for threads, values in taken.items()}


def measure_cgi(area, programs, rounds):
    bench = cgi_process.Bench(area, programs)
    members, body = area.path("few.csv"), fixtures.guest_body(1)
    fixtures.write_csv(members, cgi_process.FEW)
    bench.add_memberchat("without", fixtures.GUEST_PATH, members, body)
    bench.add_memberchat("with", fixtures.GUEST_PATH, members, body,
                         before=f'status = {{ file = "{area.path("cgi-figures")}" }}\n')
    for case in bench.cases:
        bench.answer_of(case)
    bench.run(rounds)
    without, with_figures = bench.cases
    return statistics.median(b - a for a, b in zip(without.wall, with_figures.wall))


# ---- All ----

def measure(area, programs, seconds, rounds, say):
    farm = build_farm(area, programs)
    guests = fixtures.guest_requests
    cells = {name: resident.Cell(name, responder, guests(farm.mount_of(responder))) for name, responder in (
        ("no flood", "chat"), ("flood", "chat"), ("access log", "logged"), ("no log", "silent"))}
    flood = []
    run_flood(farm, cells["no flood"], cells["flood"], flood, seconds, rounds, say)
    resident.run_rounds(farm, [cells["no log"], cells["access log"]], seconds, rounds, say)
    say("figures")
    return {"cells": cells, "flood": flood, "figures": measure_figures(area, programs, rounds),
            "cgi": measure_cgi(area, programs, 100 * rounds)}


def data(measured):
    return {name: {what: cell.median(what) for what in ("rate", "cpu", "p50", "p99")}
            for name, cell in measured["cells"].items()} | {
                "figures": measured["figures"], "cgi": measured["cgi"]}


def table(measured):
    lines = ["", f"  {'guests':<20} {'requests/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'CPU us':>8} {'failed':>7}"]
    for cell in measured["cells"].values():
        failed = sum(sample["failed"] for sample in cell.samples)
        lines.append(f"  {cell.name:<20} {cell.median('rate'):>10.0f} {cell.median('p50') / 1000:>8.2f} "
                     f"{cell.median('p99') / 1000:>8.2f} {cell.median('cpu'):>8.1f} {failed:>7}")
    cells = measured["cells"]
    rate = resident.ratio(cells["access log"], cells["no log"], "rate")
    cpu = cells["access log"].median("cpu") - cells["no log"].median("cpu")
    flood = statistics.median(sample["rate"] for sample in measured["flood"])
    return lines + [
        "", f"  The flood: {flood:.0f} wrong secrets a second over {FLOOD_CONNECTIONS} connections.",
        f"  log.access = true costs {cpu:.1f} us of CPU a request, and leaves {rate:.2f} of the throughput.", ""]


def figures(measured, report):
    cells = measured["cells"]
    failed = sum(sample["failed"] for sample in cells["flood"].samples)
    one, two = measured["figures"]["1"], measured["figures"]["2"]
    return [
        report.at_most("p99 of rightful requests: beside a flood / without",
                       resident.ratio(cells["flood"], cells["no flood"], "p99"), 1.2),
        report.at_most("rightful requests that failed in the flood", failed, 0),
        report.at_most("figures of a request, nanoseconds", one, 300, f"two threads at once: {two:.0f} ns"),
        report.at_most("figures in CGI, milliseconds", measured["cgi"] / 1000, 0.05),
    ]
