# SPDX-License-Identifier: MIT
"""Restarts under load, in every mount that can do without a loss; the table is printed at the end."""
import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

from lib.mount_cases import MountedCase
from lib.pressure import CLIENTS, Pressure
from lib.programs import limit, programs, web_user
from lib.responder import RunningResponder
from lib.scratch import wait_until
from lib.servers import (INSTALLED_RESPONDER, INSTALLED_SOCKET, Apache, Lighttpd, Nginx, read_mount,
                         responder_paths)
from lib.supervised import RunningScript, RunningService, responder_pids

TIMES = 3
TABLE = []


def tearDownModule():
    print(f"# {'way':<62} {'requests':>8} {'lost':>5}")
    for way, requests, lost in TABLE:
        print(f"# {way:<62} {requests:>8} {lost:>5}")


class RestartCase(MountedCase):
    """One test, one row of the table."""

    SECONDS = 2

    def measure(self, way, restart, times=TIMES, kept=True, may_lose=0):
        with Pressure(self, self.SECONDS, kept) as pressure:
            time.sleep(limit(0.2))
            for _ in range(times):
                restart()
                time.sleep(limit(0.1))
        TABLE.append((way, pressure.requests, pressure.lost))
        self.assertLessEqual(pressure.lost, may_lose, pressure.complaint)
        self.assertGreater(pressure.requests, 10)
        self.site.check(self.guest(), role="guest")

    def nginx(self, address, more="", upstreams=""):
        text = read_mount("nginx/memberchat.conf", {INSTALLED_SOCKET: address})
        text = text.replace(f"fastcgi_pass         unix:{address};", more) if more else text
        return Nginx(self.scratch, text, upstreams=upstreams)

    def proxy(self, address, before=""):
        text = read_mount("apache/proxy-fcgi.conf", {INSTALLED_SOCKET: address})
        return Apache(self.scratch, before + text, ["proxy", "proxy_fcgi"])

    def lighttpd(self, address):
        return Lighttpd(self.scratch, read_mount("lighttpd/external.conf", {INSTALLED_SOCKET: address}))


class EachRestartCase(RestartCase):
    """A new site and web server for each test."""

    @classmethod
    def setUpClass(cls):
        pass

    def setUp(self):
        MountedCase.setUpClass.__func__(type(self))
        self.addCleanup(type(self).doClassCleanups)


class Takeover(EachRestartCase):
    """A new process on the path of the old one, which is then told to stop.

    Where the web server keeps connections (the files of conf/ do not), it may send a request in the moment
    in which the old process closes: each connection can lose one request, as with any FastCGI program.
    """

    def setUp(self):
        super().setUp()
        folder = self.scratch.path / "run"
        folder.mkdir()
        user = web_user()
        self.owner = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        self.address = folder / "mc.sock"
        self.old = self.another()

    def another(self):
        return RunningResponder(self.scratch, self.site, self.address, **self.owner)

    def take_over(self):
        new = self.another()
        new.expect_log("ready")
        self.assertEqual(0, self.old.process.stop())
        self.old = new

    def test_nginx(self):
        self.web = self.nginx(self.address)
        self.measure("nginx: new process takes the socket over", self.take_over)

    def test_nginx_with_kept_connections(self):
        self.web = self.nginx(self.address, "fastcgi_pass memberchat; fastcgi_keep_conn on;",
                              f"upstream memberchat {{ server unix:{self.address}; keepalive 4; }}")
        self.measure("nginx, fastcgi_keep_conn on: takes the socket over", self.take_over,
                     may_lose=TIMES * CLIENTS)

    def test_apache(self):
        self.web = self.proxy(self.address)
        self.measure("Apache mod_proxy_fcgi: takes the socket over", self.take_over)

    def test_apache_with_kept_connections(self):
        self.web = self.proxy(self.address, '<Proxy "fcgi://memberchat/" enablereuse=on max=8>\n</Proxy>\n')
        self.measure("Apache mod_proxy_fcgi, enablereuse=on: takes the socket over", self.take_over,
                     may_lose=TIMES * CLIENTS)

    def test_lighttpd(self):
        self.web = self.lighttpd(self.address)
        self.measure("lighttpd: takes the socket over", self.take_over)


class SocketActivation(EachRestartCase):
    """systemctl restart: the socket stays."""

    def setUp(self):
        super().setUp()
        self.service = RunningService(self.scratch, self.site)
        self.addCleanup(self.service.close)

    def restart(self):
        self.assertEqual(0, self.service.restart())

    def test_nginx(self):
        self.web = self.nginx(self.service.address)
        self.measure("nginx, systemd: restart of the service", self.restart)

    def test_apache(self):
        self.web = self.proxy(self.service.address)
        self.measure("Apache mod_proxy_fcgi, systemd: restart of the service", self.restart)

    def test_lighttpd(self):
        self.web = self.lighttpd(self.service.address)
        self.measure("lighttpd, systemd: restart of the service", self.restart)


class Multiwatch(EachRestartCase):
    def test_nginx(self):
        backend = RunningScript(self.scratch, self.site)
        self.web = self.nginx(backend.address)
        self.measure("nginx, multiwatch: SIGTERM to one after the other", backend.roll)


class SpawnedByApache(EachRestartCase):
    """mod_fcgid and CGI: the program is replaced with mv; Apache is restarted gracefully."""

    def setUp(self):
        super().setUp()
        self.program = self.scratch.path / "installed" / "memberchat.fcgi"
        self.program.parent.mkdir()
        self.version = 0
        self.install()

    def install(self):
        """A new program (its own copy, so that /proc tells which one runs) over the old one."""
        self.version += 1
        folder = self.scratch.path / f"version{self.version}"
        folder.mkdir()
        shutil.copy(programs().folder / "memberchat.fcgi", folder)
        fresh = self.program.with_name("new")
        script = programs().responder.read_text()
        fresh.write_text(script.replace(str(programs().folder / "memberchat.fcgi"), str(folder / "memberchat.fcgi")))
        fresh.chmod(0o755)
        fresh.rename(self.program)

    def runs_new_one(self):
        wanted = f"version{self.version}/"
        links = []
        for pid in responder_pids(self.scratch):
            with contextlib.suppress(OSError):
                links.append(os.readlink(Path(f"/proc/{pid}/exe")))
        return any(wanted in link for link in links)

    def replace(self):
        self.install()
        wait_until("the new program", self.runs_new_one, 15)

    def start(self, name, module):
        paths = {**responder_paths(self.site), INSTALLED_RESPONDER: self.program}
        self.web = Apache(self.scratch, read_mount(name, paths), [module])

    def test_mod_fcgid_new_program(self):
        self.start("apache/fcgid.conf", "fcgid")
        self.measure("Apache mod_fcgid: mv of a new program", self.replace)

    def test_mod_fcgid_graceful(self):
        self.start("apache/fcgid.conf", "fcgid")
        self.measure("Apache mod_fcgid: apachectl graceful", self.web.restart_gracefully, 1, kept=False)

    def test_cgi_new_program(self):
        self.start("apache/cgi.conf", "cgid")
        self.measure("Apache, plain CGI: mv of a new program", self.replace)


class SpawnedByLighttpd(EachRestartCase):
    SECONDS = 3  # new requests wait for a while

    def test_graceful(self):
        spawn = {"/run/lighttpd/memberchat.sock": self.scratch.path / "spawn.sock"}
        self.web = Lighttpd(self.scratch, read_mount("lighttpd/spawned.conf", {**responder_paths(self.site), **spawn}))
        before = set(responder_pids(self.scratch))

        def restart():
            self.web.restart_gracefully()
            wait_until("new responders", lambda: self.replaced(before), 15)
        self.measure("lighttpd, spawned: SIGUSR1 to lighttpd", restart, 1, kept=False)

    def replaced(self, before):
        now = set(responder_pids(self.scratch))
        return len(now) >= 2 and not now & before


class Reload(EachRestartCase):
    def test_sighup(self):
        service = RunningService(self.scratch, self.site)
        self.addCleanup(service.close)
        self.web = self.nginx(service.address)

        def reload():
            service.process.send_signal(signal.SIGHUP)
            time.sleep(0.05)
        self.measure("any, its own process: SIGHUP, new configuration", reload, 10)
