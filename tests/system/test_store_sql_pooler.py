# SPDX-License-Identifier: MIT
"""PostgreSQL behind PgBouncer."""
import signal
import threading
import time

from lib.answer import basic
from lib.case import Load, at_once
from lib.pgbouncer import PgBouncer
from lib.scratch import wait_until
from lib.site import member_path
from lib.sql import PostgreSQL, Proxy
from lib.sql_case import NAMES, QUERY, SqlCase


class PoolerCase(SqlCase):
    make = PostgreSQL
    mode = "session"

    def setUp(self):
        super().setUp()
        # by default it waits for 15 s after a server has refused it
        self.pooler = PgBouncer(self.scratch, self.server, self.mode, server_login_retry=0.1)
        self.configure(port=self.pooler.port)


class OfSessions(PoolerCase):
    """As the manual page says it must be."""

    def test_killed_under_load(self):
        """The pooler, and the server behind it."""
        self.responder = self.start()
        for stop, start in ((lambda: self.pooler.process.stop(signal.SIGKILL), self.pooler.start),
                            (self.server.end_sessions, bool),
                            (lambda: self.server.stop(self.server.kill), self.server.start)):
            with Load(self.ask_for_all, threads=6, good=(200, 503)) as load:
                wait_until("there are answers", lambda: load.done > 20)
                stop()
                start()
                self.recovers(1)
                done = load.done
                wait_until("there are more", lambda: load.done > done + 20)
            load.assert_all_answered()

    def test_idle_sessions_that_the_server_ended(self):
        self.responder = self.start()
        at_once(8, lambda _: self.answers())
        self.server.end_sessions()
        self.assertEqual([200] * 8, [answer.status for answer in at_once(8, lambda _: self.ask())])

    def test_paused(self):
        """The sessions that there are go on, until they are given back; new ones wait."""
        self.responder = self.start()
        self.assertTrue(self.answers())
        pause = threading.Thread(target=self.pooler.run, args=("PAUSE site",))
        pause.start()
        self.addCleanup(pause.join)
        wait_until("it pauses", lambda: self.pooler.say("SHOW DATABASES").splitlines()[1].split("|")[-2] == "1")
        self.assertTrue(self.answers())
        self.responder.process.send_signal(signal.SIGHUP)
        wait_until("the session was given back", lambda: self.in_time(200, 503) == 503)
        self.assertEqual([503] * 4, [answer.status for answer in at_once(4, lambda _: self.ask())])
        self.pooler.say("RESUME site")
        self.recovers(1)

    def ends_late_query(self):
        """On a busy machine, the time to ask the server for that may be too short."""
        self.assertEqual(503, self.in_time(503))
        end = time.monotonic() + 2
        while "sleep" in self.server.queries():
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def test_query_that_outlives_its_request_is_ended_at_the_server(self):
        self.site.write({"request_timeout": "1s"})
        slow = self.server.slow.replace("60", "CASE {id} WHEN '1' THEN 60 ELSE 0 END")
        self.configure(port=self.pooler.port, timeout="20s", query=QUERY.replace("state", f"{slow} AS slow, state", 1))
        self.responder = self.start()
        wait_until("it was ended", self.ends_late_query, 30)
        self.assertTrue(self.answers("2"))

    def test_mistakes_are_told(self):
        """Whatever PgBouncer refuses has the same SQLSTATE, 08P01."""
        for keys, told in (({"user": "nobody"}, "authentication failed"), ({"database": "nothing"}, "no such database")):
            with self.subTest(keys=keys):
                self.configure(port=self.pooler.port, **keys)
                done = self.lookup()
                self.assertEqual(3, done.returncode, done.stderr)
                self.assertIn(told, done.stderr)

    def test_password_that_changed(self):
        self.site.put("sql.password", "other\n")
        self.responder = self.start()
        self.assertEqual(500, self.in_time(500))
        self.responder.expect_log("not tried again for 1 s")
        self.site.put("sql.password", "secret\n")
        self.recovers(1)


class OfOthers(SqlCase):
    make = PostgreSQL

    def test_a_session_without_a_number(self):
        """What is not PostgreSQL may say nothing where it gives one."""
        proxy = Proxy(self.server)
        self.addCleanup(proxy.close)
        asked, said = b"SELECT pg_catalog.pg_backend_pid()", b"SET lock_timeout = 0"
        proxy.edits = (asked, said.ljust(len(asked)))
        self.configure(hosts=["127.0.0.3"], tls="off")
        self.responder = self.start()
        self.assertEqual("Ann", self.ask().json["userName"])
        self.assertEqual("Björn \\ \"B\" 'x'; --", self.ask("2").json["userName"])


class OfTransactions(PoolerCase):
    mode = "transaction"

    def test_queries_of_two_stores(self):
        """Each transaction may have another of the two sessions: nobody gets the answer to another's query."""
        self.pooler.process.stop(signal.SIGTERM)
        self.pooler.start(default_pool_size=2)
        members = self.site.settings["stores"]["members"]
        query = QUERY.replace("name AS", "'other ' || name AS")
        self.site.write({"stores": {"others": {**members, "query": query}},
                         "apps": {"other": self.site.new_app("other", "key-2", "secret-secret-22", store="others")}})
        self.responder = self.start()
        auth, found = basic("key-2", "secret-secret-22"), {"": 0, "other ": 0}

        def request():
            for user, name in NAMES.items():
                for own, prefix in ((self.site.auth(), ""), (auth, "other ")):
                    answer = self.responder.post(member_path(user), own)
                    if answer.status == 200 and answer.json["userName"] != prefix + name:
                        raise AssertionError(f"{prefix}{user}: {answer.json}")
                    found[prefix] += answer.status == 200
            return answer

        with Load(request, threads=6, good=(200, 503)) as load:
            wait_until("there are answers to both", lambda: min(found.values()) > 50)
        load.assert_all_answered()
