# SPDX-License-Identifier: MIT
"""Services that a REST store asks: a real nginx with files, and one that misbehaves as it is told."""
import json
import os
import socket
import threading
import urllib.parse
from pathlib import Path

from .case import FreshCase
from .programs import web_user
from .responder import accepts
from .scratch import free_port, wait_until
from .servers import find_server
from .site import APP, member_path

MEMBERS = {
    "1": {"appUserName": "foobar1", "appUserProfileImgUrl": "https://img.foobar.com/users/1/profile.jpg",
          "state": "ACTIVE"},
    "2": {"appUserName": "foobar2", "appUserProfileImgUrl": None, "state": "active"},
    "3": {"appUserName": "left us", "appUserProfileImgUrl": None, "state": "INACTIVE"},
    "64d0c5f2a1b2c3d4e5f60718": {"appUserName": "Mongo", "appUserProfileImgUrl": None, "state": "ACTIVE"},
}


def member(user, **more):
    """What a service says of a member, as the family's own does."""
    known = MEMBERS.get(user, {"appUserName": f"name of {user}", "appUserProfileImgUrl": None, "state": "ACTIVE"})
    return {"appUserId": user, **known, **more}


def connections_to(port):
    """Those to a port of this machine, as the system knows them: a set of our addresses."""
    # number, our address, theirs, state
    rows = [line.split()[1:4] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {ours for ours, theirs, state in rows if state == "01" and theirs.endswith(f":{port:04X}")}


class NginxService:
    """nginx whose root is a folder of ours.  It answers GET /members/ID from ID.json, where ID is percent-encoded
    as it came, and logs each request line with its id and connection."""

    def __init__(self, scratch, name="service", listen="", locations=""):
        self.scratch = scratch
        self.folder = scratch.path / name
        self.root = self.folder / "root"
        self.root.mkdir(parents=True)
        self.port = free_port()
        self.access = self.folder / "access.log"
        self.folder.chmod(0o755)
        user = web_user()
        if user:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        paths = "\n".join(f"{module}_temp_path {self.folder}/{module};"
                          for module in ("client_body", "fastcgi", "proxy", "scgi", "uwsgi"))
        self.conf = self.folder / "nginx.conf"
        self.conf.write_text(f"""\
daemon off;
{f"user {user.pw_name};" if user else ""}
worker_processes 1;
pid {self.folder}/pid;
error_log {self.folder}/error.log notice;
events {{ worker_connections 1024; }}
http {{
log_format told '$connection $request_method $request_uri $status "$http_authorization" "$http_x_request_id" $server_protocol';
access_log {self.access} told;
{paths}
map $request_uri $member {{ "~^/members/(?<id>[^/?]+)$" $id; default none; }}
server {{
    listen 127.0.0.1:{self.port} {listen};
    keepalive_requests 1000000;
    types {{ application/json json; }}
    root {self.root};
    location ~ ^/members/ {{
        try_files /$member.json =404;
    }}
    {locations}
}}
}}
""")
        self.start()
        for user_id in MEMBERS:
            self.put(user_id)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def put(self, user, content=None):
        """The answer for a member; renamed into its place."""
        path = self.root / (urllib.parse.quote(user, safe="") + ".json")
        fresh = path.with_suffix(".new")
        fresh.write_bytes(content if isinstance(content, bytes) else json.dumps(content or member(user)).encode())
        fresh.chmod(0o644)
        fresh.rename(path)

    def start(self):
        self.process = self.scratch.start(
            [find_server("nginx"), "-p", self.folder, "-e", self.folder / "error.log", "-c", self.conf],
            self.folder / "process.log")
        wait_until(f"nginx on port {self.port}", self.ready)

    def ready(self):
        if not self.process.running:
            raise AssertionError((self.folder / "error.log").read_text())
        return accepts(("127.0.0.1", self.port))

    def requests(self, least=0):
        """[connection, method, uri, status, authorization, request id] of each request so far; nginx writes
        them down after it has answered, so `least` of them are waited for."""
        def lines_so_far():
            return self.access.read_text().splitlines() if self.access.exists() else []
        wait_until(f"{least} requests are logged", lambda: len(lines_so_far()) >= least)
        lines = lines_so_far()
        return [[part.strip('"') for part in line.split(" ", 4)[:4]] + line.split('"')[1::2] for line in lines]


class Received:
    """One request as it came."""

    def __init__(self, head, body, connection):
        lines = head.split(b"\r\n")
        self.line = lines[0].decode("latin-1")
        self.method, self.target, self.version = self.line.split(" ")
        self.fields = [line.decode("latin-1").partition(": ")[::2] for line in lines[1:] if line]
        self.body = body
        self.connection = connection

    def header(self, name):
        values = [value for field, value in self.fields if field.lower() == name.lower()]
        return values[0] if values else None


class Scripted:
    """An HTTP server that does what `script(request, peer)` says.  A script that returns True keeps the
    connection; it may send whatever it likes, or nothing."""

    def __init__(self, case, script, port=0):
        self.script = script
        self.received = []
        self.connections = 0
        self.open = set()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=600)
        self.port = self.listener.getsockname()[1]
        self.closing = False
        threading.Thread(target=self.accept, daemon=True).start()
        case.addCleanup(self.close)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        self.closing = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.drop_all()

    def drop_all(self):
        """Closes the connections that there are."""
        with self.lock:
            peers = list(self.open)
        for peer in peers:
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self):
        while not self.closing:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open.add(peer)
            threading.Thread(target=self.serve, args=(peer, self.connections), daemon=True).start()

    def serve(self, peer, number):
        try:
            with peer:
                while self.serve_one(peer, number):
                    pass
        except OSError:
            pass
        finally:
            with self.lock:
                self.open.discard(peer)

    def serve_one(self, peer, number):
        data = b""
        while b"\r\n\r\n" not in data:
            part = peer.recv(65536)
            if not part:
                return False
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        request = Received(head, b"", number)
        wanted = int(request.header("Content-Length") or 0)
        while len(body) < wanted:
            body += peer.recv(65536)
        request.body = body
        with self.lock:
            self.received.append(request)
        return self.script(request, peer)


def http(body, status="200 OK", fields=(), length=True):
    """An answer as bytes."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *fields]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def asked_id(request):
    """Whom a request to /members/ID or ?id=ID asks for."""
    parts = urllib.parse.urlsplit(request.target)
    query = urllib.parse.parse_qs(parts.query)
    return query["id"][0] if "id" in query else urllib.parse.unquote(parts.path.rsplit("/", 1)[1])


def answer_well(request, peer):
    """A script: everybody is a member."""
    peer.sendall(http(member(asked_id(request))))
    return True


class RestCase(FreshCase):
    """One app whose members are in a REST store, without cache and breaker unless a test says so."""

    def write(self, url, **keys):
        store = {"plugin": "rest", "url": url, "cache": {"size": 0}, "breaker": {"failures": 0}, **keys}
        self.site.settings["stores"] = {"service": store}
        return self.site.write({"apps": {APP: {"store": "service"}}})

    def serve(self, url, top=None, **keys):
        self.write(url, **keys)
        if top:
            self.site.write(top)
        self.responder = self.start()
        return self.responder

    def scripted(self, script, **more):
        return Scripted(self, script, **more)

    def ask(self, user, **more):
        """`user` stands in the path as it is."""
        return self.responder.post(member_path(user), self.site.auth(), **more)

    def expect(self, user, status, **told):
        """That an id (as it stands in the path) gets this answer; `told`: what the service says of it."""
        answer = self.ask(user)
        if status == 200:
            known = member(urllib.parse.unquote(user), **told)
            self.site.check(answer, user=known["appUserId"], name=known["appUserName"],
                            avatar=known["appUserProfileImgUrl"])
        else:
            self.assertEqual((status, CODES[status]), answer.error, self.responder.log_text()[-2000:])
        return answer

    def expect_log(self, pattern, **more):
        self.responder.expect_log(pattern, **more)


CODES = {404: "MEMBER_NOT_FOUND", 500: "INTERNAL_SERVER_ERROR", 503: "MEMBER_STORE_UNAVAILABLE"}
