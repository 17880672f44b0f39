# SPDX-License-Identifier: MIT
"""The SQL stores beside the least that a program with the same client library can do, on the same MariaDB; and
beside PHP."""
import os
import statistics
import subprocess
import time

import cgi_process
import fixtures
import process
import resident
import rest

MEMBERS = 1000
THREADS = 16  # of the responder; the bare program has as many connections
DELAY_MS = 4
FARM_ROUNDS = 3  # then all is started anew: the bare program's speed differs by a third from farm to farm
# The least that a responder can be, by name: how it is made, and of how many connections.
LEAST = {"loop": ("loop", THREADS), "threads": ("threads", 2 * os.cpu_count() + 1)}
QUERY = ("SELECT id AS appUserId, name AS appUserName, avatar AS appUserProfileImgUrl, role FROM members "
         "WHERE id = {id}")
STORE = """threads = {threads}
request_timeout = "30s"
stores = {{
    members = {{ plugin = "{plugin}"; {place}; query = "{query}"; timeout = "20s"; cache = {{ size = 0 }} }}
}}
apps = {{
{app}}}
"""


class Server:
    """MariaDB with the members, near, and with a network in between."""

    def __init__(self, area, programs):
        self.area, self.programs = area, programs
        self.folder = area.make_folder("mariadb")
        os.chmod(area.folder, 0o755)
        os.chmod(self.folder, 0o755)
        self.port, self.far = process.free_port(), process.free_port()
        self.socket = os.path.join(self.folder, "mysqld.sock")
        area.start("mariadb-server", [programs.source("..", "tests", "plugins", "sql_server.sh"), "mariadb", self.folder,
                                      "--skip-networking=0", "--bind-address=127.0.0.1", f"--port={self.port}",
                                      "--innodb-buffer-pool-size=64M"], self.socket)
        deadline = time.monotonic() + 30
        while not self.sql("SELECT 1"):
            if time.monotonic() > deadline:
                process.die("MariaDB does not answer")
            time.sleep(0.1)
        self.fill()
        area.start("proxy", [programs.peer("delay_proxy"), str(self.far), "127.0.0.1", str(self.port), str(DELAY_MS)],
                   ("127.0.0.1", self.far))
        self.password = area.write("sql.password", "secret\n", 0o600)

    def sql(self, text):
        client = ["mariadb", "--no-defaults", f"--socket={self.socket}", "-uroot", "site"]
        return subprocess.run(client, input=text, text=True, capture_output=True, check=False).returncode == 0

    def fill(self):
        rows = ",".join(str(fixtures.member(number)[:4]) for number in range(MEMBERS))
        if not self.sql("CREATE TABLE members (id VARCHAR(128) PRIMARY KEY, name VARCHAR(255), avatar VARCHAR(255), "
                        f"role VARCHAR(64)); INSERT INTO members VALUES {rows}; GRANT SELECT ON members TO chat;"):
            process.die("MariaDB does not take the members")

    def place(self, far):
        where = f'hosts = "127.0.0.1"; port = {self.far}' if far else f'socket = "{self.socket}"'
        return f'{where}; database = "site"; user = "chat"; password_file = "{self.password}"'

    def run_bare(self, far, seconds):
        ids = [fixtures.member_id(number) for number in range(500)]
        where = ("127.0.0.1", str(self.far)) if far else (self.socket, "0")
        return rest.run_loop([self.programs.peer("sql_loop"), str(THREADS), str(seconds), *where, *ids])


class Bare(resident.Cell):
    """A load of the bare program, in turn with the others."""

    def run(self, server, seconds):
        return server.run_bare(*self.requests, seconds)


def config_of(plugin, place, threads=THREADS):
    return STORE.format(threads=threads, plugin=plugin, place=place, query=QUERY, app=fixtures.app_block(0))


def add_store(farm, name, place):
    config = farm.area.write(f"{name}.conf", config_of("mysql", place))
    socket_path = farm.area.path(f"{name}.sock")
    return farm.add(name, [farm.programs.responder, "-c", config, "-L", farm.programs.plugins, "-s",
                           f"unix:{socket_path}"], socket_path)


def add_least(farm, name, server):
    """Two that give the answer of `file` and do nothing else: one of them asks before."""
    how, count = LEAST[name]
    answer = farm.area.write(f"{name}.answer", resident.answer_bytes(
        farm, fixtures.member_requests(farm.mount_of("file"), MEMBERS)[0]))
    ids = [fixtures.member_id(number) for number in range(500)]
    for mount, question in ((f"mute-{name}", []), (f"least-{name}", [server.socket, *ids])):
        socket_path = farm.area.path(f"{mount}.sock")
        farm.add(mount, [farm.programs.peer("sql_fcgi"), how, socket_path, answer, str(count), *question], socket_path)


def build(area, programs):
    server, farm = Server(area, programs), resident.Farm(area, programs)
    fixtures.write_csv(area.path("members.csv"), MEMBERS)
    farm.add_memberchat("file", area.path("members.csv"), threads=THREADS)
    add_store(farm, "near", server.place(False))
    add_store(farm, "far", server.place(True))
    farm.add_php([f"mysqli:{server.socket}"], "extension=mysqlnd.so\nextension=mysqli.so\n")
    farm.start_web_server([*farm.responders, *(f"{what}-{name}" for name in LEAST for what in ("mute", "least"))])
    for name in LEAST:
        add_least(farm, name, server)
    cells = {name: resident.Cell(name, name, fixtures.member_requests(farm.mount_of(name), MEMBERS))
             for name in farm.responders}
    cells |= {f"bare {name}": Bare(f"bare {name}", "", (name == "far",)) for name in ("near", "far")}
    return server, farm, cells


def run_rounds(server, farm, cells, seconds, rounds, say):
    """Every load once in each of the rounds, each beginning with another one."""
    for cell in cells.values():
        if not isinstance(cell, Bare):
            resident.check_cell(farm, cell)
            resident.run_wrk(farm, cell, 1)
    order = list(cells.values())
    for turn in rounds:
        say(f"round {turn + 1}: {len(order)} loads of {seconds} s")
        start = turn * 3 % len(order)
        for cell in order[start:] + order[:start]:
            cell.samples.append(cell.run(server, seconds) if isinstance(cell, Bare) else
                                resident.run_wrk(farm, cell, seconds))


# ---- A process a request ----

def measure_cgi(server, rounds, say):
    """memberchat.cgi, and the bare programs, by name."""
    area, programs = server.area, server.programs
    bench = cgi_process.Bench(area, programs)
    path, identity = area.path("members.sqlite"), fixtures.member_id(7)
    fixtures.write_sqlite(path, MEMBERS)
    for name, plugin, place in (("MariaDB", "mysql", server.place(False)), ("SQLite", "sqlite", f'path = "{path}"')):
        config = area.write(f"{plugin}-cgi.conf", config_of(plugin, place))
        bench.add(name, programs.cgi, cgi_process.environment(fixtures.member_path(7), "", {
            "MEMBERCHAT_CONF": config, "MEMBERCHAT_PLUGIN_DIR": programs.plugins}))
        size = str(len(bench.answer_of(bench.cases[-1])))
        bench.add(f"bare {name}", programs.peer(f"{plugin}_cgi"), {
            "BENCH_ID": identity, "BENCH_SOCKET": server.socket, "BENCH_FILE": path, "HELLO_LENGTH": size})
        bench.answer_of(bench.cases[-1])
    bench.run(5)
    for case in bench.cases:
        case.wall.clear()
        case.cpu.clear()
    say(f"{rounds} rounds of {len(bench.cases)} processes")
    bench.run(rounds)
    return {case.name: case for case in bench.cases}


def measure(programs, seconds, rounds, say):
    measured = {}
    for first in range(0, rounds, FARM_ROUNDS):
        last = first + FARM_ROUNDS >= rounds
        with process.Area() as area:
            server, farm, cells = build(area, programs)
            run_rounds(server, farm, cells, seconds, range(first, min(first + FARM_ROUNDS, rounds)), say)
            for name, cell in cells.items():
                if name in measured:
                    measured[name].samples += cell.samples
                else:
                    measured[name] = cell
            if last:
                cgi = measure_cgi(server, 60 * rounds, say)
    return measured, cgi


def is_built(programs):
    return all(os.path.exists(os.path.join(programs.plugins, f"store_{name}.so")) for name in ("mysql", "sqlite"))


# ---- Figures ----

def median_of(cells, names, function):
    return statistics.median(function(*samples) for samples in zip(*(cells[name].samples for name in names)))


def throughput_of(cells, near, without):
    """Of a responder's look-ups beside a bare one and an answer without."""
    return median_of(cells, (near, without, "bare near"),
                     lambda near, without, bare: near["rate"] * (1 / without["rate"] + 1 / bare["rate"]))


def figures(cells, cgi, report):
    ratio = resident.ratio
    least = ", ".join(f"{name} {throughput_of(cells, f'least-{name}', f'mute-{name}'):.2f}" for name in LEAST)
    cpu = median_of(cells, ("near", "file", "bare near"),
                    lambda near, file, bare: near["cpu"] / (file["cpu"] + bare["cpu"]))
    return [
        report.at_least(f"MariaDB {DELAY_MS} ms away: look-ups / bare libmariadb's",
                        ratio(cells["far"], cells["bare far"], "rate"), 0.95),
        report.at_least("near: throughput / (bare look-up + file look-up)'s", throughput_of(cells, "near", "file"),
                        0.9, f"responders that do nothing else: {least}"),
        report.at_most("near: CPU / (bare look-up's + file look-up's)", cpu, 1.3,
                       f"{cells['near'].median('cpu'):.0f} us, {cells['bare near'].median('cpu'):.0f} us, "
                       f"{cells['file'].median('cpu'):.0f} us"),
        report.at_least("near: throughput / php-fpm's with mysqli", ratio(cells["near"], cells["php"], "rate"), 2),
        *(report.at_most(f"CGI, {name}: whole process / bare C CGI",
                         cgi[name].median("wall") / cgi[f"bare {name}"].median("wall"), 1.15)
          for name in ("MariaDB", "SQLite")),
    ]


def table(cells, cgi, report):
    return report.rest_table(cells) + report.cgi_table(cgi)
