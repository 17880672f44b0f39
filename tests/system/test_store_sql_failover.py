# SPDX-License-Identifier: MIT
"""Two servers with the same members: which of them is asked."""
import time

from lib.case import at_once
from lib.programs import limit
from lib.scratch import wait_until
from lib.sql import MariaDB, PostgreSQL, Proxy
from lib.sql_case import QUERY, SqlCase


class Failover:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.make(address="127.0.0.2", port=cls.server.port)
        cls.addClassCleanup(cls.other.remove)
        cls.other.sql("UPDATE people SET name = 'Other' WHERE id = '1'")

    def name(self):
        return self.ask().json.get("userName")

    def test_failover_to_another_server_and_back(self):
        self.configure(hosts=["127.0.0.1", "127.0.0.2"], connect_timeout="300ms", max_age="1s")
        self.responder = self.start()
        self.assertEqual("Ann", self.ask().json["userName"])
        self.server.freeze()
        self.addCleanup(self.server.thaw)
        for answer in at_once(4, lambda _: self.ask()):
            self.assertEqual((200, "Other"), (answer.status, answer.json.get("userName")))
        self.server.thaw()
        wait_until("the first one is asked again", lambda: self.ask().json.get("userName") == "Ann", 10)

    def test_server_that_takes_connections_but_no_query(self):
        """As a node of Galera does that has lost the others."""
        for server in (self.server, self.other):
            server.sql(server.ready)
        self.addCleanup(self.server.sql, "DROP FUNCTION ready")
        self.configure(hosts=["127.0.0.1", "127.0.0.2"], max_age="1s",
                       query="SELECT id AS appUserId, name AS appUserName FROM people WHERE id = {id} AND ready() = 1")
        self.responder = self.start()
        self.assertEqual("Ann", self.ask().json["userName"])
        self.server.sql(self.server.unready)
        self.assertEqual([200] * 3, [self.ask().status for _ in range(3)])
        self.assertEqual("Other", self.ask().json["userName"])
        self.responder.expect_log("127.0.0.1: not ready.*other servers are asked before it for a while")
        self.server.sql("DROP FUNCTION ready;" + self.server.ready)
        wait_until("the first one is asked again", lambda: self.ask().json.get("userName") == "Ann", 10)

    def test_server_that_signs_in_and_hangs(self):
        """As one does whose disk gives nothing more."""
        proxy = Proxy(self.server)
        self.addCleanup(proxy.close)
        self.configure(hosts=["127.0.0.3", "127.0.0.2"], tls="off", timeout="300ms", max_age="1s")
        self.responder = self.start()
        self.assertEqual("Ann", self.name())
        proxy.hang()
        began = time.monotonic()
        self.assertEqual("Other", self.name())
        self.assertLess(time.monotonic() - began, limit(3))
        self.responder.expect_log("127.0.0.3: no answer in time; other servers are asked before it for a while")
        for _ in range(10):
            self.assertEqual("Other", self.name())
        time.sleep(3)  # it is tried again, and not taken for a good one
        self.assertEqual("Other", self.name())
        self.assertNotIn("answers again", self.responder.log_text())
        proxy.hang(False)
        wait_until("the first one is asked again", lambda: self.name() == "Ann", 10)
        self.responder.expect_log("127.0.0.3: answers again")

    def test_server_where_something_is_wrong(self):
        """As one whose copy of the database is still being made."""
        self.server.sql("ALTER TABLE people RENAME TO persons")
        self.addCleanup(self.server.sql, "ALTER TABLE persons RENAME TO people")
        self.configure(hosts=["127.0.0.1", "127.0.0.2"])
        self.responder = self.start()
        self.assertEqual("Other", self.name())
        self.responder.expect_log("127.0.0.1: .*people.*; other servers are asked before it for a while")
        self.configure(hosts=["127.0.0.1", "127.0.0.4"])
        self.assertEqual(2, self.lookup().returncode)
        self.configure()
        self.assertEqual(3, self.lookup().returncode)

    def test_slow_query_is_not_the_fault_of_its_server(self):
        slow = self.server.slow.replace("60", "CASE {id} WHEN '2' THEN 60 ELSE 0 END")
        self.configure(hosts=["127.0.0.1", "127.0.0.2"], timeout="300ms",
                       query=QUERY.replace("state", f"{slow} AS slow, state", 1))
        self.responder = self.start()
        for _ in range(3):
            self.assertEqual(503, self.ask("2").status)
            self.assertEqual("Ann", self.name())
        self.assertNotIn("other servers", self.responder.log_text())


class OfMariaDB(Failover, SqlCase):
    make = MariaDB


class OfPostgreSQL(Failover, SqlCase):
    make = PostgreSQL
