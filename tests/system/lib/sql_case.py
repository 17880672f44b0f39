# SPDX-License-Identifier: MIT
"""A site whose members are in a database of our own."""
import time

from .case import FreshCase
from .programs import limit
from .responder import command
from .scratch import wait_until
from .site import member_path

NAMES = {"1": "Ann", "2": "Björn \\ \"B\" 'x'; --", "josé": "José"}  # of those who may have tokens
QUERY = "SELECT id AS appUserId, name AS appUserName, state FROM people WHERE id = {id}"


class SqlCase(FreshCase):
    make = None  # a server; subclasses choose

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.make()
        cls.addClassCleanup(cls.server.remove)

    def setUp(self):
        super().setUp()
        self.site.put("sql.password", "secret\n")
        self.configure()

    def configure(self, **keys):
        store = {"plugin": self.server.plugin, "hosts": ["127.0.0.1"], "port": self.server.port, "database": "site",
                 "user": "chat", "password_file": "sql.password", "query": QUERY, "timeout": "800ms",
                 "connect_timeout": "800ms", "breaker": {"failures": 1000}, "cache": {"size": 0}, **keys}
        unset = dict.fromkeys(self.site.settings["stores"]["members"])
        self.site.write({"stores": {"members": {**unset, **store}}})

    def ask(self, user="1"):
        return self.responder.post(member_path(user), self.site.auth())

    def answers(self, user="1"):
        return self.ask(user).status == 200

    def ask_for_all(self):
        """Never another person, and nobody waits for longer than the deadline."""
        began = time.monotonic()
        for user, name in NAMES.items():
            answer = self.ask(user)
            if answer.status == 200 and answer.json["userName"] != name:
                raise AssertionError(f"{user}: {answer.json}")
        if time.monotonic() - began > limit(3 * 3.5):
            raise AssertionError("late")
        return answer

    def lookup(self, user="1"):
        return command("lookup", "-c", self.site.conf, "members", user)

    def recovers(self, seconds=3):
        wait_until("it answers again", self.answers, seconds)

    def in_time(self, *statuses):
        begin = time.monotonic()
        status = self.ask().status
        self.assertIn(status, statuses)
        self.assertLess(time.monotonic() - begin, limit(3.5))
        return status
