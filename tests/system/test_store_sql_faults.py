# SPDX-License-Identifier: MIT
"""What may become of MariaDB and PostgreSQL, and of what is in them: the right answer, or 503 in time."""
import subprocess
import threading
import time

from lib.case import Load, at_once
from lib.fake_mysql import EOF, MORE, FakeMySQL
from lib.programs import limit, preloading
from lib.responder import environment
from lib.scratch import wait_until
from lib.sql import MariaDB, PostgreSQL, Proxy
from lib.sql_case import QUERY, SqlCase


class Servers:
    def test_killed_under_load(self):
        self.responder = self.start()
        with Load(self.ask_for_all, threads=6, good=(200, 503)) as load:
            wait_until("there are answers", lambda: load.done > 20)
            self.server.stop(self.server.kill)
            self.server.start()
            self.recovers(1)
            done = load.done
            wait_until("there are more", lambda: load.done > done + 20)
        load.assert_all_answered()

    def test_proxy_that_goes_silent_for_old_connections(self):
        proxy = Proxy(self.server)
        self.addCleanup(proxy.close)
        self.configure(hosts=["127.0.0.3"], tls="off")
        self.responder = self.start()
        at_once(4, lambda _: self.answers())
        proxy.go_silent()
        began = time.monotonic()
        self.assertEqual([200] * 4, [answer.status for answer in at_once(4, lambda _: self.ask())])
        self.assertLess(time.monotonic() - began, limit(3.5))
        began = time.monotonic()
        self.assertTrue(self.answers())
        self.assertLess(time.monotonic() - began, limit(0.5))

    def test_too_many_connections(self):
        wait_until("those before have left", lambda: not self.server.sessions().split()[1 if self.server.plugin == "mysql" else 0:])
        self.server.sql(self.server.few_connections)
        self.addCleanup(self.server.sql, self.server.many_connections)
        self.responder = self.start()
        statuses = [answer.status for answer in at_once(8, lambda _: self.ask())]
        self.assertLessEqual(set(statuses), {200, 503})
        self.assertIn(200, statuses)
        self.server.sql(self.server.many_connections)
        self.recovers(1)

    def test_idle_limit_of_the_server(self):
        self.server.sql(self.server.short_idle)
        self.addCleanup(self.server.sql, self.server.long_idle)
        self.configure(idle_timeout="60s")
        self.responder = self.start()
        self.assertTrue(self.answers())
        sessions = self.server.sessions()
        time.sleep(1.6)
        self.assertTrue(self.answers())
        self.assertEqual(sessions, self.server.sessions())

    def test_query_that_outlives_its_request_is_ended_at_the_server(self):
        """Though the time that a query may take is not over."""
        for reused in (False, True):
            with self.subTest(reused=reused):
                self.site.write({"request_timeout": "2s"})
                slow = self.server.slow.replace("60", "CASE {id} WHEN '1' THEN 60 ELSE 0 END")
                self.configure(timeout="20s", query=QUERY.replace("state", f"{slow} AS slow, state", 1))
                self.responder = self.start(address=self.scratch.path / f"mc-{reused}.sock")
                if reused:
                    self.assertTrue(self.answers("2"))
                began = time.monotonic()
                self.assertEqual(503, self.ask().status)
                self.assertLess(time.monotonic() - began, limit(2.2))
                wait_until("no query is left", lambda: "SLEEP" not in self.server.queries().upper(), 2)
                self.assertTrue(self.answers("2"))

    def test_late_answer_leaves_the_descriptors_of_others_alone(self):
        self.site.write({"request_timeout": "500ms"})
        self.configure(timeout="20s", query=QUERY.replace("state", f"{self.server.slow} AS slow, state", 1))
        self.responder = self.start(env=environment(**preloading("descriptors")))
        for _ in range(2):
            self.assertEqual(503, self.in_time(503))
        self.assertEqual(0, self.responder.process.stop(), self.responder.log_text())


class Recovery:
    """With the breaker as it is by default, after an outage that has made it wait for long."""
    def setUp(self):
        super().setUp()
        self.configure(breaker=None)
        self.responder = self.start()
        self.assertTrue(self.answers())

    def stay_down(self):
        """So long that the next pause is one of several seconds."""
        until = time.monotonic() + 8
        while time.monotonic() < until:
            self.assertEqual(503, self.in_time(503))
            time.sleep(0.05)
        self.responder.expect_log("requests are refused for a while")

    def is_back(self):
        """Within a second, and what a busy machine takes."""
        began = time.monotonic()
        wait_until("it answers again", self.answers, 10)
        self.assertLess(time.monotonic() - began, limit(2.5))

    def test_frozen(self):
        self.server.freeze()
        self.addCleanup(self.server.thaw)
        self.stay_down()
        self.server.thaw()
        self.is_back()

    def test_stopped_and_started(self):
        self.server.stop(self.server.kill)
        self.stay_down()
        self.server.start()
        self.is_back()

    def test_locked_table(self):
        lock, unlock = (("LOCK TABLES people WRITE", "UNLOCK TABLES") if self.server.plugin == "mysql" else
                        ("BEGIN; LOCK TABLE people IN ACCESS EXCLUSIVE MODE", "COMMIT"))
        with subprocess.Popen(self.server.client(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as locker:
            locker.stdin.write(f"{lock};\n".encode())
            locker.stdin.flush()
            wait_until("it is locked", lambda: self.in_time(200, 503) == 503)
            self.stay_down()
            locker.stdin.write(f"{unlock};\n".encode())
            locker.stdin.flush()
            self.is_back()
            locker.stdin.close()

    def test_what_someone_mends(self):
        """These are no outages: the next look-up finds that they are over."""
        for wrong, right in (("REVOKE SELECT ON people FROM chat", "GRANT SELECT ON people TO chat"),
                             ("ALTER TABLE people RENAME COLUMN name TO nick", "ALTER TABLE people RENAME COLUMN nick TO name"),
                             ("ALTER TABLE people RENAME TO persons", "ALTER TABLE persons RENAME TO people")):
            with self.subTest(wrong=wrong):
                self.server.sql(wrong)
                wait_until("it fails", lambda: self.ask().status == 500)
                for _ in range(10):
                    self.assertEqual(500, self.in_time(500))
                self.server.sql(right)
                self.is_back()

    def test_password_that_changed(self):
        self.addCleanup(self.server.set_password, "secret")
        self.server.set_password("other")
        self.server.end_sessions()
        for _ in range(10):
            self.assertEqual(500, self.in_time(500))
        self.site.put("sql.password", "other\n")
        self.is_back()


class Values:
    def test_nothing_everywhere(self):
        self.server.sql("INSERT INTO people VALUES ('none', NULL, NULL), ('', 'empty', '')")
        self.addCleanup(self.server.sql, "DELETE FROM people WHERE id IN ('none', '')")
        self.responder = self.start()
        answer = self.ask("none")
        self.assertEqual((200, None), (answer.status, answer.json["avatarProfileUrl"]))
        for query, status in ((QUERY.replace("id AS", "MAX(id) AS").replace("name AS", "MAX(name) AS").replace(
                                   "state", "MAX(state) AS state", 1), 404),
                              ("SELECT p.id AS appUserId FROM (SELECT 1 AS one) o LEFT JOIN people p ON p.id = {id}", 404),
                              ("SELECT NULL AS appUserId, NULL AS appUserName, {id} AS x", 404)):
            with self.subTest(query=query):
                self.configure(query=query)
                done = self.lookup("99")
                self.assertEqual(1, done.returncode, done.stderr)

    def test_value_of_16_mib(self):
        """As the name of one, whose answer is an error, and of another, who is not touched by it."""
        self.server.sql(f"ALTER TABLE people ADD COLUMN large {self.server.large}")
        self.addCleanup(self.server.sql, "ALTER TABLE people DROP COLUMN large")
        self.server.sql("UPDATE people SET large = REPEAT('x', 16777216) WHERE id = '1'")
        self.configure(query=QUERY.replace("name AS", "COALESCE(large, name) AS"), timeout="3s")
        self.site.write({"request_timeout": "5s"})
        self.responder = self.start()
        first = self.ask()
        self.assertIn(first.status, (200, 503))
        self.assertLess(len(first.body), 16384)
        self.assertIn("josé".encode(), self.ask("josé").body)
        self.assertLess(self.responder.process.resident_kib(), 200000)

    def test_ids_of_other_forms(self):
        self.server.sql("CREATE TABLE numbers (id INTEGER PRIMARY KEY, name VARCHAR(20)); GRANT SELECT ON numbers TO chat;"
                        "INSERT INTO numbers VALUES (2, 'Two'), (-3, 'Three')")
        self.addCleanup(self.server.sql, "DROP TABLE numbers")
        found = {"2": "Two", "-3": "Three"}
        for id_type in ("integer", "text"):
            self.configure(id_type=id_type, query="SELECT id AS appUserId, name AS APPUSERNAME, name AS again, name AS again "
                                                  "FROM numbers WHERE id = {id}")
            self.responder = self.start(address=self.scratch.path / f"{id_type}.sock")
            for user in ("2", "-3", "2abc", "%202", "2%20", "02", "+2", "2.0", "2e0", "0x2", "abc", "9223372036854775807",
                         "9223372036854775808", "-9223372036854775809", "2147483648", "99999999999999999999999", "%D9%A2"):
                with self.subTest(id_type=id_type, user=user):
                    answer = self.ask(user)
                    self.assertEqual((200, found[user]) if user in found else (404, None),
                                     (answer.status, answer.json.get("userName")))
            self.responder.process.stop()

    def test_ids_are_compared_with_what_was_asked(self):
        self.responder = self.start()
        for user in ("jose", "JOSE", "jos%C3%A9%20", "%20jos%C3%A9", "jos%C3%A9%00", "josé%0A", "jo%73e%CC%81", "José2"):
            with self.subTest(user=user):
                self.assertEqual(404, self.ask(user).status)
        answer = self.ask("JOS%C3%89")
        self.assertEqual((200, "josé") if self.server.plugin == "mysql" else (404, None),
                         (answer.status, answer.json.get("userId")))


class OfMariaDB(Servers, SqlCase):
    make = MariaDB


class OfPostgreSQL(Servers, SqlCase):
    make = PostgreSQL

    def test_query_of_a_process_that_is_killed(self):
        """The server sees by itself that nobody waits for the answer."""
        self.site.write({"request_timeout": "20s"})
        self.configure(timeout="20s", query=QUERY.replace("state", f"{self.server.slow} AS slow, state", 1))
        self.responder = self.start()
        asking = threading.Thread(target=self.ask)
        asking.start()
        wait_until("the query runs", lambda: "SLEEP" in self.server.queries().upper(), 5)
        self.responder.process.kill()
        wait_until("no query is left", lambda: "SLEEP" not in self.server.queries().upper(), 2)
        asking.join()


class RecoveryOfMariaDB(Recovery, SqlCase):
    make = MariaDB


class RecoveryOfPostgreSQL(Recovery, SqlCase):
    make = PostgreSQL


class OfMySQL(SqlCase):
    """What MariaDB does not do."""
    make = FakeMySQL

    def test_last_word_to_idle_sessions(self):
        """Error 4031, which came before a query, and which comes as its answer."""
        self.responder = self.start()
        self.assertEqual("Ann", self.ask().json["userName"])
        self.assertTrue(self.answers())
        self.assertEqual(1, self.server.signed_in)
        self.server.end_idle_sessions()
        self.assertEqual("Ann", self.ask().json["userName"])
        self.assertEqual(2, self.server.signed_in)
        self.server.late = True
        self.assertEqual("Ann", self.ask().json["userName"])
        self.assertEqual((3, False), (self.server.signed_in, self.server.late))
        self.assertNotIn("4031", self.responder.log_text())

    def test_more_results_that_are_announced(self):
        """libmariadb then forgets where the values are to be put."""
        self.responder = self.start()
        for announces in (MORE, EOF, MORE):
            self.server.announces = announces
            self.assertEqual("Ann", self.ask().json["userName"])


class ValuesOfMariaDB(Values, SqlCase):
    @staticmethod
    def make():
        return MariaDB("--max-allowed-packet=64M")

    def test_tables_in_latin1(self):
        """With text in latin1, and with UTF-8 that an old site has put there."""
        self.server.sql("CREATE TABLE old (id VARCHAR(20), name VARCHAR(50)) CHARACTER SET latin1; GRANT SELECT ON old TO chat;"
                        "INSERT INTO old VALUES ('zoë', 'Zoë'); SET NAMES latin1; INSERT INTO old VALUES ('2', 'Björn')")
        self.addCleanup(self.server.sql, "DROP TABLE old")
        query = QUERY.replace(", state FROM people", " FROM old")
        self.configure(query=query)
        self.responder = self.start()
        for user, status, name in (("zo%C3%AB", 200, "Zoë"), ("zoe", 404, None), ("%E6%97%A5", 404, None), ("2", 200, "BjÃ¶rn")):
            answer = self.ask(user)
            self.assertEqual((status, name), (answer.status, answer.json.get("userName")))
        self.configure(query=query.replace("name AS", "CONVERT(CAST(CONVERT(name USING latin1) AS BINARY) USING utf8mb4) AS"))
        self.assertIn("Björn", self.lookup("2").stdout)


class ValuesOfPostgreSQL(Values, SqlCase):
    make = PostgreSQL

    def test_database_in_latin1(self):
        self.server.sql("CREATE DATABASE old ENCODING LATIN1 LOCALE 'C' TEMPLATE template0")
        self.server.sql("\\c old\nSET client_encoding = 'UTF8'; CREATE TABLE people (id TEXT, name TEXT, state TEXT);"
                        "INSERT INTO people VALUES ('zoë', 'Zoë', NULL); GRANT SELECT ON people TO chat;")
        self.configure(database="old")
        self.responder = self.start()
        for user, status, name in (("zo%C3%AB", 200, "Zoë"), ("zoe", 404, None), ("%E6%97%A5", 404, None)):
            answer = self.ask(user)
            self.assertEqual((status, name), (answer.status, answer.json.get("userName")))

    def test_uuids(self):
        self.server.sql("CREATE TABLE keyed (id UUID PRIMARY KEY, name TEXT); GRANT SELECT ON keyed TO chat;"
                        "INSERT INTO keyed VALUES ('550e8400-e29b-41d4-a716-446655440000', 'Ann')")
        self.addCleanup(self.server.sql, "DROP TABLE keyed")
        for id_type in ("uuid", "text"):
            self.configure(id_type=id_type, query="SELECT id AS appUserId, name AS appUserName FROM keyed WHERE id = {id}")
            self.responder = self.start(address=self.scratch.path / f"{id_type}.sock")
            for user, status in (("550e8400-e29b-41d4-a716-446655440000", 200), ("550E8400-E29B-41D4-A716-446655440000", 200),
                                 ("550e8400e29b41d4a716446655440000", 404), ("%7B550e8400-e29b-41d4-a716-446655440000%7D", 404),
                                 ("550e8400-e29b-41d4-a716-44665544000", 404), ("x", 404)):
                with self.subTest(id_type=id_type, user=user):
                    self.assertEqual(status, self.ask(user).status)
            self.responder.process.stop()

    def test_ids_that_a_type_cannot_hold(self):
        """What the server says then differs from type to type."""
        self.server.sql("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN positive AS INTEGER CHECK (VALUE > 0); "
                        "CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE FUNCTION same(a positive, b positive) RETURNS "
                        "BOOLEAN LANGUAGE SQL AS 'SELECT a = b'")
        for kind, good, bad in (("DATE", "2024-02-29", ("x", "2024-02-30", "2024-02-29 A/B")), ("BIT(3)", "101", ("1012", "1")),
                                ("BYTEA", "\\x6162", ("\\xzz", "\\x6")), ("INET", "10.0.0.1", ("10.0.0.256", "10.0.0.1/33")),
                                ("NUMERIC(4,1)", "12.5", ("x", "1e999999", "12.5 x")), ("mood", "sad", ("SAD", "")),
                                ("CHAR(4)", "abcd", ("abc", "abcde")), ("CITEXT", "Ann", ("Anne",)), ("LTREE", "a.b", ("a..b",)),
                                ("INTEGER[]", "{1,2}", ("{1", "{a}")), ("JSONB", "[1]", ("[", "é")),
                                ("INT4RANGE", "[1,3)", ("[3,1)",)), ("positive", "7", ("0", "x", "99999999999")),
                                ("UUID", "550e8400-e29b-41d4-a716-446655440000", ("550e8400",))):
            self.server.sql(f"CREATE TABLE typed (id {kind}); GRANT SELECT ON typed TO chat; INSERT INTO typed VALUES ('{good}')")
            where = "same(id, {id})" if kind == "positive" else "id = {id}"
            self.configure(query=f"SELECT id AS appUserId FROM typed WHERE {where}")
            for user in (good, *bad):
                with self.subTest(kind=kind, user=user):
                    done = self.lookup(user)
                    self.assertEqual(user != good, done.returncode, done.stderr)
            self.server.sql("DROP TABLE typed")

    def test_no_answer_to_whether_an_id_can_be_read(self):
        """The server is asked that after such a fault: it is silent, or gone."""
        self.server.sql("CREATE TABLE numbers (id INTEGER); GRANT SELECT ON numbers TO chat")
        self.addCleanup(self.server.sql, "DROP TABLE numbers")
        proxy = Proxy(self.server)
        self.configure(hosts=["127.0.0.3"], query="SELECT id AS appUserId FROM numbers WHERE id = {id}")
        self.assertEqual(1, self.lookup("x").returncode)
        for act, code, told in ((lambda: True, 2, "no answer in time"), (proxy.close, 2, "closed the connection")):
            with self.subTest(told=told):
                proxy.loses = lambda data, act=act: b"SELECT $1" in data and act()
                done = self.lookup("x")
                self.assertEqual(code, done.returncode, done.stderr)
                self.assertIn(told, done.stderr)

    def test_what_is_wrong_beside_an_id(self):
        """An error, and not nobody, though the server names the same fault."""
        for query in ("SELECT id AS appUserId FROM people WHERE id = {id} AND name::integer = 1",
                      "SELECT id AS appUserId FROM people WHERE id = {id} AND name::date IS NULL",
                      "SELECT id AS appUserId FROM people WHERE id = {id} AND 'x'::integer = 1"):
            with self.subTest(query=query):
                self.configure(query=query)
                done = self.lookup()
                self.assertEqual(3, done.returncode, done.stderr)
                self.assertIn("invalid input syntax", done.stderr)
