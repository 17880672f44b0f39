# SPDX-License-Identifier: MIT
"""The LDAP store beside a bare libldap program, on a slapd of ours: near, far, remembered, dead."""
import os
import socket
import statistics
import subprocess
import time

import cgi_process
import fixtures
import process
import resident

THREADS = 16
MEMBERS = 10000
CROWD = 1000
DELAY_MS = 4
BASE = "ou=people,dc=example,dc=com"
DN, PASSWORD = "cn=admin,dc=example,dc=com", "admin-password"

SLAPD_CONFIG = """modulepath /usr/lib/ldap
moduleload back_mdb
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {folder}/slapd.pid
database mdb
suffix "dc=example,dc=com"
directory {folder}/data
rootdn "{dn}"
rootpw {password}
maxsize 1073741824
dbnosync
index objectClass,uid eq
"""

CACHE_OFF = "cache = { size = 0 }"
CACHE_HOT = 'cache = { ttl = "1h" }'
CACHE_STALE = 'cache = { ttl = "2s"; stale = "1h" }'


def ldif():
    yield "dn: dc=example,dc=com\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: x\n\n"
    yield f"dn: {BASE}\nobjectClass: organizationalUnit\nou: people\n\n"
    for number in range(MEMBERS):
        uid, name, *_ = fixtures.member(number)
        yield (f"dn: uid={uid},{BASE}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {name}\nsn: x\n"
               f"displayName: {name}\n\n")


class Directory:
    """A slapd with the members, and a proxy in front of it that is far away."""

    def __init__(self, area, programs, name="slapd", log="0"):
        self.area, self.programs = area, programs
        folder = area.make_folder(name)
        os.mkdir(os.path.join(folder, "data"))
        config = area.write(f"{name}/slapd.conf", SLAPD_CONFIG.format(
            folder=folder, dn=DN, password=PASSWORD))
        people = area.write(f"{name}/people.ldif", "".join(ldif()))
        slapadd = process.find_program("slapadd")
        subprocess.run([slapadd, "-q", "-f", config, "-l", people], check=True, capture_output=True)
        self.port = process.free_port()
        self.log = area.path(f"{name}.log")
        self.server = area.start(name, [process.find_program("slapd"), "-h", self.uri, "-f", config,
                                        "-d", log], ("127.0.0.1", self.port))

    @property
    def uri(self):
        return f"ldap://127.0.0.1:{self.port}"

    def far_uri(self):
        port = process.free_port()
        self.area.start("proxy", [self.programs.peer("delay_proxy"), str(port), "127.0.0.1",
                                  str(self.port), str(DELAY_MS)], ("127.0.0.1", port))
        return f"ldap://127.0.0.1:{port}"

    def searches(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read().count(" SRCH base=")


def configuration(uri, cache):
    return f'''threads = {THREADS}
stores = {{
    members = {{
        plugin = "ldap"; uri = "{uri}"; base = "{BASE}"
        bind_dn = "{DN}"; bind_password = "{PASSWORD}"
        {cache}; breaker = {{ failures = {0 if cache == CACHE_OFF else 5} }}
    }}
}}
apps = {{
{fixtures.app_block(0)}}}
'''


def add_responder(farm, name, uri, cache):
    path = farm.area.path(f"{name}.sock")
    config = farm.area.write(f"{name}.conf", configuration(uri, cache))
    farm.add(name, [farm.programs.responder, "-c", config, "-L", farm.programs.plugins,
                    "-s", f"unix:{path}"], path)


def members_of(mount, count=fixtures.REQUESTS):
    step = MEMBERS // count
    return [fixtures.raw_request(mount, fixtures.member_path(n * step), "", 0) for n in range(count)]


# ---- The bare program ----

def bare_environment(uri, seconds, handles=THREADS):
    step = MEMBERS // fixtures.REQUESTS
    uids = " ".join(fixtures.member_id(n * step) for n in range(fixtures.REQUESTS if seconds else 1))
    return {"LDAP_URI": uri, "LDAP_DN": DN, "LDAP_PASSWORD": PASSWORD, "LDAP_BASE": BASE,
            "LDAP_HANDLES": str(handles), "LDAP_SECONDS": str(seconds), "LDAP_MEMBERS": uids,
            "LDAPNOINIT": "1"}


def run_bare(programs, uri, seconds):
    done = subprocess.run([programs.peer("ldap_loop")], env=bare_environment(uri, seconds),
                          capture_output=True, text=True, check=True)
    count, took, cpu = map(int, done.stdout.split())
    return {"rate": count / (took / 1e6), "cpu": cpu / count}


# ---- Near, far, remembered ----

def build(area, programs, say):
    say(f"making a directory of {MEMBERS} members")
    directory = Directory(area, programs)
    far = directory.far_uri()
    farm = resident.Farm(area, programs)
    members = area.path("members.csv")
    fixtures.write_csv(members, MEMBERS)
    farm.add_memberchat("file", members, threads=THREADS)
    add_responder(farm, "near", directory.uri, CACHE_OFF)
    add_responder(farm, "far", far, CACHE_OFF)
    add_responder(farm, "hot", directory.uri, CACHE_HOT)
    add_responder(farm, "stale", directory.uri, CACHE_STALE)
    return farm, directory, far


def make_cells(farm):
    return {name: resident.Cell(name, name, members_of(farm.mount_of(name)))
            for name in ("file", "hot", "near", "far")}


def run_rounds(farm, cells, directory, far, seconds, rounds, say):
    bare = {"near": [], "far": []}
    uris = {"near": directory.uri, "far": far}
    for cell in cells.values():
        resident.check_cell(farm, cell)
        resident.run_wrk(farm, cell, 1)
    for turn in range(rounds):
        say(f"round {turn + 1} of {rounds}: {len(cells) + 2} loads of {seconds} s")
        for cell in cells.values(): # what is compared comes one after the other
            cell.samples.append(resident.run_wrk(farm, cell, seconds))
            if cell.name in bare:
                bare[cell.name].append(run_bare(farm.programs, uris[cell.name], seconds))
    return bare


# ---- Dead and frozen ----

def ask_all(farm, requests):
    """All at once, each on a connection of its own; how many answers of each status."""
    sockets = []
    for request in requests:
        client = socket.create_connection(("127.0.0.1", farm.port))
        client.sendall(request[:-2].encode())
        sockets.append(client)
    for client in sockets:
        client.sendall(b"\r\n")
    counts = {}
    for client in sockets:
        status = client.recv(65536).split(b" ")[1:2]
        client.close()
        counts[status[0].decode() if status else "none"] = \
            counts.get(status[0].decode() if status else "none", 0) + 1
    return counts


def measure_crowd(farm, directory):
    """A crowd for one unknown id; how many searches that were, and the answers."""
    before = directory.searches()
    request = fixtures.raw_request(farm.mount_of("crowd"), "/v2/apps/me/members/nobody/chat-tokens", "", 0)
    answers = ask_all(farm, [request] * CROWD)
    time.sleep(0.3)
    return directory.searches() - before, answers


def measure_stale(farm, directory, seconds, rounds):
    """Everybody known, the directory killed, and the time to live over: the rates beside those of
    the hot cache, and how many requests failed."""
    everybody = members_of(farm.mount_of("stale"), MEMBERS)
    stale = resident.Cell("stale", "stale", everybody)
    hot = resident.Cell("hot all", "hot", members_of(farm.mount_of("hot"), MEMBERS))
    for request in everybody + hot.requests:
        status, _, _ = farm.ask(request)
        if status != 200:
            process.die(f"a member was answered with {status}")
    directory.server.kill()
    directory.server.wait()
    time.sleep(2.5)
    for _ in range(rounds):
        for cell in (hot, stale):
            cell.samples.append(resident.run_wrk(farm, cell, seconds))
    return resident.ratio(stale, hot, "rate"), sum(sample["failed"] for sample in stale.samples)


def measure_frozen(farm, directory, seconds, rounds):
    """Guests alone, and beside look-ups that hang."""
    guests = resident.Cell("guests", "near", fixtures.guest_requests(farm.mount_of("near")))
    beside = resident.Cell("guests beside", "near", guests.requests)
    lua = farm.area.path("near.lua")
    command = [process.find_program("wrk"), "-t1", f"-c{2 * THREADS}", "-d600s", "--timeout", "60s", "-s",
               farm.programs.source("peers", "load.lua"), f"http://127.0.0.1:{farm.port}/", "--", lua]
    for _ in range(rounds):
        guests.samples.append(resident.run_wrk(farm, guests, seconds))
        directory.server.send_signal(subprocess.signal.SIGSTOP)
        hanging = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(0.5)
        beside.samples.append(resident.run_wrk(farm, beside, seconds))
        hanging.kill()
        hanging.wait()
        directory.server.send_signal(subprocess.signal.SIGCONT)
        time.sleep(3.5)
    return resident.ratio(beside, guests, "rate"), sum(sample["failed"] for sample in beside.samples)


# ---- Cold ----

def measure_cold(area, programs, uri, rounds):
    """A process for one look-up: memberchat as CGI, and the bare program; the ratio of the medians."""
    bench = cgi_process.Bench(area, programs)
    config = area.write("cold.conf", configuration(uri, CACHE_OFF))
    bench.add("member", programs.responder, cgi_process.environment(fixtures.member_path(7), "", {
        "MEMBERCHAT_CONF": config, "MEMBERCHAT_PLUGIN_DIR": programs.plugins}))
    bench.add("bare", programs.peer("ldap_loop"), bare_environment(uri, 0, 1))
    bench.run(5)
    for case in bench.cases:
        case.wall.clear()
    bench.run(rounds)
    return [statistics.median(case.wall) for case in bench.cases]


def measure(area, programs, seconds, rounds, say):
    farm, directory, far = build(area, programs, say)
    logged = Directory(area, programs, "logged", "256")
    add_responder(farm, "crowd", logged.uri, CACHE_HOT)
    farm.start_web_server(list(farm.responders))
    cells = make_cells(farm)
    bare = run_rounds(farm, cells, directory, far, seconds, rounds, say)
    say("a process for each request")
    cold = measure_cold(area, programs, directory.uri, 30 * rounds)
    say("a crowd, a frozen directory, a dead one")
    crowd = measure_crowd(farm, logged)
    frozen = measure_frozen(farm, directory, seconds, rounds)
    stale = measure_stale(farm, directory, seconds, rounds)
    return {"cells": cells, "bare": bare, "cold": cold, "crowd": crowd, "frozen": frozen, "stale": stale}


# ---- In words ----

def median_of(samples, what):
    return statistics.median(sample[what] for sample in samples)


def figures(results, report):
    cells, bare = results["cells"], results["bare"]
    far = statistics.median(a["rate"] / b["rate"] for a, b in zip(cells["far"].samples, bare["far"]))
    cpu = statistics.median(a["cpu"] / (b["cpu"] + 1.3 * c["cpu"]) for a, b, c in
                            zip(cells["near"].samples, cells["file"].samples, bare["near"]))
    searches, answers = results["crowd"]
    return [
        report.at_least(f"look-ups/s / bare program's, {DELAY_MS} ms away", far, 0.95),
        report.at_most("CPU near / (a file look-up's + 1.3 bare ones)", cpu, 1.0),
        report.at_least("cache hot: requests/s / file store's",
                        resident.ratio(cells["hot"], cells["file"], "rate"), 0.97),
        report.at_most("cold process / bare program as a process", results["cold"][0] / results["cold"][1], 1.3,
                       "%.1f and %.1f ms" % tuple(wall / 1000 for wall in results["cold"])),
        report.at_least("directory killed: requests/s / hot cache's", results["stale"][0], 0.97,
                        f"{results['stale'][1]} failed"),
        report.at_most(f"searches for {CROWD} requests for one unknown id", searches, 1, str(answers)),
        report.at_least("guests beside a frozen directory / alone", results["frozen"][0], 0.9,
                        f"{results['frozen'][1]} failed"),
    ]


def table(results):
    lines = ["", f"  {'':<20} {'look-ups/s':>10} {'CPU us':>8} {'failed':>7}"]
    for cell in results["cells"].values():
        failed = sum(sample["failed"] for sample in cell.samples)
        lines.append(f"  {cell.name:<20} {cell.median('rate'):>10.0f} {cell.median('cpu'):>8.1f} {failed:>7}")
    for name, samples in results["bare"].items():
        lines.append(f"  bare, {name:<14} {median_of(samples, 'rate'):>10.0f} {median_of(samples, 'cpu'):>8.1f}")
    return lines + [""]
