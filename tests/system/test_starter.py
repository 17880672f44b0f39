# SPDX-License-Identifier: MIT
"""The static programs, unpacked as the kit has them, without its libraries: what they do themselves, and what they hand
over.  The loader of the kit is a script, which starts the programs of the build."""
import os
import shutil
import sqlite3
import subprocess
import threading
from pathlib import Path

from lib.answer import parse_cgi
from lib.case import FreshCase
from lib.fake_mysql import NO_EOF, FakeMySQL
from lib.fcgi import request_pairs
from lib.programs import limit, programs, sanitizer_settings
from lib.responder import command
from lib.scratch import unix_listener
from lib.site import GUEST_PATH, member_path
from lib.sql import mysql_greeting

STATIC = Path(os.environ["MEMBERCHAT_BUILD"]).resolve() / "src" / "memberchat.cgi"  # where it can be linked
STARTER = STATIC.parent / "starter" / "starter"
LOADER = """#!/bin/sh
[ "$1" = --library-path ] || exit 99
echo "${3##*/}" >>"$2/started"
name=${3##*/}
shift 3
exec "%s/$name" "$@"
"""


class StarterCase(FreshCase):
    """The kit is the site, the folder of the web server is beside it."""

    def setUp(self):
        super().setUp()
        self.home = self.site.folder = self.site.folder.rename(self.scratch.path / "memberchat")
        self.site.conf = self.home / "memberchat.conf"
        self.web = self.scratch.path / "chat-api"
        for folder in (self.web, self.home / "lib", self.home / "log"):
            folder.mkdir()
        for plugin in programs().plugins.iterdir():
            (self.home / "lib" / plugin.name).symlink_to(plugin)
        self.loader = self.home / "lib" / "ld-linux-x86-64.so.2"
        self.loader.write_text(LOADER % programs().folder)
        self.loader.chmod(0o755)
        if STATIC.exists():
            shutil.copy(STATIC, self.web)

    def run_cgi(self, path, body=b"", method="POST", **environment):
        """The answer, and the names of the programs that were started."""
        started = self.home / "lib" / "started"
        started.unlink(missing_ok=True)
        env = {**sanitizer_settings(), **dict(request_pairs(method, path, self.site.auth(), body)), **environment}
        done = subprocess.run([self.web / "memberchat.cgi"], env=env, input=body, capture_output=True, check=False,
                              timeout=limit(15))
        return parse_cgi(done.stdout), started.read_text().split() if started.exists() else []

    def does(self, path, body=b"", by_itself=True, **expected):
        answer, started = self.run_cgi(path, body)
        self.assertEqual(200, answer.status, (answer, self.log()))
        self.assertEqual([] if by_itself else ["memberchat.fcgi"], started)
        for name, value in expected.items():
            self.assertEqual(value, answer.json[name])

    def log(self):
        path = self.home / "log" / "memberchat.log"
        return path.read_text() if path.exists() else ""


class SwitchingMySQL(FakeMySQL):
    """On a unix socket; wants the first client to sign in by a plugin."""

    def __init__(self, path):  # pylint: disable=super-init-not-called
        self.listener = unix_listener(path)
        self.clients, self.late, self.signed_in, self.asked = [], False, 0, 0
        threading.Thread(target=self.accept, daemon=True).start()

    def serve(self, client):
        self.asked += 1
        if self.asked > 1:
            super().serve(client)
            return
        with client, client.makefile("rb") as requests:
            client.sendall(mysql_greeting(tls=False, without=NO_EOF))
            self.read(requests)
            self.send(client, [b"\xfeno_such_plugin\0" + bytes(21)], 2)
            self.read(requests)


class Static(StarterCase):
    def test_what_it_does_itself(self):
        if STATIC.exists():
            self.does(GUEST_PATH, b'{"appUserId":"g1"}', userId="g1")
            self.does(member_path("1"), userName="foobar1")

    def test_no_request(self):
        if STATIC.exists():
            done = subprocess.run([self.web / "memberchat.cgi"], env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL,
                                  capture_output=True, check=False)
            self.assertNotEqual(0, done.returncode)
            self.assertEqual("memberchat.fcgi\n", (self.home / "lib" / "started").read_text())
            self.loader.unlink()
            done = subprocess.run([self.web / "memberchat.cgi"], env={}, capture_output=True, check=False)
            self.assertEqual((1, b""), (done.returncode, done.stdout))
            self.assertIn("lib/ld-linux-x86-64.so.2 cannot be started: No such file", self.log())

    def test_file_in_another_encoding(self):
        """Which the C library of the host may know; one that it does not is for the other program to say."""
        if STATIC.exists():
            self.site.put("members.csv", "appUserId,appUserName\n1,J\xf6rg\n".encode("latin-1"))
            self.site.write({"stores": {"members": {"encoding": "iso-8859-1"}}})
            self.assertEqual("Jörg", self.run_cgi(member_path("1"))[0].json["userName"])
            self.site.write({"stores": {"members": {"encoding": "klingon"}}})
            answer, started = self.run_cgi(member_path("1"))
            self.assertEqual(((500, "INTERNAL_SERVER_ERROR"), ["memberchat.fcgi"]), (answer.error, started))
            self.assertIn('the encoding "klingon" is not known', self.log())

    def test_key_that_takes_openssl(self):
        if STATIC.exists():
            (self.home / "keys/es.jwk").unlink(missing_ok=True)
            self.assertEqual(0, command("keygen", "ES256", self.home / "keys/es.jwk").returncode)
            self.site.change_app(token={"algorithm": "ES256", "key_file": "keys/es.jwk"})
            self.does(GUEST_PATH, b'{"appUserId":"g1"}', by_itself=False, userId="g1")

    def test_nothing_to_hand_over_to(self):
        if STATIC.exists():
            self.site.write({"stores": {"members": {"encoding": "klingon"}}})
            self.loader.unlink()
            answer, _ = self.run_cgi(member_path("1"))
            self.assertEqual((500, "INTERNAL_SERVER_ERROR"), answer.error)
            self.assertIn("memberchat.cgi: ", self.log())
            self.assertIn("cannot be started: No such file", self.log())
            self.assertEqual(0, command("keygen", "ES256", self.home / "keys/es.jwk").returncode)
            self.site.write({"stores": {"members": {"encoding": "UTF-8"}}})
            self.site.change_app(token={"algorithm": "ES256", "key_file": "keys/es.jwk"})
            answer, _ = self.run_cgi(GUEST_PATH, b"{}")
            self.assertEqual((500, "INTERNAL_SERVER_ERROR"), answer.error)

    def test_mysql_over_a_network(self):
        if STATIC.exists():
            server = FakeMySQL()
            self.use_mysql(server, hosts=["127.0.0.1"], port=server.port, tls="off")
            self.does(member_path("1"), by_itself=False, userName="Ann")

    def test_mysql_that_wants_a_plugin(self):
        """The body has been read by then, so it is handed over, too."""
        if STATIC.exists():
            self.use_mysql(SwitchingMySQL(self.scratch.path / "mysql.sock"), socket=str(self.scratch.path / "mysql.sock"))
            self.does(member_path("1"), b"{}", by_itself=False, userName="Ann")

    def test_mysql_that_wants_a_plugin_of_nobody(self):
        if STATIC.exists():
            self.loader.unlink()
            self.use_mysql(SwitchingMySQL(self.scratch.path / "mysql.sock"), socket=str(self.scratch.path / "mysql.sock"))
            answer, _ = self.run_cgi(member_path("1"), b"{}")
            self.assertIn(answer.status, (500, 503))
            self.assertIn("cannot be started: No such file", self.log())

    def test_sqlite_that_computes(self):
        """Rather than a wrong number there is no answer at all."""
        if STATIC.exists():
            with sqlite3.connect(self.home / "people.db") as database:
                database.execute("CREATE TABLE people (id, name)")
                database.execute("INSERT INTO people VALUES ('2', 'Ann')")
            self.site.settings["stores"]["members"] = {
                "plugin": "sqlite", "path": "people.db",
                "query": "SELECT id AS appUserId, name AS appUserName FROM people WHERE id = {id} AND sqrt(4) = 2"}
            self.site.write()
            self.does(member_path("2"), by_itself=False, userName="Ann")
            self.loader.unlink()
            self.assertRaisesRegex(AssertionError, "no end of headers in b''", self.run_cgi, member_path("2"))

    def use_mysql(self, server, **settings):
        self.addCleanup(server.remove)
        self.site.put("password", "secret\n")
        self.site.settings["stores"]["members"] = {
            "plugin": "mysql", "database": "x", "user": "chat", "password_file": "password",
            "query": "SELECT appUserId, appUserName FROM people WHERE appUserId = {id}", **settings}
        self.site.write()


class Starter(StarterCase):
    """memberchat and memberchat.fcgi of the kit."""

    def setUp(self):
        super().setUp()
        if STARTER.exists():
            for name in ("memberchat", "memberchat.fcgi"):
                shutil.copy(STARTER, self.home / name)

    def start(self, name, *arguments, **more):
        done = subprocess.run([self.home / name, *arguments], env={}, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              **more)
        return done.returncode, done.stdout + done.stderr

    def test_programs(self):
        if STARTER.exists():
            for name, option in (("memberchat", "--version"), ("memberchat.fcgi", "-V")):
                code, output = self.start(name, option)
                self.assertEqual((0, True), (code, output.startswith(b"memberchat ")), output)
            self.assertEqual("memberchat\nmemberchat.fcgi\n", (self.home / "lib" / "started").read_text())

    def test_without_a_loader(self):
        if STARTER.exists():
            self.loader.unlink()
            code, output = self.start("memberchat")
            self.assertEqual(1, code)
            self.assertIn(b"lib/ld-linux-x86-64.so.2 cannot be started: No such file", output)
            self.assertEqual((1, b""), self.start("memberchat.fcgi"))
            self.assertIn("cannot be started: No such file", self.log())
            with open("/dev/full", "wb") as full:
                done = subprocess.run([self.home / "memberchat"], env={}, stderr=full, check=False)
            self.assertEqual(2, done.returncode)
