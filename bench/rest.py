# SPDX-License-Identifier: MIT
"""The REST store beside the least that a libcurl program can do, on the same service."""
import asyncio
import os
import statistics
import subprocess
import threading
import time

import fixtures
import process
import resident

MEMBERS = 1000
THREADS = 16  # of the responder; the bare program has as many handles
DELAY_MS = 4
SLOW_MS = 200
CROWD = 500
SLOW_CONNECTIONS = 25

NGINX = """daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.error.log;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    keepalive_requests 100000000;
    types {{ application/json json; }}
    open_file_cache max=2000 inactive=60s;
    ssl_certificate {folder}/service.pem;
    ssl_certificate_key {folder}/service.key;
    upstream slow {{ server 127.0.0.1:{slow_port}; keepalive 64; keepalive_requests 100000000; }}
    server {{
        listen 127.0.0.1:{http_port};
        listen 127.0.0.1:{https_port} ssl;
        root {folder}/service;
        location /files/ {{ }}
        location /slow/ {{ proxy_pass http://slow; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
}}
"""

STORE = """threads = {threads}
request_timeout = "30s"
stores = {{
    members = {{ plugin = "rest"; url = "{url}"; connections = {connections}; timeout = "20s";
        {ca} cache = {{ size = {cache}; ttl = "1h" }} }}
}}
apps = {{
{app}}}
"""


def make_certificate(area):
    """One that is its own CA."""
    program = process.find_program("openssl")
    subprocess.run([program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", area.path("service.key"), "-out", area.path("service.pem"), "-days", "30",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)


def write_members(folder):
    for number in range(MEMBERS):
        identity, name, avatar, role, state = fixtures.member(number)
        path = os.path.join(folder, f"{identity}.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'{{"appUserId":"{identity}","appUserName":"{name}","appUserProfileImgUrl":"{avatar}",'
                       f'"role":"{role}","state":"{state}"}}')


class Service:
    """nginx with a file a member, and with a way to a service that thinks first."""

    def __init__(self, area, programs):
        self.http, self.https, self.slow = (process.free_port() for _ in range(3))
        make_certificate(area)
        write_members(area.make_folder("service", "files"))
        for folder, _, _ in os.walk(area.folder):
            os.chmod(folder, 0o755)
        config = area.write("nginx.conf", NGINX.format(
            folder=area.folder, slow_port=self.slow, http_port=self.http, https_port=self.https,
            user="user root;" if os.geteuid() == 0 else ""))
        area.start("slow", [programs.peer("slow_http"), str(self.slow), str(DELAY_MS)], ("127.0.0.1", self.slow))
        program = process.find_program("nginx")
        area.start("nginx", [program, "-e", area.path("nginx.error.log"), "-c", config], ("127.0.0.1", self.http))
        self.area, self.programs = area, programs
        self.ca = area.path("service.pem")

    def url(self, scheme, kind):
        return f"{scheme}://127.0.0.1:{getattr(self, scheme)}/{kind}/"

    def run_bare(self, scheme, kind, handles, seconds):
        """The bare program for so long; a sample."""
        prefix = self.url(scheme, kind)
        urls = [prefix + fixtures.member_id(number) + (".json" if kind == "files" else "") for number in range(500)]
        return run_loop([self.programs.peer("rest_loop"), str(handles), str(seconds), self.ca, *urls])

    def run_store(self, config, threads, seconds):
        """The store of a configuration without a responder; a sample."""
        return run_loop([self.programs.peer("store_loop"), self.area.path(config), self.programs.plugins, str(threads),
                         str(seconds), *(fixtures.member_id(number) for number in range(500))])


def run_loop(command):
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    good, took, cpu, bad = map(int, output.split())
    if bad or not good:
        process.die(f"{os.path.basename(command[0])}: {bad} of {bad + good} answers were not good")
    return {"rate": good / (took / 1e6), "cpu": cpu / good, "failed": bad}


def add_store(farm, name, url, ca, cache=0, connections=THREADS, threads=THREADS):
    """A responder with a REST store."""
    text = STORE.format(threads=threads, url=url, connections=connections, cache=cache, app=fixtures.app_block(0),
                        ca=f'ca_file = "{ca}";' if url.startswith("https") else "")
    config = farm.area.write(f"{name}.conf", text)
    socket_path = farm.area.path(f"{name}.sock")
    return farm.add(name, [farm.programs.responder, "-c", config, "-L", farm.programs.plugins,
                           "-s", f"unix:{socket_path}"], socket_path)


class Bare(resident.Cell):
    """A load of the bare program, in turn with the others."""

    def run(self, service, seconds):
        return service.run_bare(*self.requests, seconds)


class Alone(resident.Cell):
    """A load of the store without a responder."""

    def run(self, service, seconds):
        return service.run_store(*self.requests, seconds)


def build(area, programs):
    service, farm = Service(area, programs), resident.Farm(area, programs)
    fixtures.write_csv(area.path("members.csv"), MEMBERS)
    farm.add_memberchat("file", area.path("members.csv"), threads=THREADS)
    add_store(farm, "static", service.url("http", "files") + "{id}.json", service.ca)
    add_store(farm, "cached", service.url("http", "files") + "{id}.json", service.ca, cache=100000)
    add_store(farm, "delayed", service.url("http", "slow") + "{id}", service.ca)
    add_store(farm, "tls-delayed", service.url("https", "slow") + "{id}", service.ca)
    very_slow = process.free_port()
    area.start("very-slow", [programs.peer("slow_http"), str(very_slow), str(SLOW_MS)], ("127.0.0.1", very_slow))
    add_store(farm, "crowd", f"http://127.0.0.1:{very_slow}/{{id}}", service.ca, connections=SLOW_CONNECTIONS,
              threads=SLOW_CONNECTIONS)
    farm.start_web_server(list(farm.responders))
    members = fixtures.member_requests
    cells = {name: resident.Cell(name, name, members(farm.mount_of(name), MEMBERS))
             for name in ("file", "static", "cached", "delayed", "tls-delayed")}
    cells |= {f"bare {name}": Bare(f"bare {name}", "", what) for name, what in (
        ("static", ("http", "files", THREADS)), ("delayed", ("http", "slow", THREADS)),
        ("tls-delayed", ("https", "slow", THREADS)))}
    cells["store alone"] = Alone("store alone", "", ("static.conf", THREADS))
    return service, farm, cells, very_slow


def run_rounds(service, farm, cells, seconds, rounds, say):
    ours = [cell for cell in cells.values() if not isinstance(cell, (Bare, Alone))]
    for cell in ours:
        resident.check_cell(farm, cell)
        resident.run_wrk(farm, cell, 1)
    order = list(cells.values())
    for turn in range(rounds):
        say(f"round {turn + 1} of {rounds}: {len(order)} loads of {seconds} s")
        start = turn * 3 % len(order)
        for cell in order[start:] + order[:start]:
            ours = not isinstance(cell, (Bare, Alone))
            cell.samples.append(resident.run_wrk(farm, cell, seconds) if ours else cell.run(service, seconds))


# ---- A crowd ----

async def ask(farm, number):
    reader, writer = await asyncio.open_connection("127.0.0.1", farm.port)
    request = fixtures.raw_request(farm.mount_of("crowd"), fixtures.member_path(number), "", 0)
    writer.write(request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1).encode())
    answer = await reader.read()
    writer.close()
    return answer.split(b" ", 2)[1]


async def ask_all(farm):
    return await asyncio.gather(*(ask(farm, number) for number in range(CROWD)))


class Sockets(threading.Thread):
    """The most connections to a port at once, as the kernel has them."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.mark, self.most, self.over = f"{port:04X}", 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.01):
            with open("/proc/net/tcp", encoding="ascii") as file:
                lines = [line.split() for line in file][1:]
            self.most = max(self.most, sum(line[2].endswith(":" + self.mark) and line[3] == "01" for line in lines))


def measure_crowd(farm, port, say):
    say(f"{CROWD} clients at once, a service that takes {SLOW_MS} ms")
    sockets = Sockets(port)
    began = time.monotonic()
    statuses = asyncio.run(ask_all(farm))
    took = time.monotonic() - began
    sockets.over.set()
    return {"took": took, "ideal": CROWD / SLOW_CONNECTIONS * SLOW_MS / 1000, "sockets": sockets.most,
            "failed": sum(status != b"200" for status in statuses)}


def cpu_ratio(cells):
    """The responder's CPU, beyond that of a file look-up, in look-ups of the bare program."""
    return statistics.median(
        (rest["cpu"] - file["cpu"]) / bare["cpu"] for rest, file, bare in
        zip(cells["static"].samples, cells["file"].samples, cells["bare static"].samples))


def is_built(programs):
    return os.path.exists(os.path.join(programs.plugins, "store_rest.so"))


def measure(area, programs, seconds, rounds, say):
    service, farm, cells, very_slow = build(area, programs)
    run_rounds(service, farm, cells, seconds, rounds, say)
    return cells, measure_crowd(farm, very_slow, say)
