# SPDX-License-Identifier: MIT
"""Members in MySQL: how it lets us sign in, and what MariaDB does otherwise."""
import contextlib
import os
import re
import socket
import threading
from pathlib import Path

from lib.certificates import Authority
from lib.responder import command, environment
from lib.scratch import Scratch, wait_until
from lib.sql import MySQL, Proxy
from lib.sql_case import QUERY, SqlCase

FULL, FAST = rb"\x02\0\0.\x01\x04", rb"\x02\0\0.\x01\x03"  # the server wants the password itself; its hash was enough
IDLE = b"\xff\xbf\x0f"  # error 4031


class Ear(Proxy):
    """Hears what passes; may change what we say, and keep back what the server says until we have said more."""

    def __init__(self, server, said=b"", passed_on=b""):
        self.from_server = self.from_us = b""
        self.said, self.passed_on = said, passed_on
        self.keeps = threading.Event()
        super().__init__(server)

    def copy(self, source, target, silent):
        try:
            while data := source.recv(65536):
                if source.getpeername()[1] == self.server.port:
                    self.from_server += data
                    wait_until("we have said more", lambda: not self.keeps.is_set(), 30)
                else:
                    self.from_us += data
                    self.keeps.clear()
                    data = data.replace(self.said, self.passed_on)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class MySQLCase(SqlCase):
    make = MySQL
    variables = {}  # of the environment of memberchat

    @classmethod
    def make_area(cls):
        area = Scratch()
        cls.addClassCleanup(area.close)
        return area.path

    def find(self, code=0, told="", **keys):
        self.configure(**keys)
        done = command("lookup", "-c", self.site.conf, "members", "1", env=environment(**self.variables))
        self.assertEqual(code, done.returncode, done.stderr)
        self.assertIn(told or "Ann", done.stderr if told else done.stdout)
        self.assertNotIn("secret", done.stderr)


class SignIn(MySQLCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.authority = Authority(cls.make_area(), "ca")
        cls.server.show(*cls.authority.issue(names="IP:127.0.0.1"))
        cls.ways = {"TLS": {"ca_file": str(cls.authority.certificate)}, "TCP": {},
                    "socket": {"hosts": None, "port": None, "socket": str(cls.server.socket)}}

    def tearDown(self):
        self.server.sql("DROP USER chat; CREATE USER chat IDENTIFIED BY 'secret'; GRANT SELECT ON site.people TO chat")
        super().tearDown()

    def test_each_way(self):
        """Twice each, since the server keeps a hash that makes the second time another one."""
        for method in ("caching_sha2_password", "sha256_password"):
            self.server.sql(f"ALTER USER chat IDENTIFIED WITH {method} BY 'secret'")
            for way, keys in self.ways.items():
                self.server.sql(f"FLUSH PRIVILEGES; ALTER USER chat REQUIRE {'SSL' if way == 'TLS' else 'NONE'}")
                for time_ in ("first", "second"):
                    with self.subTest(method=method, way=way, time=time_):
                        self.find(**keys)
                with self.subTest(method=method, way=way, password="wrong"):
                    self.site.put("sql.password", "wrong\n")
                    self.find(3, "Access denied for user 'chat'", **keys)
                    self.site.put("sql.password", "secret\n")
        self.find(ca_file=str(self.authority.certificate), tls="require")

    def test_certificate_for_another_name(self):
        self.find(3, "TLS", hosts=["localhost"], **self.ways["TLS"])
        self.find(hosts=["localhost"], tls="require", **self.ways["TLS"])

    def test_after_a_restart(self):
        for way, keys in self.ways.items():
            with self.subTest(way=way):
                self.configure(**keys)
                self.responder = self.start(address=self.scratch.path / f"{way}.sock", env=environment(**self.variables))
                self.assertTrue(self.answers())
                self.server.stop()
                self.in_time(503)
                self.server.start()
                self.recovers(1)

    def test_nobody_hears_the_password(self):
        """Without TLS, within this machine: it is encrypted with the server's key, or a hash is sent."""
        self.server.sql("FLUSH PRIVILEGES")
        for said in (FULL, FAST):
            with contextlib.closing(Ear(self.server)) as ear:
                self.find(hosts=["127.0.0.3"])
            self.assertRegex(ear.from_server, re.compile(said, re.DOTALL))
            self.assertEqual(said == FULL, b"PUBLIC KEY" in ear.from_server)
            self.assertNotIn(b"secret", ear.from_us)

    def test_server_without_a_key_to_encrypt_the_password_with(self):
        server = MySQL("--caching-sha2-password-private-key-path=none.pem", "--caching-sha2-password-public-key-path=none.pem")
        self.addCleanup(server.remove)
        self.find(2, "RSA public key", port=server.port)
        self.find(hosts=None, port=None, socket=str(server.socket))
        self.find(port=server.port)

    def test_accounts_that_may_not_sign_in(self):
        for change, told in (("ACCOUNT LOCK", "Account is locked"), ("PASSWORD EXPIRE", "expired"),
                             ("FAILED_LOGIN_ATTEMPTS 1 PASSWORD_LOCK_TIME 1", "Account is blocked"),
                             ("REQUIRE SSL", "Access denied for user 'chat'")):
            with self.subTest(change=change):
                self.server.sql(f"ALTER USER chat {change}")
                if "blocked" in told:
                    self.site.put("sql.password", "wrong\n")
                    self.find(3, "Access denied")
                    self.site.put("sql.password", "secret\n")
                self.find(3, told)
                self.assertIn("not tried again for 1 s", self.lookup().stderr)
                self.tearDown()

    def test_transport_that_is_prohibited(self):
        self.server.sql("SET GLOBAL require_secure_transport = ON")
        self.addCleanup(self.server.sql, "SET GLOBAL require_secure_transport = OFF")
        self.find(3, "insecure transport")
        for way in ("TLS", "socket"):
            self.find(**self.ways[way])


class SignInByTheNewerLibrary(SignIn):
    """libmariadb of the same release as the server, with this one's C library."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        area = cls.make_area()
        (library,) = Path(os.environ["MEMBERCHAT_MYSQL"]).glob("usr/lib/*/libmariadb.so.3")
        (area / library.name).symlink_to(library)
        cls.variables = {"LD_LIBRARY_PATH": str(area)}


class Sessions(MySQLCase):
    def test_session_is_harmless(self):
        words = ("@@transaction_read_only", "@@max_execution_time", "@@wait_timeout", "@@character_set_client",
                 "@@character_set_connection", "@@character_set_results")
        self.find(query=f"SELECT CONCAT_WS(' ', 'Ann', {', '.join(words)}) AS appUserName, {{id}} AS appUserId", timeout="750ms")
        self.assertIn("Ann 1 750 70 utf8mb4 utf8mb4 utf8mb4", self.lookup().stdout)

    def test_mistake_is_told_with_its_place(self):
        for query, told in ((QUERY.replace("WHERE", "WERE"), "near 'id = ?' at line 1 (1064)"),
                            (QUERY.replace("name", "nam"), "Unknown column 'nam' in 'field list' (1054)")):
            self.configure(query=query)
            done = command("check", "--online", "-c", self.site.conf)
            self.assertEqual(1, done.returncode)
            self.assertIn(told, done.stdout + done.stderr)

    def test_query_that_takes_too_long_is_ended_by_the_server(self):
        self.find(2, "maximum statement execution time exceeded (3024)", timeout="300ms",
                  query=QUERY.replace("FROM people", "FROM people JOIN (SELECT SLEEP(20) AS slow) s"))
        self.assertNotIn("SLEEP", self.server.queries())

    def test_server_that_only_reads(self):
        self.server.sql("SET GLOBAL super_read_only = ON")
        self.addCleanup(self.server.sql, "SET GLOBAL read_only = OFF")
        self.find()

    def test_server_that_was_taken_offline(self):
        self.responder = self.start()
        self.assertTrue(self.answers())
        self.server.sql("SET GLOBAL offline_mode = ON")
        self.addCleanup(self.server.sql, "SET GLOBAL offline_mode = OFF")
        self.in_time(503)
        self.responder.expect_log("offline mode")
        self.server.sql("SET GLOBAL offline_mode = OFF")
        self.recovers(1)

    def test_last_word_to_idle_sessions(self):
        """Error 4031, which came before a query, and which comes as its answer."""
        for late in (False, True):
            with self.subTest(late=late), contextlib.closing(Ear(self.server, b"wait_timeout = 70", b"wait_timeout = 01")) as ear:
                self.configure(hosts=["127.0.0.3"])
                self.responder = self.start(address=self.scratch.path / f"{late}.sock")
                self.assertTrue(self.answers())
                first = self.server.sessions()
                if late:
                    ear.keeps.set()
                wait_until("the server has said it", lambda: IDLE in ear.from_server)
                self.assertEqual("Ann", self.ask().json["userName"])
                self.assertNotEqual(first, self.server.sessions())
                self.assertFalse(ear.keeps.is_set())
                self.assertNotIn("4031", self.responder.log_text())
