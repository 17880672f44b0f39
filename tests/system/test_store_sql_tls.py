# SPDX-License-Identifier: MIT
"""TLS between memberchat and MariaDB or PostgreSQL: who is trusted, and that nothing passes a network in clear text."""
import contextlib
import re
import socket
import threading
import time

from lib.case import at_once
from lib.certificates import Authority
from lib.programs import limit, patient, preloading
from lib.responder import command, environment
from lib.scratch import Scratch
from lib.sql import MariaDB, PostgreSQL, Proxy
from lib.sql_case import SqlCase


def resolving_to(site, word):
    """Variables for a program to which names in .test are what a file says."""
    return {**preloading("resolver"), "MEMBERCHAT_TEST_RESOLVER": str(site.put("orders", word + "\n", 0o644))}


class Silent:
    """A server that says one thing, and reads what it is told; or takes one thing, and leaves."""

    def __init__(self, greeting, leaves=False):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.greeting, self.leaves = greeting, leaves
        self.sockets = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.sockets.append(self.listener.accept()[0])
                self.sockets[-1].sendall(self.greeting)
                if self.leaves:
                    self.sockets[-1].recv(4096)
                    self.sockets.pop().close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        for each in (self.listener, *self.sockets):
            each.close()


class Tls:
    """One server; what it shows is changed with its files and a word to it."""

    @classmethod
    def setUpClass(cls):
        cls.area = Scratch()
        cls.addClassCleanup(cls.area.close)
        cls.authority = Authority(cls.area.path, "ca")
        cls.other = Authority(cls.area.path, "other")
        super().setUpClass()
        cls.server.show(*cls.authority.issue(names="IP:127.0.0.1,DNS:db.test"))

    def setUp(self):
        super().setUp()
        self.configure()

    def configure(self, **keys):
        super().configure(**{"ca_file": str(self.authority.certificate), **keys})

    def test_silence_under_way(self):
        """Of a proxy for the connections that there are, and of the server for all."""
        proxy = Proxy(self.server)
        self.addCleanup(proxy.close)
        self.server.show(*self.authority.issue(names="IP:127.0.0.1,IP:127.0.0.3,DNS:db.test"))
        self.configure(hosts=["127.0.0.3"])
        self.responder = self.start()
        at_once(4, lambda _: self.answers())
        proxy.go_silent()
        self.assertEqual([200] * 4, [answer.status for answer in at_once(4, lambda _: self.ask())])
        self.server.freeze()
        self.addCleanup(self.server.thaw)
        for _ in range(2):
            began = time.monotonic()
            self.assertEqual([503] * 4, [answer.status for answer in at_once(4, lambda _: self.ask())])
            self.assertLess(time.monotonic() - began, limit(3.5))
        self.server.thaw()
        self.recovers(1)

    def find(self, **keys):
        self.configure(**patient(connect_timeout=2, timeout=2), **keys)
        return self.lookup()

    def expect_found(self, **keys):
        done = self.find(**keys)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertIn("Ann", done.stdout)

    def expect_wrong(self, told, code=3, **keys):
        done = self.find(**keys)
        self.assertEqual(code, done.returncode, done.stderr)
        self.assertRegex(done.stderr, re.compile(told, re.IGNORECASE))
        self.assertNotIn("secret", done.stderr)

    def test_good(self):
        self.server.sql(self.server.demand_tls)
        self.addCleanup(self.server.sql, self.server.allow_all)
        self.expect_found()
        self.expect_found(tls="require")

    def test_name_of_the_host(self):
        """The one that is configured, not an address that it has."""
        resolver = resolving_to(self.site, "127.0.0.1")
        for host, code in (("db.test", 0), ("other.test", 3)):
            with self.subTest(host=host):
                self.configure(hosts=[host])
                done = command("lookup", "-c", self.site.conf, "members", "1", env=environment(**resolver))
                self.assertEqual(code, done.returncode, done.stderr)

    def test_certificate_for_another_host(self):
        self.addCleanup(self.server.show, *self.authority.issue(names="IP:127.0.0.1,DNS:db.test"))
        self.server.show(*self.authority.issue("db.example.com", "DNS:db.example.com"))
        self.expect_wrong("certificate|host")
        self.expect_found(tls="require")

    def test_other_authority(self):
        self.expect_wrong("certificate", ca_file=str(self.other.certificate))
        self.expect_found(tls="require", ca_file=str(self.other.certificate))

    def test_expired(self):
        self.addCleanup(self.server.show, *self.authority.issue(names="IP:127.0.0.1,DNS:db.test"))
        self.server.show(*self.authority.issue(names="IP:127.0.0.1", days=-1))
        self.expect_wrong("expired|certificate")

    def test_connection_that_breaks_is_no_misconfiguration(self):
        self.responder = self.start()
        self.assertTrue(self.answers())
        self.server.stop(self.server.kill)
        self.in_time(503)
        self.server.start()
        self.server.use_tls()
        self.recovers()


class NoTls:
    """A server that has none."""

    def test_it_is_demanded(self):
        authority = Authority(self.scratch.path, "ca")
        for tls in ("verify", "require"):
            with self.subTest(tls=tls):
                self.configure(ca_file=str(authority.certificate), tls=tls)
                done = self.lookup()
                self.assertEqual(3, done.returncode, done.stderr)
                self.assertRegex(done.stderr, "(?i)ssl|tls")

    def test_clear_text_passes_no_network_unless_it_is_allowed(self):
        self.configure(hosts=["db.example.com"], tls="off")
        done = command("check", "-c", self.site.conf)
        self.assertEqual(1, done.returncode)
        self.assertIn("allow_cleartext", done.stdout + done.stderr)
        self.configure(hosts=["db.example.com"], tls="off", allow_cleartext=True)
        done = command("check", "-c", self.site.conf)
        self.assertEqual(0, done.returncode, done.stderr)

    def test_resolver_that_hangs(self):
        """A name is asked for once, with a limit of time: by us, not by the client library."""
        self.configure(hosts=["db.test"], tls="off", allow_cleartext=True)
        self.responder = self.start(env=environment(**resolving_to(self.site, "127.0.0.1")))
        self.assertTrue(self.answers())
        self.server.end_sessions()
        resolving_to(self.site, "hang")
        self.in_time(200, 503)

    def test_handshake_that_hangs(self):
        """The server greets, takes what comes, and is silent: for TLS, or for the password."""
        silent = Silent(self.server.greeting)
        self.addCleanup(silent.close)
        authority = Authority(self.scratch.path, "ca")
        for keys in ({"ca_file": str(authority.certificate)}, {"ca_file": str(authority.certificate), "tls": "require"},
                     {"tls": "off"}):
            if "ca_file" not in keys and self.server.plugin == "pgsql":
                silent.greeting = b""
            with self.subTest(keys=keys):
                self.configure(port=silent.port, connect_timeout="300ms", **keys)
                began = time.monotonic()
                done = self.lookup()
                self.assertEqual(2, done.returncode, done.stderr)
                self.assertIn("no answer in time", done.stderr)
                self.assertLess(time.monotonic() - began, limit(1.5))


    def test_handshake_that_breaks(self):
        """That is no mistake of the configuration."""
        leaving = Silent(self.server.greeting, leaves=True)
        self.addCleanup(leaving.close)
        self.configure(port=leaving.port, ca_file=str(Authority(self.scratch.path, "ca").certificate))
        done = self.lookup()
        self.assertEqual(2, done.returncode, done.stderr)
        self.assertIn("127.0.0.1", done.stderr)


class TlsOfMariaDB(Tls, SqlCase):
    make = MariaDB


class TlsOfPostgreSQL(Tls, SqlCase):
    make = PostgreSQL


class NoTlsOfMariaDB(NoTls, SqlCase):
    make = MariaDB


class NoTlsOfPostgreSQL(NoTls, SqlCase):
    make = PostgreSQL
