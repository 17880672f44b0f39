# SPDX-License-Identifier: MIT
"""Members in MariaDB and PostgreSQL: right answers, and what may become of the servers."""
import re
import socket
import threading
import time
from pathlib import Path

from lib.case import at_once
from lib.programs import limit
from lib.responder import command
from lib.scratch import free_port, wait_until
from lib.site import APP
from lib.sql import MariaDB, PostgreSQL
from lib.sql_case import QUERY, SqlCase


class Answers:
    def test_members_are_found(self):
        self.responder = self.start()
        for user, status, name in (("1", 200, "Ann"), ("2", 200, "Björn \\ \"B\" 'x'; --"), ("3", 404, None),
                                   ("4", 404, None), ("1' OR '1'='1", 404, None), ("1 ", 404, None),
                                   ("jose", 404, None), ("josé", 200, "José")):
            with self.subTest(user=user):
                answer = self.ask(user)
                self.assertEqual((status, name), (answer.status, answer.json.get("userName")))

    def test_unix_socket(self):
        self.configure(hosts=None, socket=str(self.server.socket),
                       port=self.server.port if self.server.plugin == "pgsql" else None)
        self.responder = self.start()
        self.assertEqual("Ann", self.ask().json["userName"])

    def test_mistakes_are_told(self):
        for keys, told in (({"query": QUERY.replace("name", "nam")}, "nam"),
                           ({"query": QUERY.replace("people", "peple")}, "peple"),
                           ({"query": QUERY.replace("appUserId", "x")}, "no column appUserId"),
                           ({"query": QUERY.replace("name AS", "id AS appUserName, name AS")}, "two columns"),
                           ({"query": QUERY.replace("{id}", "'{id}'")}, "inside quotation marks"),
                           ({"database": "nothing"}, "nothing"),
                           ({"user": "nobody"}, "nobody"),
                           ({"hosts": ["db.example.com"], "tls": "off"}, "allow_cleartext"),
                           ({"hosts": None}, '"hosts" or "socket" must be set')):
            with self.subTest(keys=keys):
                self.configure(**keys)
                done = command("check", "--online", "-c", self.site.conf)
                self.assertEqual(1, done.returncode)
                self.assertIn(told, done.stdout + done.stderr)

    def test_session_is_harmless(self):
        self.server.sql("CREATE TABLE IF NOT EXISTS log (id TEXT); GRANT INSERT ON log TO chat;")
        self.configure(query=QUERY)
        self.responder = self.start()
        self.assertTrue(self.answers())
        if self.server.plugin == "pgsql":
            self.configure(query="WITH x AS (INSERT INTO log VALUES ({id}) RETURNING id) SELECT id AS appUserId FROM x")
            done = command("lookup", "-c", self.site.conf, "members", "1")
            self.assertEqual(3, done.returncode)
            self.assertIn("read-only", done.stderr)

    def test_the_network_is_told_to_notice_a_server_that_is_gone(self):
        """Both libraries turn TCP keepalive on."""
        self.responder = self.start()
        self.assertTrue(self.answers())
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        timers = [fields[5][:2] for fields in lines if fields[2].endswith(f":{self.server.port:04X}") and fields[3] == "01"]
        self.assertEqual({"02"}, set(timers))

    def test_several_ids_are_an_error(self):
        self.configure(query="SELECT id AS appUserId FROM people WHERE id = {id} OR id = '2'")
        self.responder = self.start()
        self.assertEqual((500, 200), (self.ask("1").status, self.ask("2").status))

    def test_the_app_is_part_of_the_question(self):
        for app, status in ((APP, 0), ("another", 1)):
            self.configure(query=QUERY.replace("{id}", f"{{id}} AND {{appId}} = '{app}'"))
            done = command("lookup", "-c", self.site.conf, "members", "1")
            self.assertEqual(status, done.returncode, done.stderr)


class Faults:
    def setUp(self):
        super().setUp()
        self.responder = self.start()
        self.assertTrue(self.answers())

    def recovers(self, seconds=3):
        wait_until("it answers again", self.answers, seconds)

    def test_frozen(self):
        at_once(8, lambda _: self.answers())
        self.server.freeze()
        self.addCleanup(self.server.thaw)
        for answer in at_once(8, lambda _: self.ask()):
            self.assertEqual(503, answer.status)
        self.server.thaw()
        self.recovers()

    def test_killed_and_restarted(self):
        self.server.stop()
        self.in_time(503)
        self.server.start()
        self.recovers()

    def test_idle_sessions_that_the_server_ended(self):
        at_once(8, lambda _: self.answers())
        self.server.end_sessions()
        self.assertEqual([200] * 8, [answer.status for answer in at_once(8, lambda _: self.ask())])

    def test_slow_query_is_ended_at_the_server(self):
        self.configure(query=f"SELECT {self.server.slow} AS appUserName, id AS appUserId FROM people WHERE id = {{id}}")
        begin = time.monotonic()
        done = command("lookup", "-c", self.site.conf, "members", "1")
        self.assertEqual(2, done.returncode, done.stderr)
        self.assertLess(time.monotonic() - begin, limit(4))
        wait_until("no query is left", lambda: "SLEEP" not in self.server.queries().upper(), 4)

    def test_locked_table(self):
        lock = ("LOCK TABLES people WRITE; SELECT SLEEP(3);" if self.server.plugin == "mysql" else
                "BEGIN; LOCK TABLE people IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3);")
        locker = threading.Thread(target=self.server.sql, args=(lock,))
        locker.start()
        self.addCleanup(locker.join)
        wait_until("it is locked", lambda: self.in_time(200, 503) == 503, 3)
        locker.join()
        self.recovers()

    def change_password(self):
        self.addCleanup(self.server.set_password, "secret")
        self.server.set_password("other")
        self.server.end_sessions()
        self.assertEqual(500, self.ask().status)

    def test_password_that_changed(self):
        self.change_password()
        self.responder.expect_log("not tried again for 1 s")
        self.site.put("sql.password", "other\n")
        self.recovers()

    def test_password_that_changed_and_changed_back(self):
        self.change_password()
        self.server.set_password("secret")
        self.recovers(1.5)

    def test_permission_that_was_taken_away(self):
        self.server.sql("REVOKE SELECT ON people FROM chat")
        self.addCleanup(self.server.sql, "GRANT SELECT ON people TO chat")
        self.assertEqual(500, self.ask().status)
        self.responder.expect_log("denied")
        self.server.sql("GRANT SELECT ON people TO chat")
        self.recovers()

    def test_column_that_was_dropped(self):
        self.server.sql("ALTER TABLE people RENAME COLUMN name TO nick")
        self.addCleanup(self.server.answers, "ALTER TABLE people RENAME COLUMN nick TO name")
        self.assertEqual(500, self.ask().status)
        self.server.sql("ALTER TABLE people RENAME COLUMN nick TO name")
        self.recovers()

    def restart(self, **keys):
        self.configure(**keys)
        self.responder.process.stop()
        self.responder = self.start()

    def test_columns_that_change_places(self):
        def make(columns):
            self.server.sql(f"DROP VIEW IF EXISTS seen; CREATE VIEW seen AS SELECT {columns} FROM people; GRANT SELECT ON seen TO chat")

        self.addCleanup(self.server.sql, "DROP VIEW seen")
        make("id AS appUserId, name AS appUserName, state AS role")
        self.restart(query="SELECT * FROM seen WHERE appUserId = {id}")
        self.assertEqual("Ann", self.ask().json["userName"])
        for columns, status in (("id AS appUserId, state AS role, name AS appUserName", 200),
                                ("state AS role, name AS appUserName, id AS appUserId", 200),
                                ("id AS number, state AS role, name AS appUserName", 500),
                                ("name AS appUserName, id AS appUserId", 200)):
            with self.subTest(columns=columns):
                make(columns)
                for _ in range(2):
                    answer = self.ask()
                    self.assertEqual((status, "Ann" if status == 200 else None), (answer.status, answer.json.get("userName")))

    def test_value_of_16_mib(self):
        self.server.sql("ALTER TABLE people ADD COLUMN large TEXT" if self.server.plugin == "pgsql"
                        else "ALTER TABLE people ADD COLUMN large LONGTEXT")
        self.addCleanup(self.server.sql, "ALTER TABLE people DROP COLUMN large")
        self.server.sql("UPDATE people SET large = REPEAT('x', 16000000) WHERE id = '1'")
        self.configure(query=QUERY.replace("name AS", "large AS"), timeout="3s")
        done = command("lookup", "-c", self.site.conf, "members", "1")
        self.assertIn('"x', done.stdout, done.stderr)

    def test_failover_to_another_server(self):
        """The first one takes connections and is silent."""
        silent = socket.create_server(("127.0.0.2", self.server.port))
        self.addCleanup(silent.close)
        self.configure(hosts=["127.0.0.2", "127.0.0.1"], connect_timeout="500ms")
        for _ in range(2):
            done = command("lookup", "-c", self.site.conf, "members", "1")
            self.assertIn("Ann", done.stdout, done.stderr)

    def test_nobody_listens(self):
        self.configure(port=free_port())
        done = command("lookup", "-c", self.site.conf, "members", "1")
        self.assertEqual(2, done.returncode, done.stderr)
        self.assertRegex(done.stderr, "(?i)refused|connect")


class AnswersOfMariaDB(Answers, SqlCase):
    make = MariaDB

    def test_more_than_one_bit_is_bytes(self):
        self.server.sql("ALTER TABLE people ADD COLUMN letter BIT(8)")
        self.addCleanup(self.server.sql, "ALTER TABLE people DROP COLUMN letter")
        self.server.sql("UPDATE people SET letter = b'01000001'")
        self.configure(query="SELECT id AS appUserId, letter AS appUserName FROM people WHERE id = {id}")
        self.assertIn('"A"', self.lookup().stdout)

    def test_bits_are_0_or_1(self):
        self.server.sql("ALTER TABLE people ADD COLUMN present BIT(1)")
        self.addCleanup(self.server.sql, "ALTER TABLE people DROP COLUMN present")
        self.server.sql("UPDATE people SET present = id = '1'")
        self.configure(query="SELECT id AS appUserId, present AS state FROM people WHERE id = {id}",
                       active_values=["1"])
        for user, status in (("1", 0), ("2", 1)):
            done = command("lookup", "-c", self.site.conf, "members", user)
            self.assertEqual(status, done.returncode, done.stderr)


class AnswersOfPostgreSQL(Answers, SqlCase):
    make = PostgreSQL

    def test_each_connection_has_a_name_of_its_own_for_the_query(self):
        """Behind a pooler, one may come to a session that another one has left."""
        self.configure(query="SELECT id AS appUserId, (SELECT MAX(name) FROM pg_prepared_statements) AS appUserName "
                             "FROM people WHERE id = {id}")
        names = [re.search("member[0-9a-f]{16}", self.lookup().stdout).group() for _ in range(2)]
        self.assertNotEqual(*names)

    def test_remarks_of_the_database_stay_out_of_the_log(self):
        self.server.sql("CREATE FUNCTION remark() RETURNS INT LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING E'a\\nb'; RETURN 1; END $$")
        self.addCleanup(self.server.sql, "DROP FUNCTION remark")
        self.configure(query=f"{QUERY} AND remark() = 1")
        self.responder = self.start()
        self.assertTrue(self.answers())
        self.assertNotIn("WARNING", self.responder.log_text())
        self.assertEqual("", self.lookup().stderr)

    def test_what_only_the_server_finds_wrong(self):
        """No such thing passes by itself: it is no outage."""
        for query, told in (("SELECT id AS appUserId FROM other.public.people WHERE id = {id}", "cross-database references"),
                            ("SELECT DISTINCT id AS appUserId FROM people WHERE id = {id} FOR UPDATE", "not allowed with DISTINCT"),
                            ("SELECT E'a'\n'\\', {id}, \\'' AS appUserId", "the server sees other parameters")):
            with self.subTest(query=query):
                self.configure(query=query, timeout="5s", connect_timeout="5s")
                done = self.lookup()
                self.assertEqual(3, done.returncode)
                self.assertIn(told, done.stderr)

    def test_what_is_no_number_beside_the_id(self):
        """An id that cannot be there is not found; anything else of the wrong form is a mistake."""
        self.configure(id_type="integer", query="SELECT id AS appUserId FROM people WHERE id = "
                                                "CAST({id} AS integer)::text AND name::integer = 1")
        for user, status in (("1", 3), ("9" * 12, 1)):
            done = command("lookup", "-c", self.site.conf, "members", user)
            self.assertEqual(status, done.returncode, done.stderr)
        self.assertIn("invalid input syntax", command("lookup", "-c", self.site.conf, "members", "1").stderr)


class FaultsOfMariaDB(Faults, SqlCase):
    make = MariaDB

    def test_server_whose_sessions_begin_with_a_transaction(self):
        """Which would see what was there at its beginning, and keep the table from being altered."""
        self.server.sql("SET GLOBAL autocommit = 0")
        self.addCleanup(self.server.sql, "SET GLOBAL autocommit = 1")
        self.restart()
        self.assertTrue(self.answers())
        self.server.sql("SET autocommit = 1; UPDATE people SET state = 'LEFT' WHERE id = '1'")
        self.addCleanup(self.server.sql, "SET autocommit = 1; UPDATE people SET state = 'ACTIVE' WHERE id = '1'")
        self.assertEqual(404, self.ask().status)
        self.server.sql("SET lock_wait_timeout = 1; ALTER TABLE people COMMENT 'altered'")

    def test_bits_that_become_numbers(self):
        self.server.sql("ALTER TABLE people ADD COLUMN present BIT(1)")
        self.addCleanup(self.server.sql, "ALTER TABLE people DROP COLUMN present")
        self.server.sql("UPDATE people SET present = id = '1'")
        self.restart(query="SELECT id AS appUserId, present AS state FROM people WHERE id = {id}", active_values=["1"])
        for kind in ("BIT(1)", "TINYINT", "VARCHAR(5)", "BIT(1)"):
            with self.subTest(kind=kind):
                self.server.sql(f"ALTER TABLE people MODIFY COLUMN present {kind}")
                self.assertEqual([200, 404], [self.ask(user).status for user in ("1", "2")])


class FaultsOfPostgreSQL(Faults, SqlCase):
    make = PostgreSQL

    def test_types_that_change(self):
        """Of what is returned, and of what the id is compared with."""
        self.server.sql("CREATE TABLE numbered (id TEXT PRIMARY KEY, name TEXT); GRANT SELECT ON numbered TO chat;"
                        "INSERT INTO numbered VALUES ('1', 'Ann'), ('2', 'Bob')")
        self.addCleanup(self.server.sql, "DROP TABLE numbered")
        self.restart(query="SELECT '1' AS appUserId, name AS appUserName FROM numbered WHERE id = {id}")
        for column, kind in (("name", "VARCHAR(20)"), ("id", "INTEGER"), ("id", "BIGINT"), ("id", "TEXT")):
            with self.subTest(column=column, kind=kind):
                self.assertEqual("Ann", self.ask().json["userName"])
                self.server.sql(f"ALTER TABLE numbered ALTER COLUMN {column} TYPE {kind} USING {column}::{kind}")
                self.assertEqual("Ann", self.ask().json.get("userName"))
