# SPDX-License-Identifier: MIT
"""Members in SQLite and MariaDB through the kit's static program, and when it lets the ordinary one take over."""
import shutil
import sqlite3
import subprocess

from lib.answer import parse_cgi
from lib.kit import Kit, forbid_new_calls
from lib.sql import MariaDB
from .test_kit import KitCase

QUERY = "SELECT id AS appUserId, name AS appUserName, state FROM people WHERE id = {id}"
BODY = b'{"a": 1}'


class SqlCase(KitCase):
    """self.alone is a kit without programs, libraries and plugins to take over; self.kit has them."""

    @classmethod
    def prepare(cls):
        cls.alone = Kit(cls.user, cls.scratch.path / "alone")
        shutil.rmtree(cls.alone.home / "lib")
        cls.store(query=QUERY)

    @classmethod
    def store(cls, **keys):
        """In both kits; other keys than cls.KEYS last until the next call."""
        text = "; ".join(f'{key} = "{value}"' for key, value in {**cls.KEYS, **keys}.items() if value)
        for kit in (cls.kit, cls.alone):
            conf = kit.home / "memberchat.conf"
            head, rest = conf.read_text().split("stores = {", 1)
            conf.write_text(f"{head}stores = {{\n    members = {{ {text} }}\n}}\n{rest[rest.index('apps = {'):]}")

    def ask(self, kit, user="1", program="memberchat.cgi", body=b"", **more):
        environment = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "POST", "SERVER_PROTOCOL": "HTTP/1.1",
                       "REQUEST_URI": f"/chat-api/v2/apps/me/members/{user}/chat-tokens", "HTTP_AUTHORIZATION": kit.auth(),
                       "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
        done = subprocess.run([kit.web / program], env=environment, input=body, capture_output=True, check=False, **more)
        return parse_cgi(done.stdout)

    def finds_members(self, kit, **more):
        for user, status, name in (("1", 200, "Ann"), ("2", 200, "Björn \\ \"B\" 'x'; --"), ("3", 404, None), ("4", 404, None),
                                   ("1' OR '1'='1", 404, None)):
            with self.subTest(user=user):
                answer = self.ask(kit, user.replace(" ", "%20").replace("'", "%27"), **more)
                self.assertEqual((status, name), (answer.status, answer.json.get("userName")), kit.log())

    def answers_are_alike(self, status, told):
        """Of the static program alone, and of the ordinary one; what both log ends alike."""
        for kit, program in ((self.alone, "memberchat.cgi"), (self.kit, "memberchat.fcgi")):
            with self.subTest(program=program):
                before = len(kit.log())
                answer = self.ask(kit, program=program)
                self.assertEqual(status, answer.status, kit.log())
                self.assertIn(told, kit.log()[before:])


class Sqlite(SqlCase):
    @classmethod
    def prepare(cls):
        cls.path = cls.scratch.path / "site.db"
        cls.KEYS = {"plugin": "sqlite", "path": cls.path}
        with sqlite3.connect(cls.path) as database:
            database.execute("CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT, state TEXT)")
            database.executemany("INSERT INTO people VALUES (?, ?, ?)", [
                ("1", "Ann", "ACTIVE"), ("2", "Björn \\ \"B\" 'x'; --", None), ("3", "Gone", "LEFT")])
        database.close()
        super().prepare()

    def setUp(self):
        self.store(query=QUERY)

    def test_members(self):
        self.finds_members(self.alone)

    def test_kernel_of_2013(self):
        self.finds_members(self.alone, preexec_fn=forbid_new_calls)

    def test_mathematics_are_the_ordinary_programs(self):
        self.store(query=QUERY.replace("name AS", "name || cos(0) AS"))
        self.assertEqual("Ann1.0", self.ask(self.kit, body=BODY).json["userName"], self.kit.log())
        with self.assertRaisesRegex(AssertionError, "no end of headers"):
            self.ask(self.alone, body=BODY)
        self.assertIn("cannot be started", self.alone.log())

    def test_full_text_is_there(self):
        with sqlite3.connect(self.path) as database:
            database.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
            database.execute("INSERT INTO words VALUES ('Ann of the words')")
        database.close()
        self.store(query="SELECT {id} AS appUserId, text AS appUserName FROM words WHERE words MATCH 'ann'")
        self.assertEqual("Ann of the words", self.ask(self.alone).json["userName"], self.alone.log())

    def test_mistakes(self):
        for keys, status, told in (({"query": QUERY.replace("people", "peple")}, 500, "no such table: peple"),
                                   ({"query": QUERY.replace("name", "nam")}, 500, 'no such column: nam, at "nam AS'),
                                   ({"query": "DELETE FROM people WHERE id = {id}"}, 500, "must be a SELECT"),
                                   ({"query": QUERY, "path": self.path.with_name("gone.db")}, 500, "gone.db cannot be read")):
            with self.subTest(keys=keys):
                self.store(**keys)
                self.answers_are_alike(status, told)

    def test_locked_by_a_writer(self):
        self.store(query=QUERY, timeout="200ms")
        writer = sqlite3.connect(self.path)
        self.addCleanup(writer.close)
        writer.execute("BEGIN EXCLUSIVE")
        self.answers_are_alike(503, "database is locked")
        writer.rollback()
        self.assertEqual(200, self.ask(self.alone).status)


class Mariadb(SqlCase):
    @classmethod
    def prepare(cls):
        cls.server = MariaDB()
        cls.addClassCleanup(cls.server.remove)
        cls.password = cls.scratch.path / "password"
        cls.password.write_text("secret\n")
        cls.password.chmod(0o600)
        cls.KEYS = {"plugin": "mysql", "socket": cls.server.socket, "database": "site", "user": "chat",
                    "password_file": cls.password}
        super().prepare()

    def setUp(self):
        self.store(query=QUERY)
        self.password.write_text("secret\n")

    def test_members(self):
        self.finds_members(self.alone)

    def test_kernel_of_2013(self):
        self.finds_members(self.alone, preexec_fn=forbid_new_calls)

    def test_over_a_network_the_ordinary_program_takes_over(self):
        self.store(query=QUERY, socket=None, hosts=self.server.address)
        for kit in (self.kit, self.alone):
            conf = kit.home / "memberchat.conf"
            conf.write_text(conf.read_text().replace("hosts =", f"port = {self.server.port}; hosts ="))
        self.assertEqual("Ann", self.ask(self.kit, body=BODY).json["userName"], self.kit.log())
        self.assertEqual(500, self.ask(self.alone, body=BODY).status)
        self.assertIn("cannot be started", self.alone.log())

    def test_so_it_does_for_a_way_to_sign_in_that_must_be_loaded(self):
        self.server.sql(self.server.make_ed + "GRANT SELECT ON people TO ed;")
        self.store(query=QUERY, user="ed")
        self.assertEqual("Ann", self.ask(self.kit, body=BODY).json["userName"], self.kit.log())
        self.assertEqual(500, self.ask(self.alone, body=BODY).status)
        self.assertIn("cannot be started", self.alone.log())

    def test_mistakes(self):
        for keys, status, told in (({"query": QUERY.replace("people", "peple")}, 500, "peple"),
                                   ({"query": QUERY.replace("name", "nam")}, 500, "Unknown column 'nam'"),
                                   ({"query": QUERY, "database": "nothing"}, 500, "'nothing'"),
                                   ({"query": QUERY, "socket": "/nowhere/mysqld.sock"}, 503, "/nowhere/mysqld.sock")):
            with self.subTest(keys=keys):
                self.store(**keys)
                self.answers_are_alike(status, told)

    def test_wrong_password(self):
        self.password.write_text("wrong\n")
        self.answers_are_alike(500, "Access denied for user 'chat'")

    def test_query_that_takes_too_long(self):
        self.store(query=QUERY.replace("name AS", "SLEEP(20) AS"), timeout="300ms")
        self.answers_are_alike(503, "max_statement_time exceeded")
        self.assertEqual("", self.server.queries())

    def test_frozen_server(self):
        self.store(query=QUERY, timeout="500ms", connect_timeout="500ms")
        self.server.freeze()
        self.addCleanup(self.server.thaw)
        self.answers_are_alike(503, "no answer in time")
