# SPDX-License-Identifier: MIT
"""Resident responders, all behind one lighttpd: throughput, latency, CPU, memory."""
import dataclasses
import http.client
import json
import os
import statistics
import subprocess

import process
import fixtures

CONNECTIONS = 32
MANY = 1000000
SOME = 1000
APPS = 1000
PHP_WORKERS = 8
HELLOS = ("hello", "library", "memberhello")


@dataclasses.dataclass
class Cell:
    """One load on one responder."""
    name: str
    responder: str
    requests: list
    samples: list = dataclasses.field(default_factory=list)

    def median(self, what):
        return statistics.median(sample[what] for sample in self.samples)


@dataclasses.dataclass
class Responder:
    name: str
    mount: str
    socket: str
    process: object
    memory: tuple = (0, 0)


class Farm:
    """The web server and all responders behind it."""

    def __init__(self, area, programs):
        self.area, self.programs = area, programs
        self.port = process.free_port()
        self.responders = {}
        area.make_folder("www")
        area.write("key", fixtures.KEY)

    def mount_of(self, name):
        return f"/{name}.php" if name == "php" else f"/{name}"

    def add(self, name, command, socket_path, **options):
        running = self.area.start(name, command, socket_path, **options)
        self.responders[name] = Responder(name, self.mount_of(name), socket_path, running)
        return self.responders[name]

    def add_memberchat(self, name, members, **settings):
        socket_path = self.area.path(f"{name}.sock")
        config = self.area.write(f"{name}.conf", fixtures.memberchat_config(members, **settings))
        return self.add(name, [self.programs.responder, "-c", config, "-L", self.programs.plugins,
                               "-s", f"unix:{socket_path}"], socket_path)

    def add_hello(self, name, answer, *how):
        socket_path = self.area.path(f"{name}.sock")
        path = self.area.write(f"{name}.answer", answer)
        return self.add(name, [self.programs.peer("hello_fcgi"), socket_path, "8", path, *how],
                        socket_path)

    def add_php(self, stores, modules=""):
        area = self.area
        os.symlink(self.programs.source("peers", "api.php"), area.path("www", "php.php"))
        area.write("config.php", fixtures.php_config(stores))
        area.make_folder("php-ini")
        area.write("php-ini/php.ini", PHP_INI + modules + "opcache.memory_consumption=64\n")
        socket_path = area.path("php.sock")
        config = area.write("php-fpm.conf", FPM_CONFIG.format(
            folder=area.folder, socket=socket_path, workers=PHP_WORKERS))
        root = ["--allow-to-run-as-root"] if os.geteuid() == 0 else []
        command = [process.find_program("php-fpm"), "--nodaemonize",
                   "--fpm-config", config, "-c", area.path("php-ini"), *root]
        return self.add("php", command, socket_path,
                        env={**os.environ, "PHP_INI_SCAN_DIR": ""})

    def start_web_server(self, names):
        """lighttpd takes the first mount that a path begins with: none begins with another."""
        mounts = ",\n".join(
            f'    "{self.mount_of(name)}" => (( "socket" => "{self.area.path(name)}.sock",'
            ' "check-local" => "disable" ))' for name in names)
        config = self.area.write("lighttpd.conf", LIGHTTPD_CONFIG.format(
            folder=self.area.folder, port=self.port, mounts=mounts))
        program = process.find_program("lighttpd")
        return self.area.start("lighttpd", [program, "-D", "-f", config], ("127.0.0.1", self.port))

    def ask(self, request):
        """Sends one raw request; its status, head and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.connect()
        connection.sock.sendall(request.encode())
        response = http.client.HTTPResponse(connection.sock, method="POST")
        response.begin()
        body = response.read()
        connection.close()
        return response.status, response.getheaders(), body


PHP_INI = """zend_extension=opcache.so
extension=pdo.so
extension=pdo_sqlite.so
opcache.enable=1
opcache.validate_timestamps=0
opcache.interned_strings_buffer=16
expose_php=0
"""

FPM_CONFIG = """[global]
error_log = {folder}/php-fpm.error.log
[www]
listen = {socket}
listen.backlog = 511
pm = static
pm.max_children = {workers}
env[BENCH_PHP_CONFIG] = {folder}/config.php
"""

LIGHTTPD_CONFIG = """server.modules = ( "mod_fastcgi" )
server.document-root = "{folder}/www"
server.errorlog = "{folder}/lighttpd.error.log"
server.bind = "127.0.0.1"
server.port = {port}
server.max-keep-alive-requests = 60000
server.max-connections = 1024
fastcgi.server = (
{mounts}
)
"""


# ---- The load ----

def run_wrk(farm, cell, seconds):
    """One load; a sample of it."""
    path = farm.area.path(f"{cell.name}.lua")
    if not os.path.exists(path):
        farm.area.write(f"{cell.name}.lua", fixtures.lua_table(cell.requests))
    wrk = process.find_program("wrk")
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency",
               "-s", farm.programs.source("peers", "load.lua"),
               f"http://127.0.0.1:{farm.port}/", "--", path]
    pid = farm.responders[cell.responder].process.pid
    before = process.cpu_seconds(pid)
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    cpu = process.cpu_seconds(pid) - before
    return sample_of(output, cpu)


def sample_of(output, cpu):
    numbers = [line.split()[1:] for line in output.splitlines() if line.startswith("result ")]
    if not numbers:
        process.die(f"wrk printed no result:\n{output}")
    count, duration, p50, p99, bad, lost = map(int, numbers[0])
    if count == 0:
        process.die("no request was answered")
    return {"rate": count / (duration / 1e6), "p50": p50, "p99": p99, "failed": bad + lost,
            "cpu": cpu / count * 1e6}


def check_cell(farm, cell):
    """Before anything is timed: is it the answer that it should be?"""
    status, _, body = farm.ask(cell.requests[0])
    if status != 200:
        process.die(f"{cell.name}: the answer has status {status}: {body[:200]!r}")
    if cell.responder not in HELLOS and len(json.loads(body)) != 6:
        process.die(f"{cell.name}: not the answer of the API: {body[:200]!r}")


def run_rounds(farm, cells, seconds, rounds, say):
    """Every load once a round, each round beginning with another one."""
    for cell in cells:
        check_cell(farm, cell)
        run_wrk(farm, cell, 1)
    for turn in range(rounds):
        say(f"round {turn + 1} of {rounds}: {len(cells)} loads of {seconds} s")
        start = turn * 3 % len(cells)
        for cell in cells[start:] + cells[:start]:
            cell.samples.append(run_wrk(farm, cell, seconds))
    for responder in farm.responders.values():
        responder.memory = process.memory_bytes(responder.process.pid)


def ratio(cell, other, what):
    """Of two loads that took turns: the median of the rounds' ratios."""
    return statistics.median(a[what] / b[what] for a, b in zip(cell.samples, other.samples))


# ---- The plan ----

def answer_bytes(farm, request):
    """A real answer, as a responder would send it to the web server."""
    status, headers, body = farm.ask(request)
    ours = [f"{name}: {value}\r\n" for name, value in headers
            if name.lower() not in ("date", "server", "connection")]
    return f"Status: {status} OK\r\n" + "".join(ours) + "\r\n" + body.decode()


def build_farm(area, programs, say):
    """Starts all; returns the farm and the loads by name."""
    say(f"making {MANY} members")
    some, many = area.path("some.csv"), area.path("many.csv")
    fixtures.write_csv(some, SOME)
    fixtures.write_csv(many, MANY)
    area.write("members.php", fixtures.php_members(SOME))
    fixtures.write_sqlite(area.path("many.sqlite"), MANY)
    farm = Farm(area, programs)
    farm.add_memberchat("chat", some)
    farm.add_memberchat("million", many)
    farm.add_memberchat("apps", some, apps=APPS)
    farm.add_memberchat("thread1", some, threads=1)
    farm.add_memberchat("threads64", some, threads=64)
    farm.add_php([area.path("members.php"), area.path("many.sqlite")])
    farm.start_web_server([*farm.responders, *HELLOS])
    answer = answer_bytes(farm, fixtures.guest_requests("/chat")[0])
    farm.add_hello("hello", answer, "accept")
    farm.add_hello("library", answer)
    farm.add_hello("memberhello", answer_bytes(farm, fixtures.member_requests("/chat", SOME)[0]),
                   "accept")
    return farm, make_cells(farm)


def make_cells(farm):
    mount = farm.mount_of
    guests, members = fixtures.guest_requests, fixtures.member_requests
    plan = [
        Cell("hello", "hello", guests(mount("hello"))),
        Cell("guest", "chat", guests(mount("chat"))),
        Cell("php guest", "php", guests(mount("php"))),
        Cell("hello, library", "library", guests(mount("library"))),
        Cell("hello, member", "memberhello", members(mount("memberhello"), SOME)),
        Cell("member of 10^3", "chat", members(mount("chat"), SOME)),
        Cell("member of 10^6", "million", members(mount("million"), MANY)),
        Cell("php member of 10^3", "php", members(mount("php"), SOME)),
        Cell("php member of 10^6", "php", members(mount("php"), MANY, 1)),
        Cell("guest, 1000 apps", "apps", guests(mount("apps"), APPS)),
        Cell("guest, 1 thread", "thread1", guests(mount("thread1"))),
        Cell("guest, 64 threads", "threads64", guests(mount("threads64"))),
    ]
    return {cell.name: cell for cell in plan}
